-- SQL of the query that tells a direct capture function where to write: the number of the queue's current event table, or
-- NULL when the events have to go through pgq.insert_event: inserts are disabled, or limited per transaction, or the queue is gone.
--
-- READ COMMITTED always sees the present row; an older snapshot is checked against the rotations as pgq.insert_event does
-- (40001), but only when i_any, SQL of a condition, says that there are events at all. The transaction already has its id,
-- because it has changed rows; BEFORE triggers see to that themselves.
create or replace function skytools.capture_target(i_queue text, i_queue_id int, i_any text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select format(
    E'select case when q.queue_disable_insert or q.queue_per_tx_limit is not null then null\n'
     '              when current_setting(''transaction_isolation'') in (''repeatable read'', ''serializable'') and %s\n'
     '                   and skytools.refuse_stale_snapshot(%L, q.queue_id, q.queue_switch_step1) is null then q.queue_cur_table\n'
     '              else q.queue_cur_table end\n      from pgq.queue q where q.queue_id = %s', i_any, i_queue, i_queue_id)
$$;
comment on function skytools.capture_target(text, int, text) is
  'SQL that gives the number of the event table a capture function may write to, NULL for the long way.';
