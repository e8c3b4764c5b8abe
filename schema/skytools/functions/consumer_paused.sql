-- skytools.consumer_paused(queue, consumer) → boolean; false also for a consumer that is not registered
-- Errors: none.

create or replace function skytools.consumer_paused(i_queue_name text, i_consumer_name text)
returns boolean language sql stable as $$
    select exists (select from skytools.paused_consumer p
                     join pgq.subscription s on s.sub_id = p.sub_id
                     join pgq.queue q on q.queue_id = s.sub_queue
                     join pgq.consumer c on c.co_id = s.sub_consumer
                    where q.queue_name = i_queue_name and c.co_name = i_consumer_name)
$$;

comment on function skytools.consumer_paused(text, text) is 'is this consumer paused?';
