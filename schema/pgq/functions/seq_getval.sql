-- pgq.seq_getval(sequence) → bigint, its last_value; nothing is consumed
-- Errors: 42P01 no such sequence.

create or replace function pgq.seq_getval(i_seq_name text)
returns bigint language plpgsql strict as $$
declare
    v_value bigint;
begin
    execute 'select last_value from ' || pgq.quote_fqname(i_seq_name) into v_value;
    return v_value;
end;
$$;

comment on function pgq.seq_getval(text) is 'last_value of a sequence, without advancing it';
