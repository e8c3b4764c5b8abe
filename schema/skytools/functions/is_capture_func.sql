-- True for the functions behind capture triggers: capture_<queue id>_<table oid>_<i|u|d|r|t> and capture_deny.
create or replace function skytools.is_capture_func(i_function oid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (select 1 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                  where p.oid = i_function and n.nspname = 'skytools' and p.prorettype = 'trigger'::regtype
                    and p.proname ~ '^capture_([0-9]+_[0-9]+_[iudrt]|deny)$')
$$;
comment on function skytools.is_capture_func(oid) is 'True for the functions behind capture triggers.';
