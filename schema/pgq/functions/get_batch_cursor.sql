-- pgq.get_batch_cursor(batch, cursor, limit [, filter]) → setof events, the first rows of the batch
-- Declares a cursor over the batch and returns the first `limit` rows through it; the caller fetches the rest. The cursor
-- name is quoted as given: Cur X has to be fetched as "Cur X". A limit of 0 or less only declares. The cursor
-- ends with the transaction, so use a transaction block. The filter is SQL over the ev_* columns, run with the caller's rights.
-- NULL for batch, cursor or limit: no rows and no cursor. Errors: batch not found, and whatever the filter brings.

create or replace function pgq.get_batch_cursor(
    i_batch_id bigint, i_cursor_name text, i_quick_limit integer, i_extra_where text,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry integer, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record language plpgsql as $$
declare
    v_sql text;
begin
    if i_batch_id is null or i_cursor_name is null or i_quick_limit is null then
        return;
    end if;
    v_sql := pgq.batch_event_sql(i_batch_id);
    if i_extra_where is not null then
        -- line ends keep a comment in the filter from swallowing the rest
        v_sql := E'select * from (\n' || v_sql || E'\n) batch where (' || i_extra_where || E'\n) order by 1';
    end if;
    execute 'declare ' || quote_ident(i_cursor_name) || ' no scroll cursor for ' || v_sql;

    if i_quick_limit > 0 then
        return query execute 'fetch ' || i_quick_limit || ' from ' || quote_ident(i_cursor_name);
    end if;
end;
$$;

comment on function pgq.get_batch_cursor(bigint, text, integer, text) is
    'declares a cursor over a batch, filtered if wanted, and returns its first rows';

create or replace function pgq.get_batch_cursor(
    i_batch_id bigint, i_cursor_name text, i_quick_limit integer,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry integer, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record language plpgsql strict as $$
begin
    return query select * from pgq.get_batch_cursor(i_batch_id, i_cursor_name, i_quick_limit, null);
end;
$$;

comment on function pgq.get_batch_cursor(bigint, text, integer) is
    'declares a cursor over a batch and returns its first rows';
