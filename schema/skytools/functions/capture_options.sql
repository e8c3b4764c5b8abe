-- Parses the arguments of a capture trigger that follow the queue name.
--
-- The language is that of pgq.logutriga: SKIP, backup, deny, ignore=a,b, pkey=a,b, when=E and ev_type|ev_data|ev_extra1..4=E.
-- Lists are comma separated, blanks around names do not count, names are exact. Errors: XX000 like the original's.
-- o_pkey and o_pkey_text are NULL without pkey=; o_expressions maps the option to its SQL text. Of an option given twice the last
-- list and the first expression count.
create or replace function skytools.capture_options(
    i_args text[],
    out o_skip boolean, out o_backup boolean, out o_deny boolean,
    out o_ignore text[], out o_pkey text[], out o_pkey_text text, out o_expressions jsonb)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  v_arg text;
  v_name text;
  v_value text;
begin
  o_skip := false; o_backup := false; o_deny := false;
  o_ignore := '{}'; o_expressions := '{}';
  foreach v_arg in array coalesce(i_args, '{}') loop
    v_name := split_part(v_arg, '=', 1);
    v_value := substr(v_arg, length(v_name) + 2);
    if v_arg = 'SKIP' then
      o_skip := true;
    elsif v_arg = 'backup' then
      o_backup := true;
    elsif v_arg = 'deny' then
      o_deny := true;
    elsif v_arg like 'ignore=%' then
      o_ignore := regexp_split_to_array(btrim(v_value), '\s*,\s*');
    elsif v_arg like 'pkey=%' then
      o_pkey := case when btrim(v_value) = '' then '{}' else regexp_split_to_array(btrim(v_value), '\s*,\s*') end;
      o_pkey_text := v_value;
    elsif v_arg like '%=%' and v_name in ('when', 'ev_type', 'ev_data', 'ev_extra1', 'ev_extra2', 'ev_extra3', 'ev_extra4') then
      o_expressions := jsonb_build_object(v_name, v_value) || o_expressions;
    else
      raise exception 'bad param to pgq trigger' using errcode = 'XX000', detail = v_arg;
    end if;
  end loop;
end
$$;
comment on function skytools.capture_options(text[]) is
  'Parses the arguments of a capture trigger that follow the queue name.';
