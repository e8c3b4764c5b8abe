-- pgq.batch_event_sql(batch) → text, one SELECT that returns the batch's events, ten columns, ordered by event id
-- The batch between snapshots L and C is what C shows and L does not. Almost all of it has ids between the two xmax; what
-- was running at L and ended before C has lower ids. Such an id widens the range downwards if it is at most 100 below, else
-- it is looked up by itself, so one long transaction does not make every batch read everything back to its start.
--   range  start <= ev_txid < xmax(C), visible in C, not in L
--   list   ev_txid in (…), all below start: no visibility test needed, no overlap with the range
-- Both use the index on ev_txid, in every table of batch_event_tables. Retried events (ev_owner) only for their owner.
-- get_batch_cursor relies on one SELECT with a trailing order by 1.
-- Errors: batch not found · could not construct sql for batch <n>.

create or replace function pgq.batch_event_sql(x_batch_id bigint)
returns text language plpgsql set enable_seqscan = off as $$
declare
    b        record;
    v_start  bigint;             -- lowest id of the range part
    v_list   bigint[] := '{}';   -- single ids below it
    v_txid   bigint;
    v_table  text;
    v_part   text;
    v_parts  text[] := '{}';
begin
    with s as materialized (     -- by the batch, not by a join: see pgq.next_batch_custom
        select * from pgq.subscription where sub_batch = x_batch_id
    )
    select s.sub_id, last.tick_snapshot as last, cur.tick_snapshot as cur into b
      from s
      join lateral (select * from pgq.tick where tick_queue = s.sub_queue and tick_id = s.sub_last_tick offset 0) last on true
      join lateral (select * from pgq.tick where tick_queue = s.sub_queue and tick_id = s.sub_next_tick offset 0) cur on true;
    if not found then
        raise exception 'batch not found';
    end if;

    v_start := txid_snapshot_xmax(b.last);
    for v_txid in
        select id from txid_snapshot_xip(b.last) id where txid_visible_in_snapshot(id, b.cur) order by id desc
    loop
        if v_txid >= v_start - 100 then
            v_start := v_txid;
        else
            v_list := v_list || v_txid;
        end if;
    end loop;

    for v_table in select * from pgq.batch_event_tables(x_batch_id) loop
        v_part := 'select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4'
               || ' from ' || pgq.quote_fqname(v_table)
               || ' where (ev_owner is null or ev_owner = ' || b.sub_id || ')';
        v_parts := v_parts || (v_part || ' and ev_txid >= ' || v_start || ' and ev_txid < ' || txid_snapshot_xmax(b.cur)
                                      || ' and txid_visible_in_snapshot(ev_txid, ' || quote_literal(b.cur) || ')'
                                      || ' and not txid_visible_in_snapshot(ev_txid, ' || quote_literal(b.last) || ')');
        if v_list <> '{}' then
            v_parts := v_parts || (v_part || ' and ev_txid in (' || array_to_string(v_list, ', ') || ')');
        end if;
    end loop;
    if v_parts = '{}' then
        raise exception 'could not construct sql for batch %', x_batch_id;
    end if;
    return array_to_string(v_parts, E'\nunion all ') || E'\norder by 1';
end;
$$;

comment on function pgq.batch_event_sql(bigint) is 'the SELECT that returns the events of an open batch';
