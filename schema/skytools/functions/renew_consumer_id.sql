-- skytools.renew_consumer_id(consumer id) → boolean, was it renewed
-- Gives a consumer a new co_id, in pgq.consumer and in all its subscriptions. Names, positions and batches stay.
--
-- Why: every batch updates the subscription twice. While some transaction holds xmin, the old versions cannot go, and each
-- look by the key (sub_queue, sub_consumer), and each check of its uniqueness, walks through all of them. Under a new
-- key there are none. Nothing is locked that somebody waits for, and older snapshots see what they saw before, which a table
-- rewritten or truncated would not give (see docs/decisions).
--
-- Nothing happens when another session holds one of the rows, as registering and finishing a batch do; the next call comes soon.
-- Nor for the main consumer of a cooperative group, whose id the functions of pgq_coop keep while they work.
-- jit: a scan that cannot be avoided costs so much with enable_seqscan off that it would be compiled each time, in 10 ms.
-- In READ COMMITTED only. Errors: none.

create or replace function skytools.renew_consumer_id(i_consumer_id integer)
returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_name    text;
    v_queues  integer[];   -- those where the row could be locked
    v_ids     integer[];   -- sub_id there
    v_members integer[];   -- who may belong to a group of this consumer, by the name
    v_new_id  integer;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        return false;
    end if;
    select co_name into v_name from pgq.consumer where co_id = i_consumer_id for update skip locked;
    if not found then
        return false;
    end if;
    -- Each subscription by its whole key, as in pgq.next_batch_custom: a join may walk through the versions of all.
    select coalesce(array_agg(l.sub_queue), '{}'), array_agg(l.sub_id) into v_queues, v_ids
      from pgq.queue q
     cross join lateral (select sub_queue, sub_id from pgq.subscription
                          where sub_queue = q.queue_id and sub_consumer = i_consumer_id
                            for update skip locked) l;
    if exists (select from pgq.queue q
                cross join lateral (select from pgq.subscription
                                     where sub_queue = q.queue_id and sub_consumer = i_consumer_id offset 0) s
                where q.queue_id <> all (v_queues)) then
        return false;
    end if;
    v_members := array(select co_id from pgq.consumer where starts_with(co_name, v_name || '.'));
    if exists (select from unnest(v_queues, v_ids) s (queue_id, sub_id)
                cross join unnest(v_members) m (co_id)
                cross join lateral (select sub_id from pgq.subscription
                                     where sub_queue = s.queue_id and sub_consumer = m.co_id offset 0) ms
                where ms.sub_id = s.sub_id) then
        return false;
    end if;

    v_new_id := nextval('pgq.consumer_co_id_seq');
    -- one statement: the foreign key is checked at its end
    with consumer as (
        update pgq.consumer set co_id = v_new_id where co_id = i_consumer_id
    )
    update pgq.subscription set sub_consumer = v_new_id
     where sub_queue = any (v_queues) and sub_consumer = i_consumer_id;
    return true;
end;
$$;

comment on function skytools.renew_consumer_id(integer) is
    'gives a consumer a new id, under which there are no dead versions of its subscriptions; false if it is busy';
