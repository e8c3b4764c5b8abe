-- londiste.create_trigger: its argument language, names, the events that come of it, and rows that are not stored.
\ir ../expect.psql
create table tr (id int primary key, v text);
create table "Odd" (id int primary key, v text);
create table nopk (id int, v text);
select pgq_node.register_location('qt', n, 'x', false) from unnest(array['me', 'p']) n;
select pgq_node.create_node('qt', 'root', 'me', 'w', null, null, null);
-- trigger_of(arguments, node type, table in the set): the row triggers that the arguments make on tr, afresh.
create function trigger_of(i_args text[], i_type text default 'root', i_table text default 'tr') returns setof text language plpgsql as $$
begin
  perform skytools.drop_capture('public.tr', t) from unnest(array['_londiste_qt', 'zzz__londiste_qt', '_londiste_qt_truncate']) t;
  perform expect(format('londiste.create_trigger(''qt'', %L, %L, ''tr'', %L)', i_table, i_args, i_type),
                 format('200|OK|%s_londiste_qt', case when i_args::text ~* '\yskip\y|tgflags=\w*s' then 'zzz_' end));
  return query select * from triggers('tr') t where t !~ '_truncate: ';
end $$;

-- Defaults: all operations, logutriga, after; a trigger per operation.
select expect($$trigger_of(null)$$, '_londiste_qt_delete: AFTER DELETE STATEMENT capture_d(''qt'')',
              '_londiste_qt_insert: AFTER INSERT STATEMENT capture_i(''qt'')', '_londiste_qt_update: AFTER UPDATE STATEMENT capture_u(''qt'')');
select expect($$select * from triggers('tr') t where t ~ '_truncate: '$$, '_londiste_qt_truncate: AFTER TRUNCATE STATEMENT capture_t(''qt'')');
insert into tr values (1, 'a'); update tr set v = 'b'; delete from tr; truncate tr;
select expect_events('qt', 'I:id|id=1&v=a|public.tr', 'U:id|id=1&v=b|public.tr', 'D:id|id=1&v=b|public.tr', 'R||public.tr');

-- tgflags: operations, timing, kind of event; lower case and letters without meaning pass.
select expect($$trigger_of('{tgflags=I}')$$, '_londiste_qt_insert: AFTER INSERT STATEMENT capture_i(''qt'')');
select expect($$trigger_of('{tgflags=du}')$$, '_londiste_qt_delete: AFTER DELETE STATEMENT capture_d(''qt'')', '_londiste_qt_update: AFTER UPDATE STATEMENT capture_u(''qt'')');
select expect($$trigger_of('{tgflags=BDU}')$$, '_londiste_qt: BEFORE DELETE OR UPDATE ROW capture_r(''qt'')');
select expect($$trigger_of('{tgflags=BAI}')$$, '_londiste_qt_insert: AFTER INSERT STATEMENT capture_i(''qt'')');
select expect($$trigger_of('{tgflags=xI}')$$, '_londiste_qt_insert: AFTER INSERT STATEMENT capture_i(''qt'')');
select expect($$trigger_of('{tgflags=B,tgflags=I}')$$, '_londiste_qt: BEFORE INSERT ROW capture_r(''qt'')');
select expect_events('qt');
create procedure expect_insert(i_flags text, i_event text) language plpgsql as $$
begin
  perform trigger_of(array['tgflags=' || i_flags]);
  insert into tr values (1, 'a');
  perform expect_events('qt', i_event);
  set local session_replication_role = replica; delete from tr; set local session_replication_role = origin;
end $$;
call expect_insert('IL', 'I:id|id=1&v=a|public.tr');
call expect_insert('IQ', 'I|(id,v) values (''1'',''a'')|public.tr');
call expect_insert('BIQ', 'I|(id,v) values (''1'',''a'')|public.tr');
call expect_insert('IQL', 'I:id|id=1&v=a|public.tr');
call expect_insert('IQLJ', '{"op":"INSERT","table":["public","tr"],"pkey":["id"]}|{"id":1,"v":"a"}|public.tr');
call expect_insert('IJ', '{"op":"INSERT","table":["public","tr"],"pkey":["id"]}|{"id":1,"v":"a"}|public.tr');

-- Arguments for the trigger are handed on, those for local_add_table are not.
select expect($$trigger_of(array['tgflags=BIQ', 'ev_extra3=''hash=''||length(v)', 'when=id>0', 'backup', 'ignore=v', 'pkey=id'])$$,
              '_londiste_qt: BEFORE INSERT ROW capture_r(''qt'', ''ev_extra3=''''hash=''''||length(v)'', ''when=id>0'', ''backup'', ''ignore=v'', ''pkey=id'')');
select expect($$trigger_of('{tgflags=BI,expect_sync,skip_truncate,merge_all,no_merge,NULL}')$$, '_londiste_qt: BEFORE INSERT ROW capture_r(''qt'')');
select trigger_of(array['tgflags=BIQ', 'ev_extra3=''hash=''||length(v)::text', 'when=id>0', 'backup']);
insert into tr values (1, 'abc'), (-1, 'not seen');
select expect_events('qt', 'I|(id,v) values (''1'',''abc'')|public.tr|~|hash=3');
select expect_error($$select londiste.create_trigger('qt', 'tr', '{nonsense}', 'tr', 'root')$$, 'bad param to pgq trigger', 'XX000');
delete from tr;

-- A table with another name here: events carry the name in the set, unless told otherwise.
select trigger_of(null, 'root', 'orig');
insert into tr values (1, 'a'); update tr set v = 'b'; delete from tr;
select expect_events('qt', 'I:id|id=1&v=a|public.orig', 'U:id|id=1&v=b|public.orig', 'D:id|id=1&v=b|public.orig');
select trigger_of('{ev_extra1=''other.name''}', 'root', 'orig');
insert into tr values (1, 'a'); delete from tr;
select expect_events('qt', 'I:id|id=1&v=a|other.name', 'D:id|id=1&v=a|other.name');
select expect($$londiste.create_trigger('qt', 'Odd', null, null, 'root')$$, '200|OK|_londiste_qt');
insert into "Odd" values (1, 'a');
select expect_events('qt', 'I:id|id=1&v=a|public.Odd');

-- Leaf: denied, last argument; no event.
select expect($$trigger_of('{tgflags=BI,SKIP,when=id>0}', 'leaf', 'orig')$$,
              'zzz__londiste_qt: BEFORE INSERT ROW capture_deny(''qt'', ''when=id>0'', ''ev_extra1=''''public.orig'''''', ''SKIP'', ''deny'')');
select expect($$trigger_of(null, 'leaf')$$, '_londiste_qt: AFTER INSERT OR DELETE OR UPDATE ROW capture_deny(''qt'', ''deny'')');
select expect_error('truncate tr', 'Table ''public.tr'' to queue ''qt'': change not allowed (TRUNCATE)', 'XX000');

-- No triggers wanted
select expect(format($$londiste.create_trigger('qt', 'none', %L, 'none', 'root')$$, array[a]), '201|Trigger not created|~')
  from unnest(array['no_triggers', 'virtual_table']) a;

-- SKIP: events without rows. Only before, and only one trigger may swallow them, last in order.
select expect($$londiste.create_trigger('qt', 'tr', '{skip}', 'tr', 'root')$$, '403|AFTER trigger cannot work with SKIP trigger(s)|~');
select expect($$londiste.create_trigger('qt', 'tr', '{tgflags=S}', 'tr', 'root')$$, '403|AFTER trigger cannot work with SKIP trigger(s)|~');
select expect($$trigger_of('{tgflags=BI,Skip}')$$, 'zzz__londiste_qt: BEFORE INSERT ROW capture_r(''qt'', ''SKIP'')');
select expect($$trigger_of('{tgflags=BIS}')$$, 'zzz__londiste_qt: BEFORE INSERT ROW capture_r(''qt'', ''SKIP'')');
insert into tr values (1, 'a');
select expect('tr');
select expect_events('qt', 'I:id|id=1&v=a|public.tr');
-- Asked for without SKIP again, the trigger takes its usual name.
select expect($$londiste.create_trigger('qt', 'tr', '{tgflags=BI}', 'tr', 'root')$$, '200|OK|_londiste_qt');
select expect($$select * from triggers('tr') t where t !~ '_truncate: '$$, '_londiste_qt: BEFORE INSERT ROW capture_r(''qt'')');
-- Another queue's SKIP trigger is renamed to fire last, ours goes without.
select pgq.create_queue('other'), trigger_of('{tgflags=BI}');
create trigger swallow before insert on tr for each row execute function pgq.logutriga('other', 'SKIP');
select expect($$londiste.create_trigger('qt', 'tr', '{tgflags=I}', 'tr', 'root')$$, '403|AFTER trigger cannot work with SKIP trigger(s)|~');
select expect($$londiste.create_trigger('qt', 'tr', '{tgflags=BIS}', 'tr', 'root')$$, '200|OK|_londiste_qt');
select expect($$select * from triggers('tr') t where t !~ '_truncate: '$$,
              '_londiste_qt: BEFORE INSERT ROW capture_r(''qt'')', 'zzz_swallow: BEFORE INSERT ROW pgq.logutriga(''other'', ''SKIP'')');
insert into tr values (2, 'b');
select expect('tr');
select expect_events('qt', 'I:id|id=2&v=b|public.tr');
select expect_events('other', 'I:id|id=2&v=b|public.tr');
create trigger swallow before insert on tr for each row execute function pgq.logutriga('other', 'SKIP');
select expect($$londiste.create_trigger('qt', 'tr', '{tgflags=BIS}', 'tr', 'root')$$, '405|Multiple SKIP triggers|~');
drop trigger swallow on tr;
drop trigger zzz_swallow on tr;

-- A row trigger of somebody else that fires before one of ours for rows shows up when the table is added.
create function other_trigger() returns trigger language plpgsql as 'begin return new; end';
create table watched (id int primary key);
create trigger "Atrg" after insert on watched for each row execute function other_trigger();
select expect($$londiste.local_add_table('qt', 'watched')$$, '301|Table added: public.watched, but londiste trigger is not first: Atrg');
select expect($$select * from triggers('watched') t where t ~ '^_londiste_qt:'$$, '_londiste_qt: AFTER INSERT OR DELETE OR UPDATE ROW capture_r(''qt'')');
select londiste.local_remove_table('qt', 'watched');
alter trigger "Atrg" on watched rename to z_last;
select expect($$londiste.local_add_table('qt', 'watched')$$, '200|Table added: public.watched');

-- drop_table_triggers: those of the queue, all kinds, on the table's local name.
select londiste.global_add_table('qt', 'orig');
update londiste.table_info set dest_table = 'public.tr' where table_name = 'public.orig';
select trigger_of(null, 'root', 'orig');
create trigger by_hand after insert on tr for each row execute function pgq.sqltriga('qt');
create trigger of_other after insert on tr for each row execute function pgq.sqltriga('other');
select londiste.drop_table_triggers('other', 'orig'), londiste.drop_table_triggers('qt', 'none');
select expect($$select count(*) from triggers('tr')$$, '6');
select londiste.drop_table_triggers('qt', 'orig');
select expect($$select * from triggers('tr')$$, 'of_other: AFTER INSERT ROW pgq.sqltriga(''other'')');

-- Errors of the queue and the table
select expect_error($$select londiste.create_trigger('none', 'tr', '{tgflags=BI}', 'tr', 'root')$$, 'No such queue', 'XX000');
select expect_error($$select londiste.create_trigger('qt', 'none', null, 'none', 'root')$$, 'table public.none does not exist', '42P01');
