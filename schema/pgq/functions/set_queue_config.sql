-- pgq.set_queue_config(queue, parameter, value as text) → integer, 1
-- Parameters: ticker_max_count, ticker_max_lag, ticker_idle_period, ticker_paused, rotation_period, external_ticker. Other
-- columns of pgq.queue are for a plain UPDATE.
-- Errors: Invalid NULL value · No such event queue · cannot change parameter "<p>s" (the s is the original's, kept) ·
--   22004 NULL value · 22P02, 22007 not a value of the column's type · 22023 out of range.

create or replace function pgq.set_queue_config(x_queue_name text, x_param_name text, x_param_value text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_sane boolean;
begin
    if x_queue_name is null or x_param_name is null then
        raise exception 'Invalid NULL value';
    end if;
    if not exists (select from pgq.queue where queue_name = x_queue_name) then
        raise exception 'No such event queue';
    end if;
    if x_param_name not in ('ticker_max_count', 'ticker_max_lag', 'ticker_idle_period', 'ticker_paused',
                            'rotation_period', 'external_ticker') then
        raise exception 'cannot change parameter "%s"', x_param_name;
    end if;

    execute 'update pgq.queue set ' || quote_ident('queue_' || x_param_name) || ' = ' || quote_literal(x_param_value)
         || ' where queue_name = $1 returning queue_ticker_max_count > 0 and queue_ticker_max_lag >= $2'
            ' and queue_ticker_idle_period >= $2 and queue_rotation_period >= $2'
       into v_sane using x_queue_name, interval '0';
    if not v_sane then
        raise exception 'parameter % is out of range: %', x_param_name, x_param_value using errcode = '22023';
    end if;
    perform skytools.wake_ticker();
    return 1;
end;
$$;

comment on function pgq.set_queue_config(text, text, text) is 'changes a parameter of a queue';
