-- pgq.upgrade_schema() → integer, always 0; may be repeated
-- Brings the tables and roles of an older 3.x schema to this one.
-- Errors: 42501 roles are missing and may not be created, or not the owner of the tables.

create or replace function pgq.upgrade_schema()
returns integer language plpgsql as $$
begin
    perform skytools.ensure_roles();
    -- cooperative groups need subscriptions without a position
    if (select attnotnull from pg_catalog.pg_attribute
         where attrelid = 'pgq.subscription'::regclass and attname = 'sub_last_tick') then
        alter table pgq.subscription alter column sub_last_tick drop not null;
    end if;
    if not exists (select from pg_catalog.pg_attribute
                    where attrelid = 'pgq.queue'::regclass and attname = 'queue_extra_maint') then
        alter table pgq.queue add column queue_extra_maint text[];
    end if;
    return 0;
end;
$$;

comment on function pgq.upgrade_schema() is 'brings tables and roles of an older 3.x schema up to date';
