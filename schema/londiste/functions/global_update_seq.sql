-- londiste.global_update_seq(queue, seq, value): a value published by the root; a sequence used here moves forward.
--   200 Sequence updated
--   402 Must not run on root node
--   404 Set not found: q

create or replace function londiste.global_update_seq(
    in i_queue_name text,
    in i_seq_name text,
    in i_value bigint,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_seq   text := londiste.make_fqname(i_seq_name);
    v_type  text;
    v_local boolean;
begin
    select n.node_type into v_type from pgq_node.node_info n where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Set not found: ' || i_queue_name into ret_code, ret_note;
        return;
    elsif v_type = 'root' then
        select 402, 'Must not run on root node' into ret_code, ret_note;
        return;
    end if;

    insert into londiste.seq_info as s (queue_name, seq_name, last_value) values (i_queue_name, v_seq, i_value)
        on conflict on constraint seq_info_pkey do update set last_value = excluded.last_value
        returning s.local into v_local;
    if v_local then
        perform pgq.seq_setval(v_seq, i_value);
    end if;
    select 200, 'Sequence updated' into ret_code, ret_note;
end;
$$ language plpgsql;

comment on function londiste.global_update_seq(text, text, bigint) is
'Stores a published sequence value and moves the local sequence forward: 200, 402 on the root, 404.';
