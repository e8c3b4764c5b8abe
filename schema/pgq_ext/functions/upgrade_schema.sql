-- pgq_ext.upgrade_schema() → integer, how many changes were made; 0 when the tables are up to date
-- Gives the tables of 3.0 and earlier their subconsumer_id: '' in the rows there are, and a part of the primary key.
-- Errors: 42501 not the owner of the tables.

create or replace function pgq_ext.upgrade_schema()
returns integer language plpgsql as $$
declare
    t         record;
    v_default text;
    v_key     text;
    v_changes integer := 0;
begin
    for t in
        select 'pgq_ext.' || name as name, name || '_pkey' as key_name, key_columns
          from (values ('completed_tick', 'consumer_id, subconsumer_id'),
                       ('completed_batch', 'consumer_id, subconsumer_id'),
                       ('completed_event', 'consumer_id, subconsumer_id, batch_id, event_id'),
                       ('partial_batch', 'consumer_id, subconsumer_id')) v (name, key_columns)
    loop
        select pg_catalog.pg_get_expr(d.adbin, d.adrelid) into v_default
          from pg_catalog.pg_attribute a
          left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = t.name::regclass and a.attname = 'subconsumer_id' and not a.attisdropped;
        if not found then
            select conname into v_key from pg_catalog.pg_constraint where conrelid = t.name::regclass and contype = 'p';
            if found then
                execute format('alter table %s drop constraint %I', t.name, v_key);
            end if;
            execute format('alter table %s add column subconsumer_id text not null default %L,'
                           ' add constraint %I primary key (%s)', t.name, '', t.key_name, t.key_columns);
            v_changes := v_changes + 1;
        elsif v_default is distinct from '''''::text' then
            execute format('alter table %s alter column subconsumer_id set default %L', t.name, '');
            v_changes := v_changes + 1;
        end if;
    end loop;
    return v_changes;
end;
$$;

comment on function pgq_ext.upgrade_schema() is 'brings tables of an older version up to date, returns how many changes it took';
