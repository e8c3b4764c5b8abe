-- pgq_node.demote_root(queue, step, new_provider) → (ret_code, ret_note, last_tick): turns a root into a branch.
-- Each step is a transaction of its own, in READ COMMITTED.
--   0  undo of steps 1 and 2: open for writing again       200 Step 0: Writing enabled for: q
--      Only while the last tick made by step 2 is not the start of another root.
--   1  close the queue for events and ticks                200 Step 1: Writing disabled for: q
--   2  wait for open writers, make the last tick           200 Step 2: Inserted last tick: q      + last_tick
--      Repeatable; each run makes another tick.
--   3  become a branch of new_provider                     200 Step 3: Demoted root to branch: q  + last_tick
--   301 Node not root
--   404 Node not initialized for queue: q
-- Errors: `steps in wrong order` when step 1 did not run, `incorrect step number`.

create or replace function pgq_node.demote_root(
    in i_queue_name text,
    in i_step integer,
    in i_new_provider text,
    out ret_code integer,
    out ret_note text,
    out last_tick bigint)
returns record as $$
declare
    v_type      text;
    v_worker    text;
    v_queue     record;
begin
    select n.node_type, n.worker_name into v_type, v_worker
        from pgq_node.node_info n where n.queue_name = i_queue_name for update;
    if not found then
        select 404, 'Node not initialized for queue: ' || i_queue_name into ret_code, ret_note;
        return;
    elsif v_type <> 'root' then
        select 301, 'Node not root' into ret_code, ret_note;
        return;
    end if;

    select * into strict v_queue from pgq.queue q where q.queue_name = i_queue_name;
    if i_step > 1 and not (v_queue.queue_disable_insert and v_queue.queue_external_ticker) then
        raise exception 'steps in wrong order';
    end if;

    case i_step
    when 0, 1 then
        update pgq.queue q
            set queue_disable_insert = (i_step = 1), queue_external_ticker = (i_step = 1)
            where q.queue_id = v_queue.queue_id;
        perform skytools.adopt_queues();   -- the mark of step 2 has its place in what that makes
        if i_step = 0 then
            perform skytools.note_closing(v_queue.queue_id, false);
        end if;
        select 200, case i_step when 1 then 'Step 1: Writing disabled for: '
                                       else 'Step 0: Writing enabled for: ' end || i_queue_name
            into ret_code, ret_note;

    when 2 then
        if current_setting('transaction_isolation') <> 'read committed' then
            raise exception 'the last tick needs a snapshot taken after all writers ended: use READ COMMITTED';
        end if;
        -- Waits for a tick that was begun before step 1 (key of the ticker's lock per queue), then for every open
        -- writer; readers pass. The tick itself is no insert of an event, so the closed queue does not refuse it.
        perform pg_advisory_xact_lock(1397446517, v_queue.queue_id);
        execute 'lock table ' || pgq.quote_fqname(v_queue.queue_data_pfx) || ' in exclusive mode';
        -- A producer that read the queue's row before step 1 is seen here; one whose snapshot is as old comes any time later.
        perform 1 from pgq.queue q where q.queue_id = v_queue.queue_id for no key update;
        perform skytools.note_closing(v_queue.queue_id, true);
        last_tick := nextval(pgq.quote_fqname(v_queue.queue_tick_seq)::regclass);
        perform pgq.ticker(i_queue_name, last_tick, clock_timestamp(),
                           nextval(pgq.quote_fqname(v_queue.queue_event_seq)::regclass));
        select 200, 'Step 2: Inserted last tick: ' || i_queue_name into ret_code, ret_note;

    when 3 then
        select t.tick_id into strict last_tick
            from pgq.tick t where t.tick_queue = v_queue.queue_id
            order by t.tick_queue desc, t.tick_id desc limit 1;
        update pgq_node.node_info n set node_type = 'branch' where n.queue_name = i_queue_name;
        update pgq_node.local_state s
            set provider_node = i_new_provider, last_tick_id = demote_root.last_tick, uptodate = false
            where s.queue_name = i_queue_name and s.consumer_name = v_worker;
        select 200, 'Step 3: Demoted root to branch: ' || i_queue_name into ret_code, ret_note;

    else
        raise exception 'incorrect step number';
    end case;
    perform pg_notify('skytools_node', i_queue_name);
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.demote_root(text, integer, text) is
'Turns a root into a branch in steps 1, 2, 3; step 0 takes 1 and 2 back. 200 with the last tick, 301, 404.';
