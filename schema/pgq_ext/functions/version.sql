-- pgq_ext.version() → text: the API level.

create or replace function pgq_ext.version()
returns text language plpgsql as $$
begin
    return '3.1';
end;
$$;

comment on function pgq_ext.version() is 'API version of the pgq_ext schema';
