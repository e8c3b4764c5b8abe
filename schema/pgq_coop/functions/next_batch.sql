-- pgq_coop.next_batch(queue, consumer, subconsumer [, dead interval]) → bigint batch id, NULL: nothing to do
-- next_batch_custom without limits on the batch's size. Errors: those of next_batch_custom.

create or replace function pgq_coop.next_batch(i_queue_name text, i_consumer_name text, i_subconsumer_name text)
returns bigint language plpgsql as $$
begin
    return pgq_coop.next_batch_custom(i_queue_name, i_consumer_name, i_subconsumer_name, null, null, null, null);
end;
$$;

comment on function pgq_coop.next_batch(text, text, text) is 'opens a batch of the group for this worker, or repeats its open one';

create or replace function pgq_coop.next_batch(
    i_queue_name text, i_consumer_name text, i_subconsumer_name text, i_dead_interval interval)
returns bigint language plpgsql as $$
begin
    return pgq_coop.next_batch_custom(i_queue_name, i_consumer_name, i_subconsumer_name, null, null, null, i_dead_interval);
end;
$$;

comment on function pgq_coop.next_batch(text, text, text, interval) is
    'the same; a member silent for the interval loses its batch to this worker';
