-- True when the generated function i_function exists with this body, these settings and this comment.
create or replace function skytools.capture_matches(i_function text, i_body text, i_header text, i_comment text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (
    select 1
      from pg_proc p
     where p.pronamespace = 'skytools'::regnamespace and p.proname = i_function
       and p.prosrc = i_body
       and p.prosecdef = (i_header like '%security definer%')
       and coalesce(array_length(p.proconfig, 1), 0) = (length(i_header) - length(replace(i_header, 'set ', ''))) / 4
       and (i_comment is null or obj_description(p.oid, 'pg_proc') = i_comment))
$$;
comment on function skytools.capture_matches(text, text, text, text) is 'True when a generated function is as planned.';
