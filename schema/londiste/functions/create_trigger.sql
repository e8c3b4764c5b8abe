-- londiste.create_trigger(queue, table, args, dest_table, node_type) → (ret_code, ret_note, trigger_name)
-- Makes the capture triggers of a table: _londiste_<queue> for rows, _londiste_<queue>_truncate for TRUNCATE.
--   200 OK                       trigger_name: base name of the row triggers
--   201 Trigger not created      no_triggers or virtual_table was given
--   403 AFTER trigger cannot work with SKIP trigger(s)
--   405 Multiple SKIP triggers
-- Elements of args:
--   tgflags=LETTERS              B before, A after (stronger); Q sqltriga, L logutriga, J jsontriga (strongest last);
--                                I U D operations; S skip. Default: after, logutriga, all operations.
--   skip                         any case: rows are captured but not stored
--   no_triggers virtual_table    no trigger
--   expect_sync skip_truncate merge_all no_merge    for londiste.local_add_table, ignored here
--   anything else                argument of the trigger
-- A table with another local name gets ev_extra1 = its name in the set, a partitioned one too, as its triggers run on
-- the partitions. A leaf gets `deny`, last.
-- SKIP: the trigger that swallows rows must fire last and be the only one on the table, so it is named zzz_…; where one
-- exists already, it is renamed if need be and ours goes without.

create or replace function londiste.create_trigger(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_dest_table text,
    in i_node_type text,
    out ret_code integer,
    out ret_note text,
    out trigger_name text)
returns record as $$
declare
    v_base      text := '_londiste_' || i_queue_name;
    v_truncate  text := v_base || '_truncate';
    v_dest      text := londiste.make_fqname(coalesce(i_dest_table, i_table_name));
    v_table     text := londiste.make_fqname(i_table_name);
    v_deny      text[] := case when i_node_type = 'leaf' then array['deny'] else '{}' end;
    v_flags     text := '';
    v_args      text[] := '{}';
    v_kind      text := 'logutriga';
    v_timing    text := 'after';
    v_ops       text;
    v_skip      boolean := false;
    v_skippers  text[];
    v_arg       text;
    v_trigger   name;
    v_queue_arg bytea := convert_to(i_queue_name, getdatabaseencoding()) || '\x00'::bytea;
begin
    foreach v_arg in array array_remove(coalesce(i_trg_args, '{}'), null) loop
        if v_arg like 'tgflags=%' then
            v_flags := v_flags || upper(substr(v_arg, 9));
        elsif v_arg in ('no_triggers', 'virtual_table') then
            select 201, 'Trigger not created' into ret_code, ret_note;
            return;
        elsif lower(v_arg) = 'skip' then
            v_skip := true;
        elsif v_arg not in ('expect_sync', 'skip_truncate', 'merge_all', 'no_merge') then
            v_args := v_args || v_arg;
        end if;
    end loop;

    v_skip := v_skip or v_flags ~ 'S';
    v_kind := case when v_flags ~ 'J' then 'jsontriga' when v_flags ~ 'L' then 'logutriga'
                   when v_flags ~ 'Q' then 'sqltriga' else 'logutriga' end;
    v_timing := case when v_flags ~ 'B' and v_flags !~ 'A' then 'before' else 'after' end;
    v_ops := coalesce(nullif(
        concat(substring(v_flags from 'I'), substring(v_flags from 'U'), substring(v_flags from 'D')), ''), 'IUD');
    if (v_dest <> v_table or londiste.find_rel_oid(v_dest, 'p') is not null)
        and not exists (select 1 from unnest(v_args) a where a like 'ev_extra1=%')
    then
        v_args := v_args || ('ev_extra1=' || quote_literal(v_table));
    end if;

    -- Triggers of others that swallow rows. tgargs: the arguments, each ended by a zero byte, the queue first.
    select coalesce(array_agg(t.tgname::text), '{}') into v_skippers
        from pg_catalog.pg_trigger t
        where t.tgrelid = londiste.find_table_oid(v_dest) and not t.tgisinternal
            and position('\x00534b495000'::bytea in '\x00'::bytea || t.tgargs) > 0
            and substring(t.tgargs for octet_length(v_queue_arg)) <> v_queue_arg;
    if v_timing = 'after' and (v_skip or cardinality(v_skippers) > 0) then
        select 403, 'AFTER trigger cannot work with SKIP trigger(s)' into ret_code, ret_note;
        return;
    elsif v_skip and cardinality(v_skippers) > 1 then
        select 405, 'Multiple SKIP triggers' into ret_code, ret_note;
        return;
    end if;

    trigger_name := v_base;
    if v_skip and cardinality(v_skippers) = 0 then
        trigger_name := 'zzz_' || v_base;
        v_args := v_args || 'SKIP'::text;
    elsif v_skip and v_skippers[1] not like 'zzz\_%' then
        execute format('alter trigger %I on %s rename to %I',
                       v_skippers[1], londiste.quote_fqname(v_dest), 'zzz_' || v_skippers[1]);
    end if;

    -- What the queue had before goes: a trigger under the other name, and the generic kind, which fires beside ours.
    perform skytools.drop_capture(v_dest, case when trigger_name = v_base then 'zzz_' || v_base else v_base end);
    for v_trigger in
        select t.tgname
        from pg_catalog.pg_trigger t
        where t.tgrelid = londiste.find_table_oid(v_dest) and not t.tgisinternal
            and t.tgname in (v_base::name, ('zzz_' || v_base)::name, v_truncate::name)
            and londiste.is_replica_func(t.tgfoid) and not skytools.is_capture_func(t.tgfoid)
    loop
        execute format('drop trigger %I on %s', v_trigger, londiste.quote_fqname(v_dest));
    end loop;

    perform skytools.create_capture(i_queue_name, v_dest, trigger_name, v_kind, v_timing, v_ops, v_args || v_deny);
    perform skytools.create_truncate_capture(i_queue_name, v_dest, v_truncate, v_deny);
    select 200, 'OK' into ret_code, ret_note;
end;
$$ language plpgsql;

comment on function londiste.create_trigger(text, text, text[], text, text) is
'Makes the capture triggers of a table: 200 with their base name, 201 none wanted, 403 or 405 for SKIP conflicts.';
