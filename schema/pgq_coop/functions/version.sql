-- pgq_coop.version() → text: the API level, then who made it.

create or replace function pgq_coop.version()
returns text language plpgsql as $$
begin
    return '3.4.0-skytools';
end;
$$;

comment on function pgq_coop.version() is 'API version of the pgq_coop schema';
