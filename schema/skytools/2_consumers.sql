-- What skytools keeps about queues and consumers beside the tables of pgq: retry policy, dead letters, pauses, and the open
-- ends of receive/ack/nack.
--
-- The keys are ids of pgq, which are never used again, so a row that outlived its queue or consumer harms nobody; it is
-- removed by skytools.forget_gone(). There are no foreign keys, because pgq may be an extension's and is made after this.

-- A queue without a row has the defaults and no limit.
create table skytools.queue_policy (
    queue_id         integer primary key,
    retry_limit      integer,               -- NULL: unlimited
    retry_delay      interval not null default '60 seconds',
    retry_backoff    double precision not null default 2,     -- factor from one retry to the next
    retry_delay_max  interval not null default '1 hour'
);
comment on table skytools.queue_policy is 'how often and how late events of a queue are retried; skytools.set_queue_policy()';

-- One row per event that a consumer gave up. sub_id is that of the consumer or of its whole cooperative group.
create table skytools.dead_letter (
    sub_id     integer not null,
    queue_id   integer not null,
    dead_time  timestamptz not null default now(),
    reason     text,
    ev_id      bigint not null,
    ev_time    timestamptz not null,
    ev_txid    bigint,
    ev_retry   integer,      -- retries it had
    ev_type    text,
    ev_data    text,
    ev_extra1  text,
    ev_extra2  text,
    ev_extra3  text,
    ev_extra4  text,
    primary key (sub_id, ev_id)
);
comment on table skytools.dead_letter is 'events that a consumer gave up; skytools.dead_list()';

create table skytools.paused_consumer (
    sub_id     integer primary key,
    paused_at  timestamptz not null default now()
);
comment on table skytools.paused_consumer is 'consumers that get no batch; skytools.pause_consumer()';

-- The events of batches opened by skytools.receive() that were not answered yet.
create table skytools.unanswered (
    batch_id  bigint,
    ev_id     bigint,
    ev_txid   bigint not null,     -- finds the event by the index of its table
    primary key (batch_id, ev_id)
);
comment on table skytools.unanswered is 'events of batches opened by skytools.receive() that wait for ack or nack';
