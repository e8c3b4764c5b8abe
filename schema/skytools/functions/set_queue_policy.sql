-- skytools.set_queue_policy(queue, parameter, value as text) → integer, 1
-- retry_limit      how often an event may be retried before it becomes a dead letter; NULL: without limit
-- retry_delay      interval before the first retry where the consumer names none; default 60 seconds
-- retry_backoff    factor, 1 to 1000, from each retry to the next; default 2
-- retry_delay_max  interval, no delay made by the factor is longer; default 1 hour
-- NULL brings the default back.
-- Errors: Invalid NULL value · No such event queue · cannot change parameter "<p>" · 22P02, 22007 no value of that type ·
--   22023 out of range.

create or replace function skytools.set_queue_policy(i_queue_name text, i_param text, i_value text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_queue_id integer;
    p          skytools.queue_policy;
begin
    if i_queue_name is null or i_param is null then
        raise exception 'Invalid NULL value';
    end if;
    select queue_id into v_queue_id from pgq.queue where queue_name = i_queue_name;
    if not found then
        raise exception 'No such event queue';
    end if;

    insert into skytools.queue_policy (queue_id) values (v_queue_id) on conflict (queue_id) do nothing;
    if i_param = 'retry_limit' then
        update skytools.queue_policy set retry_limit = i_value::integer where queue_id = v_queue_id;
    elsif i_value is null and i_param in ('retry_delay', 'retry_backoff', 'retry_delay_max') then
        execute format('update skytools.queue_policy set %I = default where queue_id = $1', i_param) using v_queue_id;
    elsif i_param in ('retry_delay', 'retry_backoff', 'retry_delay_max') then
        execute format('update skytools.queue_policy set %I = %L where queue_id = $1', i_param, i_value) using v_queue_id;
    else
        raise exception 'cannot change parameter "%"', i_param;
    end if;

    select * into p from skytools.queue_policy where queue_id = v_queue_id;
    if p.retry_limit < 0 or p.retry_delay < interval '0' or p.retry_delay_max < interval '0'
       or p.retry_backoff not between 1 and 1000 then
        raise exception 'parameter % is out of range: %', i_param, i_value using errcode = '22023';
    end if;
    return 1;
end;
$$;

comment on function skytools.set_queue_policy(text, text, text) is
    'changes retry_limit, retry_delay, retry_backoff or retry_delay_max of a queue; NULL brings the default back';
