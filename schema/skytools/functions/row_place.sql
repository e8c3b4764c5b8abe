-- skytools.row_place(row) → tid, where this session last saw the row of that name; NULL if it never did
-- skytools.keep_row_place(row, place): remembers it until the session ends, or the transaction rolls back
--
-- Why: a row that every batch updates leaves old versions. While some transaction holds xmin, they cannot go, and each look
-- by the row's key walks through all of them. A look by its place reads one. It is only a hint: whoever uses it compares the
-- key, too, and without success looks by the key as always (see docs/decisions). Errors: 22P02 when the setting
-- skytools.row_<md5 of the name> was set to something else by hand.

create or replace function skytools.row_place(i_row text)
returns tid language sql stable as $$
    select nullif(current_setting('skytools.row_' || md5(i_row), true), '')::tid
$$;

comment on function skytools.row_place(text) is 'where this session last saw the row of that name; NULL if it never did';

create or replace function skytools.keep_row_place(i_row text, i_place tid)
returns void language plpgsql as $$
begin
    perform set_config('skytools.row_' || md5(i_row), i_place::text, false);
end;
$$;

comment on function skytools.keep_row_place(text, tid) is 'remembers for this session where the row of that name is';
