-- Rights in schema skytools, re-applied at every install. A right that an older version gave and that is no longer wanted is
-- taken back here by name. The roles come first; every module's grants need them.
--
-- Most functions here run with the caller's rights or only read the catalogue, also in the middle of an ordinary user's
-- write to a captured table: those stay open to everybody. What changes anything as the schema's owner is for pgq_admin.

select skytools.ensure_roles();

grant usage on schema skytools to public;
grant select on skytools.module, skytools.file, skytools.queue_policy, skytools.paused_consumer to public;
grant select on skytools.dead_letter to pgq_reader;
grant select, insert, update, delete on
    skytools.queue_policy, skytools.dead_letter, skytools.paused_consumer, skytools.unanswered to pgq_admin;

revoke execute on function
    skytools.tick(text, interval),
    skytools.tick(text, interval, interval),
    skytools.create_capture_functions(text, oid, text, text, text, text, text[]),
    skytools.drop_unused_captures()
from public;

grant execute on function
    skytools.tick(text, interval),
    skytools.tick(text, interval, interval),
    skytools.create_capture_functions(text, oid, text, text, text, text, text[]),
    skytools.drop_unused_captures()
to pgq_admin;

-- consumers
revoke execute on function
    skytools.ack(text, text, bigint),
    skytools.ack(text, text, bigint[]),
    skytools.answer_batch(bigint, bigint[], integer[], bigint[], text[]),
    skytools.dead_list(text, text, integer),
    skytools.nack(text, text, bigint, interval, text),
    skytools.receive(text, text, integer),
    skytools.seek(text, text, bigint),
    skytools.seek(text, text, timestamptz)
from public;
grant execute on function
    skytools.ack(text, text, bigint),
    skytools.ack(text, text, bigint[]),
    skytools.answer_batch(bigint, bigint[], integer[], bigint[], text[]),
    skytools.dead_list(text, text, integer),
    skytools.nack(text, text, bigint, interval, text),
    skytools.receive(text, text, integer),
    skytools.seek(text, text, bigint),
    skytools.seek(text, text, timestamptz)
to pgq_reader;

-- producers
revoke execute on function skytools.send(text, text, text), skytools.send(text, text, text[]) from public;
grant execute on function skytools.send(text, text, text), skytools.send(text, text, text[]) to pgq_writer;

-- administration
revoke execute on function
    skytools.dead_purge(text, text, bigint[]),
    skytools.dead_replay(text, text, bigint[]),
    skytools.forget_gone(),
    skytools.pause_consumer(text, text),
    skytools.renew_retry_queue(),
    skytools.resume_consumer(text, text),
    skytools.set_queue_policy(text, text, text)
from public;
grant execute on function
    skytools.dead_purge(text, text, bigint[]),
    skytools.dead_replay(text, text, bigint[]),
    skytools.forget_gone(),
    skytools.pause_consumer(text, text),
    skytools.renew_retry_queue(),
    skytools.resume_consumer(text, text),
    skytools.set_queue_policy(text, text, text)
to pgq_admin;

-- parts of the above, called by them alone
revoke execute on function
    skytools.lock_open_batch(text, text),
    skytools.renew_consumer_id(integer),
    skytools.return_events(bigint, bigint[], interval[], text[], boolean[])
from public;
