-- pgq_node.register_location(queue, node, location, dead) → 200 Location registered
-- A new member needs a location (libpq string). For a known one a NULL location keeps the old; dead is always set.
-- On a root the change goes to all nodes as pgq.location-info: data node, extra1 queue, extra2 location or NULL
-- (unchanged), extra3 true/false. A node that is unknown and comes without location stores and sends nothing.
-- Errors: dead NULL violates NOT NULL (23502).

create or replace function pgq_node.register_location(
    in i_queue_name text,
    in i_node_name text,
    in i_node_location text,
    in i_dead boolean,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_type text;
begin
    select n.node_type into v_type
        from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;

    update pgq_node.node_location l
        set node_location = coalesce(i_node_location, l.node_location), dead = i_dead
        where l.queue_name = i_queue_name and l.node_name = i_node_name;
    if not found and i_node_location is not null then
        insert into pgq_node.node_location (queue_name, node_name, node_location, dead)
            values (i_queue_name, i_node_name, i_node_location, i_dead);
    elsif not found then
        v_type := null;
    end if;

    if v_type = 'root' then
        perform pgq.insert_event(i_queue_name, 'pgq.location-info', i_node_name,
                                 i_queue_name, i_node_location, i_dead::text, null);
    end if;
    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Location registered' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.register_location(text, text, text, boolean) is
'Adds or changes a member of the set; a root tells all other nodes. 200.';
