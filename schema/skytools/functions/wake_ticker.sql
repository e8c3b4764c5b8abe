-- skytools.wake_ticker() → void
-- A producer calls this once per call or statement. A sleeping ticker holds advisory lock (1397446516, 3) exclusively for
-- its session; whoever cannot share it sends NOTIFY skytools_wake, which arrives with the producer's commit.
-- While the ticker is awake this costs one lock attempt and sends nothing: a NOTIFY at every commit would serialise all
-- committing sessions on one lock of the server. The shared lock lasts until the producer's transaction ends, so the ticker
-- cannot fall asleep between the event and its commit.
-- Errors: none.

create or replace function skytools.wake_ticker()
returns void language plpgsql as $$
begin
    if not pg_catalog.pg_try_advisory_xact_lock_shared(1397446516, 3) then
        perform pg_catalog.pg_notify('skytools_wake', '');
    end if;
end;
$$;

comment on function skytools.wake_ticker() is
    'NOTIFY skytools_wake if a ticker sleeps (holds advisory lock 1397446516,3); called by every producer';
