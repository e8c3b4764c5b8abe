-- pgq.version() → text
-- The API level, then who made it. Tickers look at the first character and want '3' or more.

create or replace function pgq.version()
returns text language plpgsql as $$
begin
    return '3.5.0-skytools';
end;
$$;

comment on function pgq.version() is 'API version of the pgq schema';
