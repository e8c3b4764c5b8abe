-- Tables without subconsumers, as they were up to 3.0, keep their rows; and a default that is missing is set.
\ir ../pgq/helpers.psql

select expect($$select pgq_ext.upgrade_schema()$$, '0');
create table facts as
  select attrelid::regclass::text as name, attname, format_type(atttypid, atttypmod), attnotnull,
         pg_get_expr(adbin, adrelid) as fallback
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
   where attnum > 0 and not attisdropped
     and attrelid in (select oid from pg_class where relnamespace = 'pgq_ext'::regnamespace and relkind = 'r');
create table keys as
  select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'pgq_ext'::regnamespace and contype = 'p';

alter table pgq_ext.completed_tick drop column subconsumer_id, add constraint old_name primary key (consumer_id);
alter table pgq_ext.completed_batch drop column subconsumer_id, add constraint completed_batch_pkey primary key (consumer_id);
alter table pgq_ext.completed_event drop column subconsumer_id, add primary key (consumer_id, batch_id, event_id);
alter table pgq_ext.partial_batch alter column subconsumer_id drop default;
insert into pgq_ext.completed_tick values ('c', 5);
insert into pgq_ext.completed_batch values ('c', 6);
insert into pgq_ext.completed_event values ('c', 7, 8);
insert into pgq_ext.partial_batch values ('c', '', 7);

select expect($$select pgq_ext.upgrade_schema(), pgq_ext.upgrade_schema()$$, '4,0');
select expect($$select pgq_ext.get_last_tick('c'), pgq_ext.get_last_tick('c', ''), pgq_ext.is_batch_done('c', 6),
                       pgq_ext.is_batch_done('c', '', 6), pgq_ext.is_event_done('c', 7, 8), pgq_ext.is_event_done('c', '', 7, 8)$$,
              '5,5,t,t,t,t');
select expect($$select pgq_ext.set_batch_done('c', 's', 6), pgq_ext.set_last_tick('c', 's', 9), pgq_ext.set_event_done('c', 's', 7, 8)$$, 't,1,t');
select expect($$select attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
                  from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
                 where attnum > 0 and not attisdropped and attrelid::regclass::text in (select name from facts)
                except select * from facts$$, null);
select expect($$select conname, pg_get_constraintdef(oid) from pg_constraint
                 where connamespace = 'pgq_ext'::regnamespace and contype = 'p' except select * from keys$$, null);
