-- Who may do what with Londiste. Re-applied at every install and upgrade.
-- Tables are readable by everyone; londiste_writer replicates and administers, londiste_reader looks.

-- Roles belong to the whole cluster and may be missing after a restore elsewhere.
do $$ begin perform londiste.upgrade_schema(); end $$;

grant usage on schema londiste to public;

grant select on londiste.table_info, londiste.seq_info, londiste.applied_execute, londiste.pending_fkeys
    to public, londiste_reader;
grant select, insert, update, delete
    on londiste.table_info, londiste.seq_info, londiste.applied_execute, londiste.pending_fkeys to pgq_admin;
grant usage on sequence londiste.table_info_nr_seq, londiste.seq_info_nr_seq to londiste_writer;

revoke all on all functions in schema londiste from public;

grant execute on function
    londiste.find_column_types(text),
    londiste.find_rel_oid(text, text),
    londiste.find_seq_oid(text),
    londiste.find_table_fkeys(text),
    londiste.find_table_oid(text),
    londiste.is_replica_func(oid),
    londiste.make_fqname(text),
    londiste.quote_fqname(text),
    londiste.split_fqname(text),
    londiste.version()
to public;

grant execute on function
    londiste._coordinate_copy(text, text),
    londiste.get_seq_list(text),
    londiste.get_table_list(text)
to londiste_reader, londiste_writer;

-- Called by the ticker's maintenance, which runs as a queue admin.
grant execute on function
    londiste.periodic_maintenance(),
    londiste.root_check_seqs(text),
    londiste.root_check_seqs(text, bigint)
to pgq_admin, londiste_writer;

grant execute on function
    londiste.create_partition(text, text, text, text, timestamptz, text),
    londiste.create_trigger(text, text, text[], text, text),
    londiste.drop_obsolete_partitions(text, interval, text),
    londiste.drop_table_fkey(text, text),
    londiste.drop_table_triggers(text, text),
    londiste.execute_finish(text, text),
    londiste.execute_start(text, text, text, boolean),
    londiste.execute_start(text, text, text, boolean, text),
    londiste.get_table_pending_fkeys(text),
    londiste.get_valid_pending_fkeys(text),
    londiste.global_add_table(text, text),
    londiste.global_remove_seq(text, text),
    londiste.global_remove_table(text, text),
    londiste.global_update_seq(text, text, bigint),
    londiste.is_obsolete_partition(text, interval, text),
    londiste.list_obsolete_partitions(text, interval, text),
    londiste.local_add_seq(text, text),
    londiste.local_add_table(text, text),
    londiste.local_add_table(text, text, text[]),
    londiste.local_add_table(text, text, text[], text),
    londiste.local_add_table(text, text, text[], text, text),
    londiste.local_change_handler(text, text, text[], text),
    londiste.local_remove_seq(text, text),
    londiste.local_remove_table(text, text),
    londiste.local_set_table_attrs(text, text, text),
    londiste.local_set_table_state(text, text, text, text),
    londiste.local_set_table_struct(text, text, text),
    londiste.local_show_missing(text),
    londiste.restore_table_fkey(text, text, boolean),
    londiste.root_notify_change(text, text, text),
    londiste.set_session_replication_role(text, boolean),
    londiste.table_info_trigger(),
    londiste.upgrade_schema()
to londiste_writer;
