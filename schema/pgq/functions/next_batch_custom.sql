-- pgq.next_batch_custom(queue, consumer, min_lag, min_count, min_interval) → one row: the batch with both its ticks, or NULLs
-- An open batch is returned again, whatever the limits. Otherwise the batch ends at the next tick, or, with min_count or
-- min_interval, at a tick far enough away (find_tick_helper); and not before that tick is min_lag old.
-- The subscription is always looked up by its whole key: its table is small, but may be full of dead versions, and a plan made
-- for a small table would walk through them. Hence no join that the planner could do on half of a key, and enable_seqscan; the
-- same for the ticks, of which there may be many more than when the plan was made: offset 0 keeps each look-up by itself.
-- An idle call only reads. To open a batch the row is updated on the condition that nobody else was faster; a
-- second session of the same consumer waits there and then gets the first one's batch.
-- A paused consumer (skytools.pause_consumer) gets nothing, not even its open batch.
-- Errors: Not subscriber to queue: <queue>/<consumer> · PgQ corruption: Consumer <c> on queue <q> does not see tick <n> ·
--   consumer <c> on queue <q> is a subconsumer and has no batch of its own.

create or replace function pgq.next_batch_custom(
    i_queue_name text, i_consumer_name text, i_min_lag interval, i_min_count integer, i_min_interval interval,
    out batch_id bigint, out cur_tick_id bigint, out prev_tick_id bigint,
    out cur_tick_time timestamptz, out prev_tick_time timestamptz,
    out cur_tick_event_seq bigint, out prev_tick_event_seq bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
    v_row constant text := 'consumer ' || i_consumer_name;
    s     record;   -- subscription with the ticks it names
    cur   record;   -- end tick of a batch to open
begin
    loop
        select sub.sub_queue, sub.sub_consumer, sub.sub_batch,
               last.tick_id as last_id, last.tick_time as last_time, last.tick_event_seq as last_seq,
               next.tick_id as next_id, next.tick_time as next_time, next.tick_event_seq as next_seq,
               exists (select from skytools.paused_consumer p where p.sub_id = sub.sub_id) as paused
          into s
          from pgq.subscription sub
          left join lateral (select * from pgq.tick
                              where tick_queue = sub.sub_queue and tick_id = sub.sub_last_tick offset 0) last on true
          left join lateral (select * from pgq.tick
                              where tick_queue = sub.sub_queue and tick_id = sub.sub_next_tick offset 0) next on true
         where sub.sub_queue = (select queue_id from pgq.queue where queue_name = i_queue_name)
           and sub.sub_consumer = coalesce(
                   (select co_id from pgq.consumer
                     where ctid = skytools.row_place(v_row) and co_name = i_consumer_name),
                   (select co_id from pgq.consumer where co_name = i_consumer_name));
        if not found then
            raise exception 'Not subscriber to queue: %/%',
                coalesce(i_queue_name, 'NULL'), coalesce(i_consumer_name, 'NULL');
        elsif (s.last_id is null or s.sub_batch is null and s.next_id is not null)
              and skytools.coop_member(s.sub_queue, s.sub_consumer) then
            raise exception 'consumer % on queue % is a subconsumer and has no batch of its own',
                i_consumer_name, i_queue_name
                using hint = 'pgq_coop.next_batch() opens batches of a cooperative group.';
        elsif s.last_id is null then
            raise exception 'PgQ corruption: Consumer % on queue % does not see tick %',
                i_consumer_name, i_queue_name, s.last_id;
        elsif s.paused then
            return;
        end if;

        if s.sub_batch is not null then
            batch_id := s.sub_batch;
            cur_tick_id := s.next_id;
            cur_tick_time := s.next_time;
            cur_tick_event_seq := s.next_seq;
            exit;
        end if;

        if i_min_count is null and i_min_interval is null then
            select tick_id, tick_time, tick_event_seq into cur from pgq.tick
             where tick_queue = s.sub_queue and tick_id > s.last_id
             order by tick_queue, tick_id limit 1;
        else
            select next_tick_id as tick_id, next_tick_time as tick_time, next_tick_seq as tick_event_seq into cur
              from pgq.find_tick_helper(s.sub_queue, s.last_id, s.last_time, s.last_seq, i_min_count, i_min_interval);
        end if;
        if cur.tick_id is null or now() - cur.tick_time < i_min_lag then
            return;
        end if;

        update pgq.subscription
           set sub_batch = nextval('pgq.batch_id_seq'), sub_next_tick = cur.tick_id, sub_active = now()
         where sub_queue = s.sub_queue and sub_consumer = s.sub_consumer
           and sub_batch is null and sub_last_tick = s.last_id
        returning sub_batch into batch_id;
        if found then
            cur_tick_id := cur.tick_id;
            cur_tick_time := cur.tick_time;
            cur_tick_event_seq := cur.tick_event_seq;
            -- More than 64 kB are dead versions in most databases: then a new key, for every 128th tick; see there.
            if s.last_id / 128 <> cur.tick_id / 128 and pg_relation_size('pgq.subscription') > 65536 then
                perform skytools.renew_consumer_id(s.sub_consumer);
                perform skytools.keep_row_place(v_row, ctid) from pgq.consumer where co_name = i_consumer_name;
            end if;
            exit;
        end if;
        -- another session of this consumer opened, finished or moved meanwhile: look again
    end loop;

    prev_tick_id := s.last_id;
    prev_tick_time := s.last_time;
    prev_tick_event_seq := s.last_seq;
end;
$$;

comment on function pgq.next_batch_custom(text, text, interval, integer, interval) is
    'opens the consumer''s next batch of at least the given age, event count or time span; repeats an open one';
