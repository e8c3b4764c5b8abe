-- Every option of the three triggers, alone and in pairs; errors and the order of checks; magic columns; expressions.

select pgq.create_queue('q');
create table t2 (a int primary key, b text, c text, _pgq_ev_extra3 text);
create table nopk (a int, b text);

-- fire(kind, options, table, when): what insert, key change, update, no-op, delete and truncate do under a trigger. Undone.
create function fire(i_kind text, i_options text[], i_table text default 't2', i_when text default 'after') returns text language plpgsql as $$
declare
  v_out text := '';
  v_sql text;
begin
  set local session_replication_role = local;
  delete from t2; delete from nopk;
  insert into t2 values (1, 'b', 'c', 'm'), (200, 'b', 'c', null); insert into nopk values (1, 'b');
  set local session_replication_role = origin;
  foreach v_sql in array array['insert into %I values (2, ''x'')', 'update %I set a = 3 where a = 1', 'update %I set b = ''new'' where a = 1', 'update %I set a = a where a = 1',
                               'update %I set b = ''far'' where a = 200', 'delete from %I where a = 1', 'truncate %I'] loop
    perform put_trigger(i_table, i_kind, i_options, i_when, case when v_sql like 'truncate%' then 'truncate' else 'insert or update or delete' end,
                        case when v_sql like 'truncate%' then 'statement' else 'row' end);
    v_out := v_out || split_part(v_sql, ' ', 1) || ' ' || outcome(format(v_sql, i_table)) || ': '
          || coalesce((select string_agg(concat_ws('|', coalesce(ev_type, '~'), coalesce(ev_data, '~'), coalesce(ev_extra1, '~'), coalesce(ev_extra2, '~'), coalesce(ev_extra3, '~'), coalesce(ev_extra4, '~')), ' & ') from events()), 'none') || '; ';
  end loop;
  return v_out || (select count(*) from t2) || ' rows left';
end $$;
set client_min_messages = warning;
select kind, o, fire(kind, array['q', o]) from unnest('{logutriga,sqltriga,jsontriga}'::text[]) kind, unnest(array['backup', 'deny', 'SKIP', 'ignore=c', 'ignore=a', 'ignore=b', 'ignore= b ,c', 'ignore=a,b,c', 'ignore=',
  'ignore=nono', 'ignore=_pgq_ev_extra3', 'pkey=a', 'pkey=b', 'pkey=b,a', 'pkey=a,a', 'when=a<100', 'when=true', 'when=false', 'when=null', 'when=null::bool', 'when=a', 'when=''t''', 'when=true, 5', 'when=true from generate_series(1, 2)',
  'when=true where false', 'when=a = 1 or b is null', 'ev_type=''T''||a', 'ev_data=null', 'ev_extra1=b', 'ev_extra2=a+1', 'ev_extra3=''over''', 'ev_extra4=c', 'ev_extra4=(1/0)::text', 'bogus', '', 'BACKUP', 'skip', 'Deny', 'backup=1', 'SKIP=1', 'deny=1', 'ignore',
  'pkey', ' backup', 'backup ', 'ev_extra5=1', 'ev_extra1 =1', 'ev_id=1', 'when']) o;
select kind, o, fire(kind, array['q', o], 't2', 'before') from unnest('{logutriga,sqltriga,jsontriga}'::text[]) kind, unnest(array['backup', 'deny', 'SKIP', 'ignore=c', 'when=false', 'ev_extra2=b']) o;
select kind, o, fire(kind, array['q', o], 'nopk', w) from unnest('{logutriga,sqltriga,jsontriga}'::text[]) kind, unnest(array['backup', 'deny', 'SKIP', 'ignore=a', 'ignore=a,b', 'when=false', 'pkey=a', 'pkey=b', 'pkey=a,b']) o, unnest('{before,after}'::text[]) w;
with o as (select o from unnest(array['backup', 'deny', 'SKIP', 'ignore=b', 'ignore=a', 'pkey=a,b', 'pkey=b', 'when=a<100', 'ev_extra2=b', 'ev_type=c']) o)
select x.o, y.o, kind, w, fire(kind, array['q', x.o, y.o], 't2', w) from o x, o y, unnest('{before,after}'::text[]) w, (values ('logutriga')) k(kind) where x.o <= y.o order by 1, 2, 3, 4;
select o, fire('logutriga', o) from (values ('{q,ignore=b,ignore=c}'::text[]), ('{q,"ev_type=''x''","ev_type=''y''"}'), ('{q,"when=false","when=true"}'), ('{q,pkey=a,pkey=b}'), ('{q,bogus,deny}'), ('{q,deny,bogus}'),
  ('{none,deny}'), ('{none,bogus}'), ('{none,pkey=b}')) t(o) where o[1] = 'q' or o[2] in ('deny', 'bogus');
--! raised in PL/pgSQL; no client reads the class
--= P0001 No such queue
--= SELECT 1
select substring(fire('logutriga', '{none}') from 'P0001 No such queue|XX000 No such queue');

-- Levels; no arguments; called by hand.
create function statement_level(i_events text, i_options text[]) returns text language plpgsql as $$
begin
  perform put_trigger('t2', 'logutriga', i_options, 'after', i_events, 'statement');
  return outcome('insert into t2 values (50)') || ', ' || outcome('update t2 set b = b') || ', ' || outcome('delete from t2 where false');
end $$;
select e, o, statement_level(e, o) from unnest('{insert,update,delete,insert or update or delete}'::text[]) e, (values ('{q}'::text[]), ('{q,deny}'), ('{q,bogus}'), ('{q,SKIP}')) o(o);
drop trigger tg on t2;
create trigger tg after insert on t2 for each row execute function pgq.jsontriga();
insert into t2 values (60);
drop trigger tg on t2;
create trigger tg after truncate on t2 execute function pgq.sqltriga();
truncate t2;
drop trigger tg on t2;
--! the server's own words for a trigger function of PL/pgSQL
--= ERROR 0A000: trigger functions can only be called as triggers
select pgq.logutriga();

-- Lists of key columns that are not there or are empty.
create function key_list(i_kind text, i_pkey text) returns text language plpgsql as $$
declare
  v_out text;
begin
  set local session_replication_role = local; delete from t2; insert into t2 values (1, 'b'); set local session_replication_role = origin;
  perform put_trigger('t2', i_kind, array['q', 'pkey=' || i_pkey]);
  v_out := outcome('insert into t2 values (2)') || ', ' || outcome('update t2 set c = ''x'' where a = 1') || ', ' || outcome('delete from t2 where a = 1');
  return v_out || ': ' || coalesce((select string_agg(ev_type || '|' || ev_data, ' & ') from events()), 'none');
end $$;
select kind, pkey, key_list(kind, pkey) from unnest('{logutriga,sqltriga}'::text[]) kind, unnest(array['', ' a , b ', 'b,a', 'a,a', 'a,']) pkey where pkey <> 'a,';
--! names come without the blanks around them
--= ok, ok, ok: {"op":"INSERT","table":["public","t2"],"pkey":["a","b"]}|{"a":2,"b":null,"c":null} & {"op":"UPDATE","table":["public","t2"],"pkey":["a","b"]}|{"a":1,"b":"b","c":"x"} & {"op":"DELETE","table":["public","t2"],"pkey":["a","b"]}|{"a":1,"b":"b","c":"x"}
--= SELECT 1
select key_list('jsontriga', ' a , b ');
--! an empty list has no elements
--= ok, XX000 Update/Delete on table without pkey, XX000 Update/Delete on table without pkey: {"op":"INSERT","table":["public","t2"],"pkey":[]}|{"a":2,"b":null,"c":null}
--= SELECT 1
select key_list('jsontriga', '');
--! a key that the table does not have names no row; sqltriga's DELETE has no condition at all in the original
--= 42703 pkey= names column "nono", which table public.t2 does not have, 42703 pkey= names column "nono", which table public.t2 does not have, 42703 pkey= names column "nono", which table public.t2 does not have: none
--= SELECT 1
select key_list('sqltriga', 'nono');
--! a key that the table does not have names no row
--= 42703 pkey= names column "nono", which table public.t2 does not have, 42703 pkey= names column "nono", which table public.t2 does not have, 42703 pkey= names column "nono", which table public.t2 does not have: none
--= SELECT 1
select key_list('logutriga', 'a,nono');
--! a key that the table does not have names no row
--= 42703 pkey= names column "A", which table public.t2 does not have, 42703 pkey= names column "A", which table public.t2 does not have, 42703 pkey= names column "A", which table public.t2 does not have: none
--= SELECT 1
select key_list('jsontriga', 'A');

-- Expressions.
create table exprs (id int primary key, "Big" int, sel text, c char(5), ok bool, ts timestamp, arr int[], net inet, _pgq_ev_extra4 text);
create table nrm (id int, v text); insert into nrm values (7, 'seven'), (8, 'eight');
create sequence seen; create table written (x int);
create function writes() returns text language sql as 'insert into written values (1) returning x::text';
create schema far; create function far.away(text) returns text language sql as $$ select 'far ' || $1 $$;
create function ev(i_expression text) returns text language plpgsql as $$
declare
  v_out text;
begin
  perform put_trigger('exprs', 'logutriga', array['q', 'ev_extra1=' || i_expression]);
  v_out := outcome('update exprs set sel = sel');
  return v_out || ': ' || coalesce((select string_agg(coalesce(ev_extra1, '~'), '&') from events()), 'none');
end $$;
insert into exprs values (7, 3, 's', 'ab', true, '2026-01-02', '{1,2}', '1.2.3.4', 'm');
select e, ev(e) from unnest(array['id', 'id+1', 'c', 'ok', 'ts', 'arr', 'net', 'c || ''x''', 'ok::text', 'net::text', 'sel', '(select v from nrm where nrm.id = id)', '(select count(*) from nrm where id = id)', '(select count(*) from nrm n where n.id = id)',
  'ID', 'Big', '''id'' || $$id$$ || id', '''it''''s '' || id /* id ''*/ || id -- id', 'E''it\''s id'' || id', 'exprs.id', 'new.id', 'id::text || ok::int', 'length(c)', 'ts + interval ''1 day''', 'arr[1] + id', 'count(*) from nrm', 'id from nrm where nrm.id = id', 'null', '''id''', '1, 2', '',
  '1; select 2', 'nosuchfunc()', 'nextval(''seen'')', 'writes()', 'current_user', 'id where false', '1 from generate_series(1, 3)', 'row(id, sel)', 'array[id]', 'id::numeric / 2', '_pgq_ev_extra4', '''2026-01-02''::date', 'case when id > 5 then sel else c end', 'away(sel)', 'far.away(sel)', 'id=7', '-id', 'id%2', 'id /**/ + /* id */ 1', '$a$ id $a$ || id']) e;
select count(*) from written;
set search_path = public, far;
select ev('away(sel)');
reset search_path;
--! a name in quotes is never bound, but no error of the parser either
--= 42703 column "Big" does not exist: none
--= SELECT 1
select ev('"Big"');
--! a name in quotes is left alone
--= ok: 7
--= SELECT 1
select ev('id::text collate "C"');

-- Values of expressions and columns do not depend on the writer's settings.
set datestyle = 'SQL, DMY'; set intervalstyle = sql_standard; set bytea_output = escape; set extra_float_digits = -5;
create table styled (id int primary key, d date, ts timestamp, tz timestamptz, iv interval, by bytea, f float8, g float4, ad date[], r daterange, x regclass);
select put_trigger('styled', 'logutriga', '{q,ev_extra2=ts,ev_extra3=''03/04/2026''::date,ev_extra4=by}');
--! ISO dates, postgres intervals, hex and all digits whatever the writer's settings; names with their schema
--= INSERT 0 1
--= I:id|id=1&d=2026-02-01&ts=2026-02-01+10%3a00%3a00&tz=2026-02-01+10%3a00%3a00%2b00&iv=1+mon+-2+days+%2b03%3a00%3a00&by=%5cx00ff&f=0.1&g=0.1&ad=%7b2026-02-01%7d&r=%5b2026-02-01%2c2026-02-03%29&x=public.t2|public.styled|2026-02-01 10:00:00|2026-04-03|\x00ff
--= SELECT 1
insert into styled values (1, '01/02/2026', '01/02/2026 10:00', '01/02/2026 10:00 UTC', '1 mon -2 days 3 hours', E'\\000\\377', 0.1, 0.1, '{01/02/2026}', '[01/02/2026,02/02/2026]', 't2'); select * from events();
select put_trigger('styled', 'jsontriga');
--! ISO dates, postgres intervals, hex and all digits whatever the writer's settings; names with their schema
--= UPDATE 1
--= {"op":"UPDATE","table":["public","styled"],"pkey":["id"]}|{"id":1,"d":"2026-02-02","ts":"2026-02-01T10:00:00","tz":"2026-02-01T10:00:00+00:00","iv":"1 mon -2 days +03:00:00","by":"\\x00ff","f":"0.1","g":"0.1","ad":"{2026-02-01}","r":"[2026-02-01,2026-02-03)","x":"public.t2"}|public.styled|~|~|~
--= SELECT 1
update styled set d = '02/02/2026'; select * from events();
reset datestyle; reset intervalstyle; reset bytea_output; reset extra_float_digits;

-- Magic columns.
create table magic (id int primary key, _pgq_ev_type text, _pgq_ev_data text, _pgq_ev_extra1 text, _pgq_ev_extra2 text, _pgq_ev_extra4 int, v text);
create function magic(i_kind text, i_options text[]) returns text language plpgsql as $$
begin
  set local session_replication_role = local; delete from magic; set local session_replication_role = origin;
  perform put_trigger('magic', i_kind, i_options);
  return outcome($x$insert into magic values (1, 'T', 'D', 'E1', 'E2', 4, 'v')$x$) || ', ' || outcome('update magic set _pgq_ev_type = null') || ', ' || outcome('update magic set id = id') || ', ' || outcome('update magic set v = null') || ', '
      || outcome('delete from magic') || ': ' || coalesce((select string_agg(concat_ws('|', coalesce(ev_type, '~'), coalesce(ev_data, '~'), coalesce(ev_extra1, '~'), coalesce(ev_extra2, '~'), coalesce(ev_extra3, '~'), coalesce(ev_extra4, '~')), ' & ') from events()), 'none');
end $$;
select kind, o, magic(kind, o) from unnest('{logutriga,sqltriga,jsontriga}'::text[]) kind, (values ('{q}'::text[]), ('{q,backup}'), ('{q,"ev_extra1=''z''"}'), ('{q,ignore=v}'), ('{q,ignore=_pgq_ev_type}'), ('{q,pkey=_pgq_ev_type}'), ('{q,pkey=v}'), ('{q,"ev_type=_pgq_ev_data"}')) o(o)
 where kind <> 'sqltriga' or o[2] is distinct from 'pkey=_pgq_ev_type';
alter table magic drop column _pgq_ev_data, drop column _pgq_ev_type;
select kind, magic(kind, '{q,backup}') from unnest('{logutriga,sqltriga,jsontriga}'::text[]) kind;
alter table magic add _pgq_ev_foo text;
select put_trigger('magic', 'logutriga'), outcome('insert into magic values (9)'), outcome('update magic set id = id'), outcome('delete from magic'), outcome('truncate magic');
select put_trigger('magic', 'logutriga', '{q,ignore=_pgq_ev_foo}'), outcome('insert into magic values (10)');
select put_trigger('magic', 'logutriga', '{q,deny}'), outcome('insert into magic values (11)');
