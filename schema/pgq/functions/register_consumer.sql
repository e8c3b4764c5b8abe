-- pgq.register_consumer(queue, consumer) → integer, 1 registered now, 0 was registered
-- A new consumer starts at the newest tick. Errors: those of register_consumer_at.

create or replace function pgq.register_consumer(x_queue_name text, x_consumer_id text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return pgq.register_consumer_at(x_queue_name, x_consumer_id, null);
end;
$$;

comment on function pgq.register_consumer(text, text) is 'registers a consumer at the newest tick; 1 new, 0 already there';
