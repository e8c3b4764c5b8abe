-- londiste.find_seq_oid(name) → oid of the sequence with that unquoted name, or NULL.

create or replace function londiste.find_seq_oid(seq text)
returns oid as $$
begin
    return londiste.find_rel_oid(seq, 'S');
end;
$$ language plpgsql stable strict;

comment on function londiste.find_seq_oid(text) is 'The sequence with that unquoted name, or NULL.';
