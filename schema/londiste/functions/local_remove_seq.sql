-- londiste.local_remove_seq(queue, seq): this node no longer uses the sequence; on a root it leaves the set.
--   200 Sequence removed: s
--   400 Sequence not found: s (root) | 404 Sequence not found: s (elsewhere)
-- Raises `queue does not exist: q` without a node.

create or replace function londiste.local_remove_seq(
    in i_queue_name text,
    in i_seq_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_seq text := londiste.make_fqname(i_seq_name);
begin
    if pgq_node.is_root_node(i_queue_name) then
        select g.ret_code, g.ret_note into ret_code, ret_note
            from londiste.global_remove_seq(i_queue_name, v_seq) g;
        return;
    end if;

    update londiste.seq_info s set local = false
        where s.queue_name = i_queue_name and s.seq_name = v_seq and s.local;
    if found then
        select 200, 'Sequence removed: ' || v_seq into ret_code, ret_note;
    else
        select 404, 'Sequence not found: ' || v_seq into ret_code, ret_note;
    end if;
end;
$$ language plpgsql strict;

comment on function londiste.local_remove_seq(text, text) is
'Stops using a sequence on this node; on the root it leaves the set: 200, 400 or 404 when unknown.';
