-- ev_type of a row event: `I:id,lang` (logutriga), `I` (sqltriga), `{"op":"INSERT","table":["s","t"],"pkey":["id"]}` (jsontriga).
-- A TRUNCATE is R but in JSON. i_key_text: the list as the trigger's pkey= has it, NULL without.
create or replace function skytools.capture_event_type(
    i_kind text, i_op text, i_schema text, i_name text, i_key text[], i_key_text text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  return case
    when i_kind = 'jsontriga' then
      format('{"op":"%s","table":[%s,%s],"pkey":%s}', i_op, to_json(i_schema), to_json(i_name), to_json(i_key))
    when i_op = 'TRUNCATE' then 'R'
    when i_kind = 'sqltriga' then left(i_op, 1)
    else left(i_op, 1) || ':' || coalesce(i_key_text, array_to_string(i_key, ',')) end;
end
$$;
comment on function skytools.capture_event_type(text, text, text, text, text[], text) is
  'ev_type of a row event of a hand-made pgq trigger.';
