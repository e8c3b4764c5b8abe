-- Schema pgq: queues, ticks, subscriptions. Names, types and column order are an interface: clients, monitoring and the
-- packaged ticker read these tables directly.
--
-- A queue is a set of append-only event tables used in turn (rotation), a tick is a numbered snapshot, a batch is what
-- became visible between two ticks, a subscription is a consumer's position among the ticks of a queue.

create schema pgq;

-- Consumer names. pgq_node has foreign keys onto co_name, so it must stay a real unique constraint.
create table pgq.consumer (
    co_id    serial,
    co_name  text not null,
    constraint consumer_pkey primary key (co_id),
    constraint consumer_name_uq unique (co_name)
);

-- queue_id is the <N> of pgq.event_<N>… and never used again. queue_data_pfx, queue_event_seq and queue_tick_seq are stored
-- unquoted as schema.name; clients split them at the first dot.
create table pgq.queue (
    queue_id                  serial,
    queue_name                text not null,
    queue_ntables             integer not null default 3,
    queue_cur_table           integer not null default 0,
    queue_rotation_period     interval not null default '2 hours',
    -- ids of the transactions that switched tables; step2 is NULL between the two steps of a rotation
    queue_switch_step1        bigint not null default txid_current(),
    queue_switch_step2        bigint default txid_current(),
    queue_switch_time         timestamptz not null default now(),
    queue_external_ticker     boolean not null default false,
    queue_disable_insert      boolean not null default false,
    queue_ticker_paused       boolean not null default false,
    queue_ticker_max_count    integer not null default 500,
    queue_ticker_max_lag      interval not null default '3 seconds',
    queue_ticker_idle_period  interval not null default '1 minute',
    queue_per_tx_limit        integer,
    queue_data_pfx            text not null,
    queue_event_seq           text not null,
    queue_tick_seq            text not null,
    queue_extra_maint         text[],
    constraint queue_pkey primary key (queue_id),
    constraint queue_name_uq unique (queue_name)
);

-- tick_event_seq is the event sequence as read before the snapshot: a size hint, never a means to select events.
create table pgq.tick (
    tick_queue      integer not null,
    tick_id         bigint not null,
    tick_time       timestamptz not null default now(),
    tick_snapshot   txid_snapshot not null default txid_current_snapshot(),
    tick_event_seq  bigint not null,
    constraint tick_pkey primary key (tick_queue, tick_id),
    constraint tick_queue_fkey foreign key (tick_queue) references pgq.queue (queue_id)
);

-- One number for the batches of all queues.
create sequence pgq.batch_id_seq;

-- sub_id is the ev_owner of retried events; not unique, because the members of a cooperative group share it.
-- States: at rest (last tick, no batch) · batch open (both ticks and the batch) · idle group member (all three NULL).
create table pgq.subscription (
    sub_id         serial,
    sub_queue      integer not null,
    sub_consumer   integer not null,
    sub_last_tick  bigint,
    sub_active     timestamptz not null default now(),
    sub_batch      bigint,
    sub_next_tick  bigint,
    constraint subscription_pkey primary key (sub_queue, sub_consumer),
    constraint subscription_batch_idx unique (sub_batch),
    constraint sub_queue_fkey foreign key (sub_queue) references pgq.queue (queue_id),
    constraint sub_consumer_fkey foreign key (sub_consumer) references pgq.consumer (co_id)
);

-- Parent of all event tables; holds no rows, gives its columns and its grants to the tables of new queues.
create table pgq.event_template (
    ev_id      bigint not null,
    ev_time    timestamptz not null,
    ev_txid    bigint not null default txid_current(),
    ev_owner   integer,      -- sub_id that alone sees a retried event
    ev_retry   integer,      -- how many times it was retried
    ev_type    text,
    ev_data    text,
    ev_extra1  text,
    ev_extra2  text,
    ev_extra3  text,
    ev_extra4  text
);

-- Events waiting to be delivered to their owner again. Not a child of event_template: no batch may find them here.
create table pgq.retry_queue (
    ev_retry_after  timestamptz not null,
    ev_queue        integer not null,
    ev_id           bigint not null,
    ev_time         timestamptz not null,
    ev_txid         bigint,
    ev_owner        integer not null,
    ev_retry        integer,
    ev_type         text,
    ev_data         text,
    ev_extra1       text,
    ev_extra2       text,
    ev_extra3       text,
    ev_extra4       text,
    constraint rq_pkey primary key (ev_owner, ev_id),
    constraint rq_queue_id_fkey foreign key (ev_queue) references pgq.queue (queue_id)
);
create index rq_retry_idx on pgq.retry_queue (ev_retry_after);
