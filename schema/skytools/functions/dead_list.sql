-- skytools.dead_list(queue [, consumer [, limit]]) → setof dead letters, by queue, consumer and the time they were given up
-- NULL queue: all queues; NULL consumer: all; NULL limit: no limit. A cooperative group's letters show its main consumer.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer>.

create or replace function skytools.dead_list(
    i_queue_name text, i_consumer_name text default null, i_limit integer default null)
returns table (
    queue_name text, consumer_name text, dead_time timestamptz, reason text, ev_id bigint, ev_time timestamptz,
    ev_txid bigint, ev_retry integer, ev_type text, ev_data text,
    ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
language plpgsql stable as $$
declare
    v_sub_id integer;
begin
    if i_consumer_name is not null then
        select s.sub_id into v_sub_id from skytools.subscription_of(i_queue_name, i_consumer_name) s;
    elsif i_queue_name is not null and not exists (select from pgq.queue q where q.queue_name = i_queue_name) then
        raise exception 'No such event queue';
    end if;

    return query
        select q.queue_name, c.co_name, d.dead_time, d.reason, d.ev_id, d.ev_time, d.ev_txid, d.ev_retry,
               d.ev_type, d.ev_data, d.ev_extra1, d.ev_extra2, d.ev_extra3, d.ev_extra4
          from skytools.dead_letter d
          join pgq.queue q on q.queue_id = d.queue_id
          join (select s.sub_id, s.sub_consumer from pgq.subscription s
                 where not skytools.coop_member(s.sub_queue, s.sub_consumer)) s on s.sub_id = d.sub_id
          join pgq.consumer c on c.co_id = s.sub_consumer
         where (i_queue_name is null or q.queue_name = i_queue_name)
           and (v_sub_id is null or d.sub_id = v_sub_id)
         order by q.queue_name, c.co_name, d.dead_time, d.ev_id
         limit i_limit;
end;
$$;

comment on function skytools.dead_list(text, text, integer) is 'dead letters of a queue or of one consumer, oldest first';
