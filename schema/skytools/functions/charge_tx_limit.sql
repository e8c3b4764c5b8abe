-- skytools.charge_tx_limit(queue name, queue id, limit, events about to be inserted) → void
-- Counts events per (queue, top-level transaction) for pgq.queue.queue_per_tx_limit; called only where a limit is set.
-- The count lives in the transaction-local setting skytools.tx_events_<queue_id> = '<txid>:<events>': it needs no table, and
-- a rolled back savepoint takes its events out of the count. It guards against runaway statements, not against a
-- producer who resets the setting on purpose.
-- Errors: Queue '<name>' allows max <n> events from one TX.

create or replace function skytools.charge_tx_limit(i_queue text, i_queue_id integer, i_limit integer, i_events bigint)
returns void language plpgsql as $$
declare
    v_setting text := 'skytools.tx_events_' || i_queue_id;
    v_seen    text := pg_catalog.current_setting(v_setting, true);
    v_txid    text := pg_catalog.txid_current()::text;
    v_total   bigint := i_events;
begin
    if pg_catalog.split_part(v_seen, ':', 1) = v_txid then
        v_total := v_total + pg_catalog.split_part(v_seen, ':', 2)::bigint;
    end if;
    if v_total > i_limit then
        raise exception 'Queue ''%'' allows max % events from one TX', i_queue, i_limit;
    end if;
    perform pg_catalog.set_config(v_setting, v_txid || ':' || v_total, true);
end;
$$;

comment on function skytools.charge_tx_limit(text, integer, integer, bigint) is
    'adds events to this transaction''s count for the queue; fails above queue_per_tx_limit';
