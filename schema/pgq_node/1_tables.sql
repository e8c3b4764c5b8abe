-- State of the cascaded queues (sets) this database takes part in, as a node of each.
--
-- A set is one queue name with the same ticks on every node; a node is the pair (queue, node name).
-- pg_dump carries all four tables. Foreign keys fix the order of registration: a node needs its own location row,
-- a consumer needs the node and its provider's location, a subscriber needs both and its two consumers in pgq.consumer.

create schema pgq_node;

-- Every member of the set, with the libpq connect string under which the others reach it. Replicated to all nodes
-- by pgq.location-info and pgq.unregister-location events. `dead` informs tools: such a node is not contacted.
create table pgq_node.node_location (
    queue_name      text not null,
    node_name       text not null,
    node_location   text not null,
    dead            boolean not null default false,

    primary key (queue_name, node_name)
);

-- The one local node of each queue.
--   root    events and ticks are made here
--   branch  mirrors queue and ticks, may have subscribers
--   leaf    keeps no queue; with combined_queue set it merges into that queue of this database
-- node_attrs: urlencoded; known key sync_watermark = comma separated node names.
create table pgq_node.node_info (
    queue_name      text not null primary key,
    node_type       text not null,
    node_name       text not null,
    worker_name     text,
    combined_queue  text,
    node_attrs      text,

    foreign key (queue_name, node_name) references pgq_node.node_location,
    constraint node_info_node_type_check check (node_type in ('root', 'branch', 'leaf')),
    constraint node_info_check check (
        case when node_type = 'root' then worker_name is not null and combined_queue is null
             when node_type = 'branch' then worker_name is not null and combined_queue is null
             when node_type = 'leaf' then worker_name is not null
             else false
        end)
);

-- Position and flags of every cascaded consumer that writes to this database, the node's worker included.
-- last_tick_id is the last tick whose batch is committed here.
create table pgq_node.local_state (
    queue_name      text not null,
    consumer_name   text not null,
    provider_node   text not null,
    last_tick_id    bigint not null,
    cur_error       text,
    paused          boolean not null default false,
    uptodate        boolean not null default false,

    primary key (queue_name, consumer_name),
    foreign key (queue_name) references pgq_node.node_info,
    foreign key (queue_name, provider_node) references pgq_node.node_location
);

-- Remote nodes that read from this one. The worker consumer is where such a node reads, the watermark consumer
-- keeps what its own subscribers still need.
create table pgq_node.subscriber_info (
    queue_name      text not null,
    subscriber_node text not null,
    worker_name     text not null,
    watermark_name  text not null,

    primary key (queue_name, subscriber_node),
    foreign key (queue_name) references pgq_node.node_info,
    foreign key (queue_name, subscriber_node) references pgq_node.node_location,
    foreign key (worker_name) references pgq.consumer (co_name),
    foreign key (watermark_name) references pgq.consumer (co_name)
);
