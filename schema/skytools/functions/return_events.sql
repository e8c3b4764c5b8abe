-- skytools.return_events(batch, event ids, delays, reasons, dead) → integer, how many events were kept
-- Takes events of an open batch out of its course, element by element of the four arrays of equal length: where `dead` is
-- true, or the event was retried as often as the queue's policy allows, into the dead letters with the reason; else into the
-- retry queue after the delay. A NULL delay is the policy's: retry_delay, times the factor for each retry there was, at most
-- retry_delay_max. An event that waits for its retry already is left as it is.
-- An id may come twice in a batch that was repositioned; the one with more retries counts then. Named twice, dead wins.
-- Errors: event not found: <id>.

create or replace function skytools.return_events(
    i_batch_id bigint, i_ids bigint[], i_delays interval[], i_reasons text[], i_dead boolean[])
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_queue  integer;
    v_owner  integer;
    p        skytools.queue_policy;
    v_kept   bigint[];
    v_wanted bigint;
begin
    select sub_queue, sub_id into v_queue, v_owner from pgq.subscription where sub_batch = i_batch_id;
    select * into p from skytools.queue_policy where queue_id = v_queue;

    execute 'with answer as materialized (
            select distinct on (id) id, delay, reason, coalesce(dead, false) as dead
              from unnest($1, $2, $3, $4) a (id, delay, reason, dead)
             order by id, dead desc nulls last
        ), event as materialized (
            select distinct on (e.ev_id) e.*, a.*,
                   a.dead or coalesce(e.ev_retry, 0) >= $5 as gives_up
              from (' || pgq.batch_event_sql(i_batch_id) || ') e
              join answer a on a.id = e.ev_id
             where e.ev_id = any ($1)
             order by e.ev_id, e.ev_retry desc nulls last
        ), retried as (
            insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry,
                                         ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
            select now() + coalesce(delay, make_interval(secs => least(
                       extract(epoch from $6)::float8 * exp(least(coalesce(ev_retry, 0) * ln($7), 50)),
                       extract(epoch from $8)::float8))),
                   $9, ev_id, ev_time, null, $10, coalesce(ev_retry, 0) + 1,
                   ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
              from event where gives_up is not true
            on conflict (ev_owner, ev_id) do nothing
        ), dead as (
            insert into skytools.dead_letter as old (sub_id, queue_id, reason, ev_id, ev_time, ev_txid, ev_retry,
                                                     ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
            select $10, $9, case when dead then reason
                                 else concat_ws('': '', ''retry limit of '' || $5 || '' reached'', reason) end,
                   ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
              from event where gives_up
            on conflict (sub_id, ev_id) do update
               set dead_time = excluded.dead_time, reason = excluded.reason, ev_txid = excluded.ev_txid,
                   ev_retry = excluded.ev_retry
        )
        select coalesce(array_agg(ev_id), ''{}'') from event'
       into v_kept
      using i_ids, i_delays, i_reasons, i_dead, p.retry_limit,
            coalesce(p.retry_delay, interval '60 seconds'), coalesce(p.retry_backoff, 2::float8),
            coalesce(p.retry_delay_max, interval '1 hour'), v_queue, v_owner;

    for v_wanted in select id from unnest(i_ids) id where id is null or not id = any (v_kept) limit 1 loop
        raise exception 'event not found: %', v_wanted;
    end loop;
    return cardinality(v_kept);
end;
$$;

comment on function skytools.return_events(bigint, bigint[], interval[], text[], boolean[]) is
    'moves events of an open batch to the retry queue or, given up or over the queue''s limit, to the dead letters';
