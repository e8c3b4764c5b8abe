-- skytools.coop_leave(queue id, consumer id) → integer, 1 left, 0 had left before
-- Takes a member out of its cooperative group. An open batch stays for the others: the row keeps both ticks and loses the
-- batch id, so its owner can't finish it any more, rotation keeps the events, and pgq_coop.next_batch gives it to the next
-- member that asks. Without a batch, or without a main consumer left, the row goes at once.
-- The caller holds the locks on the consumer and the subscription. Errors: none.

create or replace function skytools.coop_leave(i_queue_id integer, i_consumer_id integer)
returns integer language plpgsql as $$
declare
    me record;
begin
    select * into me from pgq.subscription where sub_queue = i_queue_id and sub_consumer = i_consumer_id;
    if me.sub_next_tick is not null
       and exists (select from pgq.subscription o
                    where o.sub_queue = i_queue_id and o.sub_id = me.sub_id and o.sub_consumer <> i_consumer_id
                      and not skytools.coop_member(o.sub_queue, o.sub_consumer))
    then
        update pgq.subscription set sub_batch = null, sub_active = now()
         where sub_queue = i_queue_id and sub_consumer = i_consumer_id and sub_batch is not null;
        return case when found then 1 else 0 end;
    end if;

    delete from pgq.subscription where sub_queue = i_queue_id and sub_consumer = i_consumer_id;
    perform skytools.drop_unused_consumer(i_consumer_id);
    return 1;
end;
$$;

comment on function skytools.coop_leave(integer, integer) is
    'takes a member out of its cooperative group and leaves its open batch to the others';
