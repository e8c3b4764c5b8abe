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
-- In READ COMMITTED only. Errors: none.

create or replace function skytools.renew_consumer_id(i_consumer_id integer)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
    v_name   text;
    v_queues integer[];   -- those where the row could be locked
    v_new_id integer;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        return false;
    end if;
    select co_name into v_name from pgq.consumer where co_id = i_consumer_id for update skip locked;
    if not found then
        return false;
    end if;
    select array_agg(l.sub_queue) into v_queues
      from (select s.sub_queue from pgq.queue q
              join pgq.subscription s on s.sub_queue = q.queue_id and s.sub_consumer = i_consumer_id
               for update of s skip locked) l;
    if exists (select from pgq.queue q
                 join pgq.subscription s on s.sub_queue = q.queue_id and s.sub_consumer = i_consumer_id
                where q.queue_id <> all (v_queues)
                   or exists (select from pgq.consumer m
                                join pgq.subscription ms on ms.sub_queue = q.queue_id and ms.sub_consumer = m.co_id
                               where starts_with(m.co_name, v_name || '.') and ms.sub_id = s.sub_id)) then
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
