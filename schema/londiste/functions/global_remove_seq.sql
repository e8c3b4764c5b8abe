-- londiste.global_remove_seq(queue, seq): the sequence leaves the set; a root tells the other nodes.
--   200 Sequence removed: s
--   400 Sequence not found: s

create or replace function londiste.global_remove_seq(
    in i_queue_name text,
    in i_seq_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_seq text := londiste.make_fqname(i_seq_name);
begin
    delete from londiste.seq_info s where s.queue_name = i_queue_name and s.seq_name = v_seq;
    if not found then
        select 400, 'Sequence not found: ' || v_seq into ret_code, ret_note;
        return;
    end if;
    if pgq_node.is_root_node(i_queue_name) then
        perform londiste.root_notify_change(i_queue_name, 'londiste.remove-seq', v_seq);
    end if;
    select 200, 'Sequence removed: ' || v_seq into ret_code, ret_note;
end;
$$ language plpgsql strict;

comment on function londiste.global_remove_seq(text, text) is
'Removes a sequence from the set: 200, 400 when it is unknown.';
