-- What is in which batch, with transactions that overlap ticks: three producers (b, c, d), one consumer (a).

select pgq.create_queue('q');
select pgq.register_consumer('q', 'c');
create function batch() returns table (events text, open text) language plpgsql as $$
declare
  v_batch bigint := pgq.next_batch('q', 'c');
begin
  events := (select coalesce(string_agg(ev_type || ':' || ev_data, ' ' order by nr), '') from pgq.get_batch_events(v_batch)
             with ordinality e(ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, x1, x2, x3, x4, nr));
  open := case when v_batch is null then 'none' when (select array_agg(ev_id) from pgq.get_batch_events(v_batch)) is not distinct from
            (select array_agg(ev_id) from pgq.get_batch_events(v_batch)) then 'the same again' end;
  if v_batch is not null then
    perform pgq.finish_batch(v_batch);
  end if;
  return next;
end $$;
create function put(i_data text) returns void language sql as $$ select pgq.insert_event('q', 't', i_data) $$;

--@ b
begin;
select put('b1');
--@ c
begin;
select put('c1');
--@ d
select put('d1');
--@ a
select tick('q');
select * from batch();
--@ c
select put('c2');
commit;
--@ a
select tick('q');
select * from batch();
--@ d
begin;
select put('d2');
savepoint s;
select put('d lost');
savepoint s2;
select put('d lost too');
rollback to s;
select put('d3');
savepoint s3;
select put('d4');
release s3;
--@ a
select tick('q');
select * from batch();
--@ d
commit;
--@ c
begin;
select put('c aborted');
rollback;
begin;
select put('c in error');
select 1 / 0;
select put('c after the error');
commit;
--@ a
select tick('q');
select * from batch();
--@ b
select put('b2');
commit;
--@ a
select tick('q');
select * from batch();
select * from batch();

-- A transaction open over many ticks and more than 100 ids; others in between, some below and some above the gap.
--@ b
begin;
select put('b3');
--@ c
begin;
select put('c3');
--@ a
call burn(60);
--@ d
begin;
select put('d5');
--@ a
call burn(150);
select tick('q');
select * from batch();
select tick('q'), tick('q'), tick('q');
select * from batch();
--@ d
commit;
--@ a
select * from batch();
select * from batch();
call burn(120);
select put('a1');
select tick('q');
select * from batch();
--@ c
commit;
--@ a
select tick('q');
select * from batch();
--@ b
select put('b4');
commit;
--@ a
select put('a2');
select tick('q');
select * from batch();

-- Ids spread so that some are joined to the range and some are listed.
create table prepared as select 0 as nr;
--@ b
begin;
select put('s1');
--@ a
call burn(90);
--@ c
begin;
select put('s2');
--@ a
call burn(95);
--@ d
begin;
select put('s3');
--@ e
begin;
select put('s4');
--@ a
call burn(205);
--@ f
begin;
select put('s5');
--@ a
call burn(5);
select tick('q');
select * from batch();
--@ b
commit;
--@ c
commit;
--@ e
commit;
--@ f
commit;
--@ a
select tick('q');
select * from batch();
--@ d
commit;
--@ a
select tick('q');
select * from batch();

-- A batch stays as it is while others write, also when it is read from another session and after a failure.
select put('x1');
select tick('q');
begin;
select pgq.next_batch('q', 'c') is not null;
rollback;
select pgq.next_batch('q', 'c') is not null;
--@ b
begin isolation level repeatable read;
select put('x2');
--@ a
select put('x3');
select tick('q');
select ev_type, ev_data from pgq.get_batch_events(pgq.next_batch('q', 'c'));
--@ c
begin isolation level serializable;
select ev_type, ev_data from pgq.get_batch_events(pgq.next_batch('q', 'c'));
commit;
--@ b
commit;
--@ a
select * from batch();
select * from batch();
select tick('q');
select * from batch();

-- Two-phase commit is a long transaction like others.
--@ b
begin;
select put('prepared');
prepare transaction 'peers';
--@ a
select put('meanwhile');
select tick('q');
select * from batch();
commit prepared 'peers';
select tick('q');
select * from batch();

-- The same consumer asks twice at the same time.
create table asked (who text, batch bigint);
select put('y1');
select tick('q');
--@ b
begin;
insert into asked select 'b', pgq.next_batch('q', 'c');
--@ c sends
insert into asked select 'c', pgq.next_batch('q', 'c');
--@ b
commit;
--@ c receives
--@ a
--! the second caller waits and gets the same batch; the original's gets one of its own, which makes the first unknown
--= b|t
--= c|t
--= SELECT 2
select who, batch = (select sub_batch from pgq.subscription) from asked order by 1;
select * from batch();

-- The text of a batch's query is one SELECT that may be wrapped, and may be run by others.
select put('z1');
select tick('q');
create function rows_of(i_sql text) returns table (ev_type text, ev_data text) language plpgsql as $$
begin
  return query execute 'select ev_type, ev_data from (' || i_sql || ') b order by ev_id';
end $$;
select * from rows_of(pgq.batch_event_sql(pgq.next_batch('q', 'c')));
select * from pgq.batch_event_tables(pgq.next_batch('q', 'c'));
select * from batch();
