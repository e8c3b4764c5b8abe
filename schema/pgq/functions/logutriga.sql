-- pgq.logutriga(queue, arguments …): trigger function that queues each changed row in url-encoded form.
--
-- ev_type  I:, U: or D: and the key columns joined with commas (U:id,lang); R for TRUNCATE
-- ev_data  name=value pairs in attribute order joined with &; NULL is a bare name; bytes 0-9 A-Z a-z _ . - stay, space is +,
--          others are %xx in lower case
-- ev_extra1 is schema.table; ev_extra2 the old row with `backup`. Arguments after the queue, in any order:
--   SKIP               BEFORE ROW only: the row is queued but not stored
--   ignore=a,b         columns left out; an update of nothing else makes no event
--   pkey=a,b           key instead of the primary key; changing a key column is refused
--   backup, deny       old row of an UPDATE into ev_extra2; any change is an error
--   ev_type=E … ev_extra4=E, when=E   SQL over the row's columns, with the writer's rights
-- Columns named _pgq_ev_type, _pgq_ev_data, _pgq_ev_extra1 … 4 are not data but fill that field.
-- Nothing happens under session_replication_role `local`. Errors are XX000; insert_event's come through.
--
-- Made for hand-made triggers: it reads the catalogue for every row. skytools.create_capture generates functions that do not.
-- The SET clauses make values independent of the writer's output settings, but for lc_monetary.
create or replace function pgq.logutriga() returns trigger
language plpgsql
set datestyle = ISO set intervalstyle = postgres set bytea_output = hex set extra_float_digits = 3 as $$
declare
  s record;
  e record;
begin
  if pg_catalog.current_setting('session_replication_role') <> 'local' then
    select * into s from skytools.capture_hand_made(tg_relid, 'logutriga', tg_level, tg_when, tg_op, tg_argv);
    case tg_op
      when 'INSERT' then execute s.o_sql into e using new, new;
      when 'UPDATE' then execute s.o_sql into e using new, old;
      when 'DELETE' then execute s.o_sql into e using old, old;
      else execute s.o_sql into e;
    end case;
    if e.o0 then  -- else when= or ignore= says no
      perform pgq.insert_event(tg_argv[0], e.o1, e.o2, e.o3, e.o4, e.o5, e.o6);
    end if;
    if s.o_skip then
      return null;
    end if;
  end if;
  case tg_op
    when 'DELETE' then return old;
    when 'TRUNCATE' then return null;
    else return new;
  end case;
end
$$;
comment on function pgq.logutriga() is 'Trigger function: queues changed rows in url-encoded form.';
