-- londiste._coordinate_copy(queue, table) → (copy_role, copy_pos): how the copy of one part of a merged table goes
-- along with the copies of the other parts, which write to the same local table.
--   lead         drop indexes, store their DDL, copy, then hold in catching-up until the role is gone, restore them
--   wait-copy    wait until the lead has dropped the indexes
--   wait-replay  copy without touching indexes, then hold in catching-up until the role is gone
--   NULL         copy alone
-- copy_pos: number of parts before this one that are being copied.
-- The group: local tables with the same destination in queues merged into the same combined queue (or into none),
-- as long as they are not `ok`. A group of one has no roles. Whoever holds stored DDL leads, else the smallest queue.

create or replace function londiste._coordinate_copy(
    in i_queue_name text,
    in i_table_name text,
    out copy_role text,
    out copy_pos integer)
returns record as $$
declare
    v_dest      text;
    v_combined  text;
    v_state     text;
    v_all       record;
    v_lead      boolean;
begin
    select coalesce(t.dest_table, t.table_name), n.combined_queue, t.merge_state
        into v_dest, v_combined, v_state
        from londiste.table_info t join pgq_node.node_info n on n.queue_name = t.queue_name
        where t.queue_name = i_queue_name and t.table_name = i_table_name;
    if not found then
        return;
    end if;

    select count(*) as n_total,
           count(*) filter (where t.merge_state <> 'in-copy') as n_done,
           min(t.queue_name) as first_queue,
           min(t.queue_name) filter (where t.dropped_ddl is not null) as ddl_queue,
           count(*) filter (where t.merge_state = 'in-copy' and t.queue_name < i_queue_name) as n_before
        into v_all
        from londiste.table_info t join pgq_node.node_info n on n.queue_name = t.queue_name
        where coalesce(t.dest_table, t.table_name) = v_dest
            and n.combined_queue is not distinct from v_combined
            and t.local and t.merge_state is distinct from 'ok';

    copy_pos := 0;
    if v_all.n_total <= 1 then
        return;
    end if;
    v_lead := i_queue_name = coalesce(v_all.ddl_queue, v_all.first_queue);
    if not v_lead and v_state = 'in-copy' then
        copy_pos := v_all.n_before;
    end if;

    copy_role := case
        when v_lead and v_state = 'in-copy' then
            case when v_all.ddl_queue is null and v_all.n_done > 0 then 'wait-replay'
                 when v_all.n_done < v_all.n_total then 'lead' end
        when v_lead and v_state = 'catching-up' then
            case when v_all.ddl_queue is not null and v_all.n_done < v_all.n_total then 'wait-replay' end
        when v_state = 'in-copy' then
            case when v_all.ddl_queue is not null or v_all.n_done > 0 then 'wait-replay' else 'wait-copy' end
        when v_state = 'catching-up' then
            case when v_all.ddl_queue is not null then 'wait-replay' end
    end;
end;
$$ language plpgsql stable strict;

comment on function londiste._coordinate_copy(text, text) is
'Role and position of a table copy among the copies of the other parts of the same merged table.';
