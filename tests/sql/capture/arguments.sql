-- Arguments of capture triggers: ignore, pkey, backup, when, expressions, magic columns, SKIP, and their errors; hand-made triggers agree.

\ir expect.psql

create table t2 (a int primary key, b text, c text, _pgq_ev_extra3 text);
create table odd_src (x int);
create table "Odd Tab" ("Key A" int, b text, "select" text, primary key (b, "Key A"));
create table nopk (a int, b text);

-- The same checks for generated functions and for triggers made by hand.
create procedure use_capture(i_way text, i_kind text, i_table text, i_args text[]) language plpgsql as $$
declare
  v_arguments text := (select string_agg(quote_literal(a), ',') from unnest('q'::text || i_args) a);
begin
  execute format('drop trigger if exists by_hand on %I', i_table);
  perform skytools.drop_capture('public.' || i_table, 'cap');
  if i_way = 'hand' then
    execute format('create trigger by_hand after insert or update or delete on %I for each row execute function pgq.%I(%s)',
                   i_table, i_kind, v_arguments);
  else
    perform skytools.create_capture('q', 'public.' || i_table, 'cap', i_kind, 'after', 'IUD', i_args);
  end if;
end $$;

create procedure check_arguments(i_way text) language plpgsql as $$
begin
  call use_capture(i_way, 'logutriga', 't2', array['ignore=c', 'ev_extra4=b || ''!''', 'when=a < 100', 'pkey=a,b']);
  insert into t2 values (1, 'b', 'c', 'magic'), (100, 'b', 'c', 'magic');
  update t2 set c = 'd';
  update t2 set c = 'e', _pgq_ev_extra3 = 'other';
  update t2 set a = a where a = 1;
  perform expect('I:a,b|a=1&b=b|public.t2|~|magic|b!', 'U:a,b|a=1&b=b|public.t2|~|other|b!');
  perform expect_error('update t2 set b = ''x'' where a = 1', 'primary key update not allowed');
  perform expect_error('update t2 set b = ''x'' where a = 100', 'primary key update not allowed');  -- whatever when= says
  delete from t2;
  perform expect('D:a,b|a=1&b=b|public.t2|~|other|b!');

  call use_capture(i_way, 'logutriga', 't2', '{backup,ev_extra1=''public.orig''}');
  insert into t2 values (1, 'b', null, null); update t2 set b = 'n'; update t2 set _pgq_ev_extra3 = 'm'; delete from t2;
  perform expect('I:a|a=1&b=b&c|public.orig', 'U:a|a=1&b=n&c|public.orig|a=1&b=b&c',
                 'U:a|a=1&b=n&c|public.orig|a=1&b=n&c|m', 'D:a|a=1&b=n&c|public.orig|~|m');

  call use_capture(i_way, 'sqltriga', 't2', '{ignore=c,ev_type=''T''||a,backup}');
  insert into t2 values (1, 'b', 'c', null); update t2 set b = E'o''k\\'; update t2 set c = 'z';
  perform expect('T1|(a,b) values (''1'',''b'')|public.t2', E'T1|b=E''o''''k\\\\'' where a=''1''|public.t2|a=1&b=b');
  perform expect_error('update t2 set a = 2', 'primary key update not allowed');
  delete from t2;
  perform expect('T1|a=''1''|public.t2');

  call use_capture(i_way, 'logutriga', 't2', array['ev_data=1 from pg_class limit 1', 'ev_extra2=''a b'' /* a */ || b -- c', 'ev_type=null']);
  insert into t2 values (1, 'B');
  perform expect('~|1|public.t2|a bB');
  call use_capture(i_way, 'logutriga', 't2', array['ev_extra2=x from generate_series(1,2) x']);
  perform expect_error('delete from t2', 'Expect 1 row from override query, got 2');
  call use_capture(i_way, 'logutriga', 't2', array['when=null::bool']);
  perform expect_error('delete from t2', 'when= should not be NULL');
  call use_capture(i_way, 'logutriga', 't2', array['when=a']);
  perform expect_error('delete from t2', 'when= query result must be boolean, got=23');
  call use_capture(i_way, 'logutriga', 't2', array['pkey=a,b', 'pkey=a', 'ignore=a', 'ignore=b', 'ev_type=''first''', 'ev_type=''second''']);
  delete from t2;
  perform expect('first|a=1&c|public.t2');  -- the last list, the first expression
  call use_capture(i_way, 'logutriga', 't2', '{pkey=}');
  insert into t2 values (1);
  perform expect('I:|a=1&b&c|public.t2');
  perform expect_error('delete from t2', 'Update/Delete on table without pkey');
  call use_capture(i_way, 'logutriga', 't2', '{}');
  delete from t2;
  perform expect('D:a|a=1&b&c|public.t2');

  call use_capture(i_way, 'sqltriga', 'Odd Tab', '{backup}');
  insert into "Odd Tab" values (1, 'x y', 'v'); update "Odd Tab" set "select" = 'w'; delete from "Odd Tab";
  perform expect('I|("Key A",b,"select") values (''1'',''x y'',''v'')|public.Odd Tab',
                 'U|"select"=''w'' where "Key A"=''1'' and b=''x y''|public.Odd Tab|Key+A=1&b=x+y&select=v',
                 'D|"Key A"=''1'' and b=''x y''|public.Odd Tab');
  call use_capture(i_way, 'logutriga', 'Odd Tab', '{}');
  insert into "Odd Tab" values (1, 'x y', 'v'); delete from "Odd Tab";
  perform expect('I:b,Key A|Key+A=1&b=x+y&select=v|public.Odd Tab', 'D:b,Key A|Key+A=1&b=x+y&select=v|public.Odd Tab');
  call use_capture(i_way, 'jsontriga', 'Odd Tab', '{backup}');
  insert into "Odd Tab" values (1, 'x y', 'v'); update "Odd Tab" set "select" = 'w'; delete from "Odd Tab";
  perform expect('{"op":"INSERT","table":["public","Odd Tab"],"pkey":["b","Key A"]}|{"Key A":1,"b":"x y","select":"v"}|public.Odd Tab',
                 '{"op":"UPDATE","table":["public","Odd Tab"],"pkey":["b","Key A"]}|{"Key A":1,"b":"x y","select":"w"}|public.Odd Tab|{"Key A":1,"b":"x y","select":"v"}',
                 '{"op":"DELETE","table":["public","Odd Tab"],"pkey":["b","Key A"]}|{"Key A":1,"b":"x y","select":"w"}|public.Odd Tab');

  call use_capture(i_way, 'logutriga', 'nopk', '{}');
  insert into nopk values (1, 'b');
  perform expect('I:|a=1&b=b|public.nopk');
  perform expect_error('update nopk set b = ''c''', 'Update/Delete on table without pkey');
  perform expect_error('delete from nopk', 'Update/Delete on table without pkey');
  update nopk set b = 'c' where false;
  call use_capture(i_way, 'sqltriga', 'nopk', '{pkey=a}');
  insert into nopk values (null, 'n');
  perform expect_error('delete from nopk where a is null', 'logtriga: Unexpected NULL key value');
  set local session_replication_role = replica; delete from nopk; set local session_replication_role = origin;
  perform expect('I|(a,b) values (null,''n'')|public.nopk');
end $$;
call check_arguments('generated');
call check_arguments('hand');

-- SKIP: the event is written, the row is not; before triggers let rows pass otherwise.
select skytools.create_capture('q', 'public.odd_src', 'zzz_cap', 'logutriga', 'before', 'I', '{SKIP}');
insert into odd_src values (1);
select expect('I:|x=1|public.odd_src');
do $$ begin assert not exists (select from odd_src); end $$;
select skytools.create_capture('q', 'public.odd_src', 'zzz_cap', 'logutriga', 'before', 'I', '{}');
insert into odd_src values (2);
select expect('I:|x=2|public.odd_src');
do $$ begin assert (select x from odd_src) = 2; end $$;

-- Refusals
select expect_error($$select skytools.create_capture('q', 'public.odd_src', 'c', 'logutriga', 'after', 'I', '{SKIP}')$$, 'SKIP does not work in AFTER trigger.');
select expect_error($$select skytools.create_capture('q', 'public.odd_src', 'c', 'logutriga', 'after', 'I', '{skip}')$$, 'bad param to pgq trigger');
select expect_error($$select skytools.create_capture('none', 'public.odd_src', 'c', 'logutriga', 'after', 'I', '{}')$$, 'No such queue');
select expect_error($$select skytools.create_capture('q', 'public.missing', 'c', 'logutriga', 'after', 'I', '{}')$$, 'table public.missing does not exist', '42P01');
select expect_error($$select skytools.create_capture('q', 'public.t2', 'c', 'logutriga', 'after', 'I', '{"pkey=a,nono"}')$$,
                    'pkey= names column "nono", which table public.t2 does not have', '42703');
create trigger no_such_column after insert on t2 for each row execute function pgq.jsontriga('q', 'pkey=nono');
select expect_error('insert into t2 values (6)', 'pkey= names column "nono", which table public.t2 does not have', '42703');
drop trigger no_such_column on t2;
create view v as select 1 as a;
create unlogged table ul (a int primary key);
select expect_error($$select skytools.create_capture('q', 'public.v', 'c', 'logutriga', 'after', 'I', '{}')$$, 'public.v is a view%', '42809');
select expect_error($$select skytools.create_capture('q', 'public.ul', 'c', 'logutriga', 'after', 'I', '{}')$$, 'public.ul is an unlogged table%', '42809');
select expect_error($$select skytools.create_truncate_capture('q', 'public.t2', 'c', '{ignore=a}')$$, 'Column ignore does not make sense for truncate trigger');
select expect_error($$select skytools.create_truncate_capture('q', 'public.t2', 'c', '{pkey=a}')$$, 'Custom pkey_list does not make sense for truncate trigger');
select expect_error($$select skytools.create_truncate_capture('q', 'public.t2', 'c', '{backup}')$$, 'Backup does not make sense for truncate trigger');
select expect_error($$select skytools.create_truncate_capture('q', 'public.t2', 'c', '{when=true}')$$, 'Custom expressions do not make sense for truncater trigger');
create table bad_magic (a int primary key, _pgq_ev_nonsense text);
select expect_error($$select skytools.create_capture('q', 'public.bad_magic', 'c', 'logutriga', 'after', 'I', '{}')$$, 'Unknown magic column: _pgq_ev_nonsense');
create trigger no_queue after insert on bad_magic for each row execute function pgq.logutriga();
select expect_error('insert into bad_magic values (1)', 'pgq trigger must have destination queue as argument');
create trigger per_statement after insert on nopk execute function pgq.logutriga('q');
select expect_error('insert into nopk values (1)', 'pgq Ins/Upd/Del trigger must be fired FOR EACH ROW');

-- deny and truncate
select skytools.create_capture('none here', 'public.t2', 'cap', 'logutriga', 'after', 'IUD', '{deny}');
select skytools.create_truncate_capture('none here', 'public.t2', 'cap_truncate', '{deny}');
select expect_error('insert into t2 values (5)', 'Table ''public.t2'' to queue ''none here'': change not allowed (INSERT)');
select expect_error('truncate t2', 'Table ''public.t2'' to queue ''none here'': change not allowed (TRUNCATE)');
set session_replication_role = local; insert into t2 values (5); reset session_replication_role;
select expect_error('update t2 set b = 1', 'Table ''public.t2'' to queue ''none here'': change not allowed (UPDATE)');
select expect_error('delete from t2', 'Table ''public.t2'' to queue ''none here'': change not allowed (DELETE)');
delete from t2 where false;
select skytools.drop_capture('public.t2', 'cap'), skytools.drop_capture('public.t2', 'cap_truncate'), skytools.drop_capture('public.t2', 'cap');
do $$ begin assert not exists (select from pg_trigger where tgrelid = 't2'::regclass and tgname like 'cap%'); end $$;
drop trigger by_hand on t2;
select skytools.create_truncate_capture('q', 'public.t2', 'cap_truncate', '{}');
truncate t2;
select expect('R||public.t2');
select skytools.drop_capture('public.t2', 'cap_truncate');
create trigger json_truncate after truncate on t2 execute function pgq.jsontriga('q');
truncate t2;
select expect('{"op":"TRUNCATE","table":["public","t2"],"pkey":["a"]}|{}|public.t2');
