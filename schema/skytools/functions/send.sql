-- skytools.send(queue, type, data) → bigint, the event id. pgq.insert_event by a shorter name, errors as there.

create or replace function skytools.send(i_queue_name text, i_type text, i_data text)
returns bigint language sql as $$
    select pgq.insert_event(i_queue_name, i_type, i_data)
$$;

comment on function skytools.send(text, text, text) is 'puts an event into a queue, returns its id';

-- skytools.send(queue, type, array of data) → bigint, how many events
-- One event for each element, in the order of the array, NULL elements too; all or none. A multiple of the speed of single
-- calls. For the order of transaction id, queue row and insert see pgq.insert_event_raw.
-- Errors: those of pgq.insert_event.

create or replace function skytools.send(i_queue_name text, i_type text, i_data text[])
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_txid  bigint := txid_current();
    v_count bigint := coalesce(cardinality(i_data), 0);
    q       record;
begin
    if i_queue_name is null then
        raise exception 'Queue name must not be NULL';
    end if;
    select queue_id, queue_disable_insert, queue_per_tx_limit, queue_switch_step1,
           pgq.quote_fqname(queue_data_pfx || '_' || queue_cur_table) as event_table,
           pgq.quote_fqname(queue_event_seq) as event_seq
      into q from pgq.queue where queue_name = i_queue_name;
    if not found then
        raise exception 'No such queue';
    end if;
    if q.queue_disable_insert and current_setting('session_replication_role') <> 'replica' then
        raise exception 'Insert into queue disallowed';
    end if;
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        perform skytools.refuse_stale_snapshot(i_queue_name, q.queue_id, q.queue_switch_step1);
    end if;
    if v_count = 0 then
        return 0;
    end if;
    if q.queue_per_tx_limit is not null then
        perform skytools.charge_tx_limit(i_queue_name, q.queue_id, q.queue_per_tx_limit, v_count);
    end if;

    -- columns in the order of pgq.event_template
    execute 'insert into ' || q.event_table || ' select nextval(' || quote_literal(q.event_seq)
         || '), now(), $1, null, null, $2, d from unnest($3) d'
      using v_txid, i_type, i_data;
    perform skytools.refuse_closed(q.queue_id, 'Insert into queue disallowed');
    perform skytools.wake_ticker();
    return v_count;
end;
$$;

comment on function skytools.send(text, text, text[]) is
    'puts an event into a queue for each element of the array, returns how many';
