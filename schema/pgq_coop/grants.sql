-- Rights in schema pgq_coop, re-applied at every install: consumers work in groups as they work alone.

revoke execute on all functions in schema pgq_coop from public;
grant usage on schema pgq_coop to public;

grant execute on function pgq_coop.version() to public;

grant execute on function
    pgq_coop.finish_batch(bigint),
    pgq_coop.next_batch(text, text, text),
    pgq_coop.next_batch(text, text, text, interval),
    pgq_coop.next_batch_custom(text, text, text, interval, integer, interval),
    pgq_coop.next_batch_custom(text, text, text, interval, integer, interval, interval),
    pgq_coop.register_subconsumer(text, text, text),
    pgq_coop.unregister_subconsumer(text, text, text, integer)
to pgq_reader;
