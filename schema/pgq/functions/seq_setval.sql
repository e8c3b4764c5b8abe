-- pgq.seq_setval(sequence, value) → bigint, what the sequence stands at afterwards
-- Raises a sequence, never lowers it.
-- Errors: 42P01 no such sequence.

create or replace function pgq.seq_setval(i_seq_name text, i_new_value bigint)
returns bigint language plpgsql strict as $$
declare
    v_value bigint := pgq.seq_getval(i_seq_name);
begin
    if i_new_value > v_value then
        v_value := pg_catalog.setval(pgq.quote_fqname(i_seq_name)::regclass, i_new_value);
    end if;
    return v_value;
end;
$$;

comment on function pgq.seq_setval(text, bigint) is 'raises a sequence to at least the value, returns where it stands';
