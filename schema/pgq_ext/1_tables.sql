-- Schema pgq_ext: what a consumer has done, kept in the database it writes to, in the transaction of what it writes. Needs no
-- schema pgq in that database.
--
-- Consumer names are free text; two queues whose consumers write here need different ones. subconsumer_id tells workers or
-- partitions of one consumer apart and is '' otherwise. Batch ids come from the queue's database: they start again when the
-- queue moves to a new one.

create schema pgq_ext;

-- Last applied tick.
create table pgq_ext.completed_tick (
    consumer_id     text not null,
    subconsumer_id  text not null default '',
    last_tick_id    bigint not null,
    constraint completed_tick_pkey primary key (consumer_id, subconsumer_id)
);

-- Last applied batch.
create table pgq_ext.completed_batch (
    consumer_id     text not null,
    subconsumer_id  text not null default '',
    last_batch_id   bigint not null,
    constraint completed_batch_pkey primary key (consumer_id, subconsumer_id)
);

-- Applied events of the batch in partial_batch.
create table pgq_ext.completed_event (
    consumer_id     text not null,
    subconsumer_id  text not null default '',
    batch_id        bigint not null,
    event_id        bigint not null,
    constraint completed_event_pkey primary key (consumer_id, subconsumer_id, batch_id, event_id)
);

-- The batch whose events are being applied one by one.
create table pgq_ext.partial_batch (
    consumer_id     text not null,
    subconsumer_id  text not null default '',
    cur_batch_id    bigint not null,
    constraint partial_batch_pkey primary key (consumer_id, subconsumer_id)
);
