-- pgq.next_batch(queue, consumer) → bigint, the batch id; NULL when there is no new tick
-- While a batch is open the same id comes again. Errors: those of next_batch_custom.

create or replace function pgq.next_batch(i_queue_name text, i_consumer_name text)
returns bigint language plpgsql as $$
declare
    v_batch_id bigint;
begin
    select b.batch_id into v_batch_id from pgq.next_batch_info(i_queue_name, i_consumer_name) b;
    return v_batch_id;
end;
$$;

comment on function pgq.next_batch(text, text) is 'opens the consumer''s next batch, or repeats the open one; NULL if none';
