-- skytools.renew_retry_queue() → integer, always 0
-- Writes the waiting rows of pgq.retry_queue into a fresh table file, without the versions that vacuum cannot remove while
-- some transaction holds xmin. pgq.maint_retry_events walks through those, from the oldest on, at every call.
-- pgq.maint_operations asks for it when the table is large; with more than 10 000 waiting rows it is not dead ones that make it so.
--
-- Gives up when the table is in use: the exclusive lock is waited for 50 ms, and held for the copy, which is made in memory:
-- so it leaves alone more than 16 MB of texts, too. In READ COMMITTED only: an older snapshot would not show all rows.
-- A REPEATABLE READ transaction with an older snapshot sees an empty table afterwards. That is harmless here, and only here:
-- it finds nothing to move, and what it adds is checked against the rows that are there (see docs/decisions).
-- Errors: none.

create or replace function skytools.renew_retry_queue()
returns integer language plpgsql security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '50ms' as $$
declare
    v_rows  pgq.retry_queue[];
    v_large boolean;
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        return 0;
    end if;
    -- the lengths are known without reading the texts themselves
    select count(*) > 10000 or coalesce(sum(bytes), 0) > 16 * 1024 * 1024 into v_large
      from (select coalesce(octet_length(ev_data), 0)::bigint
                   + coalesce(octet_length(ev_extra1), 0) + coalesce(octet_length(ev_extra2), 0)
                   + coalesce(octet_length(ev_extra3), 0) + coalesce(octet_length(ev_extra4), 0) as bytes
              from pgq.retry_queue limit 10001) waiting;
    if v_large then
        return 0;
    end if;
    begin
        lock table pgq.retry_queue in access exclusive mode;
    exception when lock_not_available then
        return 0;
    end;
    select array_agg(r) into v_rows from pgq.retry_queue r;
    truncate pgq.retry_queue;
    insert into pgq.retry_queue select * from unnest(v_rows);
    return 0;
end;
$$;

comment on function skytools.renew_retry_queue() is
    'rewrites pgq.retry_queue without its dead versions, unless it is in use';
