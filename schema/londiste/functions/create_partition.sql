-- londiste.create_partition(table, part, pkeys, part_field, part_time, period) → 1 created, 0 exists
-- Makes an inheriting table like its parent: columns, defaults, constraints, indexes, owner, grants, rules and triggers
-- with their state. With part_field a check keeps it to one period: [date_trunc(period, part_time), + 1 period), in the
-- session's time zone. period: year, month, day, hour, … as date_trunc knows it. pkeys is accepted and not needed.
-- Generated capture is made anew for the partition, as its functions are made for one table, and renewed on the parent,
-- where statement triggers no longer do once it has a child.
-- Raises `need table and part`; `need part_time and part_period` when the check lacks them.
-- search_path is pinned so that pg_get_*def give full names.

create or replace function londiste.create_partition(
    i_table text,
    i_part text,
    i_pkeys text,
    i_part_field text,
    i_part_time timestamptz,
    i_part_period text)
returns integer as $$
declare
    v_parent    text := londiste.quote_fqname(i_table);
    v_part      text := londiste.quote_fqname(i_part);
    v_rel       oid;
    v_start     timestamptz;
    v_item      record;
    v_from      integer;
begin
    if i_table is null or i_part is null then
        raise exception 'need table and part';
    elsif i_part_field <> '' and (i_part_time is null or i_part_period is null) then
        raise exception 'need part_time and part_period';
    end if;

    -- Several workers may want the same partition at once: the first makes it, the others find it.
    lock table londiste.table_info in share update exclusive mode;
    if londiste.find_table_oid(i_part) is not null then
        return 0;
    end if;

    execute format('create table %s (like %s including all) inherits (%2$s)', v_part, v_parent);
    v_rel := londiste.find_table_oid(i_table);
    execute format('alter table %s owner to %I', v_part, pg_get_userbyid(relowner)) from pg_class where oid = v_rel;
    if i_part_field <> '' then
        v_start := date_trunc(i_part_period, i_part_time);
        execute format('alter table %s add check (%I >= %L and %2$I < %4$L)', v_part, i_part_field,
                       to_char(v_start, 'YYYY-MM-DD HH24:MI:SS'),
                       to_char(v_start + ('1 ' || i_part_period)::interval, 'YYYY-MM-DD HH24:MI:SS'));
    end if;

    for v_item in
        select format('grant %s on %s to %s%s', a.privilege_type, v_part,
                      case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
                      case when a.is_grantable then ' with grant option' else '' end) as grant_cmd
        from pg_class c, aclexplode(c.relacl) a
        where c.oid = v_rel and a.grantee <> c.relowner
    loop
        execute v_item.grant_cmd;
    end loop;

    -- Definitions read `CREATE TRIGGER name ... ON parent ...` and `CREATE RULE name AS ON event TO parent ...`: the first
    -- mention of the parent after the name is the one to change.
    for v_item in
        select 'trigger' as kind, t.tgname as name, t.tgenabled as state,
               pg_get_triggerdef(t.oid) as def, ' ON ' as word
        from pg_trigger t
            left join skytools.capture_triggers(v_rel) g on g.o_oid = t.oid
                and g.o_function <> 'skytools.capture_deny'::regproc
        where t.tgrelid = v_rel and not t.tgisinternal and g.o_oid is null
        union all
        select 'rule', r.rulename, r.ev_enabled, pg_get_ruledef(r.oid), ' TO '
        from pg_rewrite r
        where r.ev_class = v_rel
        order by 1, 2
    loop
        v_from := strpos(v_item.def, quote_ident(v_item.name)) + length(quote_ident(v_item.name));
        v_from := v_from - 1 + strpos(substr(v_item.def, v_from), v_item.word || v_parent) + length(v_item.word);
        execute overlay(v_item.def placing v_part from v_from for length(v_parent));
        if v_item.state <> 'O' then
            execute format('alter table %s %s %s %I', v_part,
                           case v_item.state when 'D' then 'disable' when 'R' then 'enable replica'
                                             else 'enable always' end,
                           v_item.kind, v_item.name);
        end if;
    end loop;

    for v_item in
        select r.*, t.oid as rel
        from skytools.capture_requests() r, unnest(array[v_rel, londiste.find_table_oid(i_part)]) t (oid)
        where r.o_table = v_rel
    loop
        perform skytools.apply_capture(v_item.o_queue, v_item.rel, v_item.o_trigger, v_item.o_kind,
                                       v_item.o_timing, v_item.o_ops, v_item.o_args);
    end loop;
    return 1;
end;
$$ language plpgsql set search_path = pg_catalog set client_min_messages = warning;

comment on function londiste.create_partition(text, text, text, text, timestamptz, text) is
'Makes an inheriting table like its parent, kept to one period if wanted: 1, or 0 when it exists.';
