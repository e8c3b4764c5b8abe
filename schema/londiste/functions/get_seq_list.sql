-- londiste.get_seq_list(queue) → setof (seq_name, last_value, local) in order of nr; last_value is the published one.

create or replace function londiste.get_seq_list(
    in i_queue_name text,
    out seq_name text,
    out last_value bigint,
    out local boolean)
returns setof record as $$
begin
    return query
        select s.seq_name, s.last_value, s.local
        from londiste.seq_info s
        where s.queue_name = i_queue_name
        order by s.nr, s.seq_name;
end;
$$ language plpgsql strict;

comment on function londiste.get_seq_list(text) is
'Sequences of the set in order of registration, with published values.';
