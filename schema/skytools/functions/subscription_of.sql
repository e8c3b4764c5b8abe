-- skytools.subscription_of(queue, consumer) → sub_id, queue_id, consumer_id
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer>.

create or replace function skytools.subscription_of(
    i_queue_name text, i_consumer_name text, out sub_id integer, out queue_id integer, out consumer_id integer)
language plpgsql stable as $$
begin
    select s.sub_id, q.queue_id, s.sub_consumer into sub_id, queue_id, consumer_id
      from pgq.queue q
      left join pgq.subscription s
             on s.sub_queue = q.queue_id
            and s.sub_consumer = (select co_id from pgq.consumer where co_name = i_consumer_name)
     where q.queue_name = i_queue_name;
    if queue_id is null then
        raise exception 'No such event queue';
    elsif sub_id is null then
        raise exception 'Not subscriber to queue: %/%', i_queue_name, coalesce(i_consumer_name, 'NULL');
    end if;
end;
$$;

comment on function skytools.subscription_of(text, text) is 'ids of a registered consumer, or an error that tells what is missing';
