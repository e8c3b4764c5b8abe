-- londiste.local_add_seq(queue, seq): this node uses the sequence. A root publishes its value at once.
--   200 Sequence added: s
--   201 Sequence already added: s
--   400 Sequence not found: s            no such sequence in the database
--   404 Unknown sequence: s              the set does not have it
-- Raises `queue does not exist: q` without a node.

create or replace function londiste.local_add_seq(
    in i_queue_name text,
    in i_seq_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_seq   text := londiste.make_fqname(i_seq_name);
    v_root  boolean;
    v_old   record;
begin
    if londiste.find_seq_oid(v_seq) is null then
        select 400, 'Sequence not found: ' || v_seq into ret_code, ret_note;
        return;
    end if;

    v_root := pgq_node.is_root_node(i_queue_name);
    select s.local, s.last_value into v_old
        from londiste.seq_info s where s.queue_name = i_queue_name and s.seq_name = v_seq for update;
    if not found and not v_root then
        select 404, 'Unknown sequence: ' || v_seq into ret_code, ret_note;
        return;
    elsif v_old.local then
        select 201, 'Sequence already added: ' || v_seq into ret_code, ret_note;
        return;
    end if;

    if v_root then
        insert into londiste.seq_info (queue_name, seq_name, local, last_value) values (i_queue_name, v_seq, true, 0)
            on conflict on constraint seq_info_pkey do update set local = true, last_value = 0;
        perform londiste.root_check_seqs(i_queue_name);
    else
        update londiste.seq_info s set local = true where s.queue_name = i_queue_name and s.seq_name = v_seq;
        perform pgq.seq_setval(v_seq, v_old.last_value);
    end if;
    select 200, 'Sequence added: ' || v_seq into ret_code, ret_note;
end;
$$ language plpgsql;

comment on function londiste.local_add_seq(text, text) is
'Uses a sequence on this node: 200, 201 already used, 400 missing in the database, 404 unknown to the set.';
