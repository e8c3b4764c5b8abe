-- londiste.root_check_seqs(queue[, buffer]): keeps what subscribers know of sequences ahead of the root's values.
--   100 Sequences updated
--   402 Not a root node
--   404 Queue not found: q
-- A sequence whose value comes within `buffer` (default 10000, also for values below 10) of the published one is
-- published again, 3 × buffer ahead: event londiste.update-seq, data value, extra1 name. So no event per nextval, and
-- a new root never repeats a value. Runs in the ticker's maintenance: a queue closed for writing, where publishing
-- would fail, waits for the next round.

create or replace function londiste.root_check_seqs(
    in i_queue_name text,
    in i_buffer bigint,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_type      text;
    v_closed    boolean;
    v_buffer    bigint := case when i_buffer >= 10 then i_buffer else 10000 end;
    v_seq       record;
    v_value     bigint;
begin
    select n.node_type, q.queue_disable_insert into v_type, v_closed
        from pgq_node.node_info n left join pgq.queue q on q.queue_name = n.queue_name
        where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Queue not found: ' || i_queue_name into ret_code, ret_note;
        return;
    elsif v_type <> 'root' then
        select 402, 'Not a root node' into ret_code, ret_note;
        return;
    elsif v_closed then
        select 100, 'Queue is closed for writing, sequences not checked' into ret_code, ret_note;
        return;
    end if;

    for v_seq in
        select s.seq_name, s.last_value
        from londiste.seq_info s
        where s.queue_name = i_queue_name and s.local
        order by s.nr
        for update
    loop
        v_value := pgq.seq_getval(v_seq.seq_name);
        if v_value + v_buffer >= v_seq.last_value then
            v_value := v_value + 3 * v_buffer;
            perform pgq.insert_event(i_queue_name, 'londiste.update-seq', v_value::text,
                                     v_seq.seq_name, null, null, null);
            update londiste.seq_info s set last_value = v_value
                where s.queue_name = i_queue_name and s.seq_name = v_seq.seq_name;
        end if;
    end loop;
    select 100, 'Sequences updated' into ret_code, ret_note;
end;
$$ language plpgsql;

create or replace function londiste.root_check_seqs(
    in i_queue_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    select r.ret_code, r.ret_note into ret_code, ret_note from londiste.root_check_seqs(i_queue_name, null) r;
end;
$$ language plpgsql;

comment on function londiste.root_check_seqs(text, bigint) is
'Publishes sequences of a root that came near their published value: 100, 402, 404.';
comment on function londiste.root_check_seqs(text) is
'Publishes sequences of a root that came within 10000 of their published value: 100, 402, 404.';
