-- londiste.root_notify_change(queue, type, data) → 1: a root tells the set about a change by an event.
-- Raises `only root node can send events` elsewhere, `queue does not exist: q` without a node.

create or replace function londiste.root_notify_change(i_queue_name text, i_ev_type text, i_ev_data text)
returns integer as $$
begin
    if not coalesce(pgq_node.is_root_node(i_queue_name), false) then
        raise exception 'only root node can send events';
    end if;
    perform pgq.insert_event(i_queue_name, i_ev_type, i_ev_data);
    return 1;
end;
$$ language plpgsql;

comment on function londiste.root_notify_change(text, text, text) is
'Sends a londiste event to all nodes; raises unless the local node is root.';
