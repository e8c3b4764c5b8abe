-- skytools.answer_batch(batch, retry ids, their seconds, dead ids, their reasons) → integer
-- The end of a batch in one call: 1 when it was open, its exceptions are kept and it is finished; 0 with a WARNING when it is
-- unknown or finished already, and then nothing is written. Events that are not named are done.
-- Seconds NULL, the array or an element: the delay of the queue's policy (skytools.set_queue_policy). Retries over the
-- policy's limit become dead letters. NULL arrays are empty ones.
-- Batches of cooperative groups are finished as well.
-- Errors: event not found: <id> · 22023 arrays of different length.

create or replace function skytools.answer_batch(
    i_batch_id bigint, i_retry_ids bigint[], i_retry_seconds integer[], i_dead_ids bigint[], i_dead_reasons text[])
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s         record;
    v_retries integer := coalesce(cardinality(i_retry_ids), 0);
    v_dead    integer := coalesce(cardinality(i_dead_ids), 0);
begin
    if cardinality(i_retry_seconds) not in (v_retries) or cardinality(i_dead_reasons) not in (v_dead) then
        raise exception 'batch %: % retries with % delays, % dead with % reasons', i_batch_id,
            v_retries, cardinality(i_retry_seconds), v_dead, cardinality(i_dead_reasons) using errcode = '22023';
    end if;

    -- the lock makes a second answer wait and then find nothing
    select sub_queue, sub_consumer into s from pgq.subscription where sub_batch = i_batch_id for no key update;
    if not found then
        raise warning 'answer_batch: batch % not found', i_batch_id;
        return 0;
    end if;

    if v_retries + v_dead > 0 then
        perform skytools.return_events(
            i_batch_id,
            coalesce(i_retry_ids, '{}') || coalesce(i_dead_ids, '{}'),
            array(select make_interval(secs => (i_retry_seconds[:])[nr]) from generate_series(1, v_retries) nr order by nr)
                || array_fill(null::interval, array[v_dead]),
            array_fill(null::text, array[v_retries])
                || coalesce(i_dead_reasons, array_fill(null::text, array[v_dead])),
            array_fill(false, array[v_retries]) || array_fill(true, array[v_dead]));
    end if;

    -- finish_batch of an extension knows no groups
    if to_regprocedure('pgq_coop.finish_batch(bigint)') is not null
       and skytools.coop_member(s.sub_queue, s.sub_consumer) then
        perform pgq_coop.finish_batch(i_batch_id);
    else
        perform pgq.finish_batch(i_batch_id);
    end if;
    return 1;
end;
$$;

comment on function skytools.answer_batch(bigint, bigint[], integer[], bigint[], text[]) is
    'finishes a batch with some of its events retried or dead; 0 if there is no such batch';
