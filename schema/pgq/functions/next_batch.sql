-- pgq.next_batch(queue, consumer) → bigint, the batch id; NULL when there is no new tick
-- While a batch is open the same id comes again. Errors: those of next_batch_custom.

create or replace function pgq.next_batch(i_queue_name text, i_consumer_name text)
returns bigint language sql as $$
    select (pgq.next_batch_custom(i_queue_name, i_consumer_name, null, null, null)).batch_id
$$;

comment on function pgq.next_batch(text, text) is 'opens the consumer''s next batch, or repeats the open one; NULL if none';
