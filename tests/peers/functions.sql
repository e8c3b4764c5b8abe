-- Signatures, results, properties and rights of every function, and the tables' columns, constraints and rights.

select p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid), p.provolatile, p.prosecdef,
       p.proisstrict, p.proretset, p.pronargdefaults
  from pg_proc p where p.pronamespace = 'pgq'::regnamespace order by 1, 2;
select p.proname, pg_get_function_identity_arguments(p.oid), a.grantee::regrole, a.privilege_type, a.is_grantable
  from pg_proc p, aclexplode(p.proacl) a where p.pronamespace = 'pgq'::regnamespace order by 1, 2, a.grantee::regrole::text, 4;
select r.rolname, r.rolcanlogin, r.rolsuper, r.rolinherit, r.rolcreatedb, r.rolcreaterole, m.member::regrole
  from pg_roles r left join pg_auth_members m on m.roleid = r.oid and m.member::regrole::text like 'pgq%'
 where r.rolname like 'pgq%' order by 1, 7;
select c.relname, c.relkind, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = 'pgq'::regnamespace and c.relkind in ('r', 'v') order by 1, 3;
select conrelid::regclass, conname, pg_get_constraintdef(oid) from pg_constraint
 where connamespace = 'pgq'::regnamespace order by 1, 2;
select c.relname, c.relkind, a.grantee::regrole, a.privilege_type, a.is_grantable
  from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'pgq'::regnamespace order by 1, a.grantee::regrole::text, 4;
select a.grantee, a.privilege_type from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'pgq' and a.grantee <> n.nspowner order by 1, 2;
select tablename, indexname, replace(indexdef, ' ON ONLY ', ' ON ') from pg_indexes where schemaname = 'pgq' order by 1, 2;
select t.typname, t.typtype from pg_type t where t.typnamespace = 'pgq'::regnamespace and t.typtype <> 'b' order by 1;

-- A queue's own objects.
select pgq.create_queue('q');
select c.relname, c.relkind, c.reloptions, array(select o.option_name || '=' || o.option_value from pg_class t, pg_options_to_table(t.reloptions) o
                                                  where t.oid = c.reltoastrelid order by 1), i.inhparent::regclass
  from pg_class c left join pg_inherits i on i.inhrelid = c.oid
 where c.relnamespace = 'pgq'::regnamespace and c.relname like 'event%' order by 1;
select c.relname, a.grantee::regrole, a.privilege_type, a.is_grantable
  from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'pgq'::regnamespace and c.relname like 'event\_1%' order by 1, a.grantee::regrole::text, 3;
select c.relname, a.attname, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attislocal
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = 'pgq'::regnamespace and c.relname like 'event\_1%' and c.relkind = 'r' order by 1, a.attnum;
select tablename, indexname, indexdef from pg_indexes where schemaname = 'pgq' and tablename like 'event%' order by 1, 2;
select sequencename, data_type, start_value, increment_by, cycle from pg_sequences where schemaname = 'pgq' order by 1;
select queue_id, queue_name, queue_ntables, queue_cur_table, queue_rotation_period, queue_switch_step1 = queue_switch_step2,
       queue_external_ticker, queue_disable_insert, queue_ticker_paused, queue_ticker_max_count, queue_ticker_max_lag,
       queue_ticker_idle_period, queue_per_tx_limit, queue_data_pfx, queue_event_seq, queue_tick_seq, queue_extra_maint
  from pgq.queue;

-- The version is of 3.5, whoever asks.
--! the version names our own release of the 3.5 interface
--= 3.5.0-skytools
--= SELECT 1
select pgq.version();
select substr(pgq.version(), 1, 3);

-- Definer functions do not see what their callers put into the search path.
--! each has its search_path pinned
--= 0
--= SELECT 1
select count(*) from pg_proc where pronamespace = 'pgq'::regnamespace and prosecdef and not coalesce(proconfig::text, '') ~ 'search_path=pg_catalog, *pg_temp';
