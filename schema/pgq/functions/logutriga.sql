-- pgq.logutriga(queue, arguments …): trigger function that queues each changed row in url-encoded form.
--
-- ev_type  I:, U: or D: and the key columns joined with commas (U:id,lang); R for TRUNCATE
-- ev_data  name=value pairs in attribute order joined with &; NULL is a bare name; bytes 0-9 A-Z a-z _ . - stay, space is +,
--          others are %xx in lower case
-- ev_extra1 is schema.table; ev_extra2 the old row with `backup`. Arguments after the queue, in any order:
--   SKIP               BEFORE ROW only: the row is queued but not stored
--   ignore=a,b         columns left out; an update of nothing else makes no event
--   pkey=a,b           key instead of the primary key, of columns that exist; changing a key column is refused
--   backup, deny       old row of an UPDATE into ev_extra2; any change is an error
--   ev_type=E … ev_extra4=E, when=E   SQL over the row's columns, with the writer's rights
-- Columns named _pgq_ev_type, _pgq_ev_data, _pgq_ev_extra1 … 4 are not data but fill that field.
-- Nothing happens under session_replication_role `local`. Errors are XX000; insert_event's come through.
--
-- Made for hand-made triggers: it reads the catalogue for every row. skytools.create_capture generates functions that do not.
create or replace function pgq.logutriga() returns trigger
language plpgsql as $$
begin
  if not skytools.capture_by_hand('logutriga', tg_relid, tg_when, tg_level, tg_op, tg_argv, new, old) then
    return null;
  end if;
  return coalesce(new, old);
end
$$;
comment on function pgq.logutriga() is 'Trigger function: queues changed rows in url-encoded form.';
