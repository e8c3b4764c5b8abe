-- What Londiste keeps per database: replicated tables and sequences of each set, scripts that ran, foreign keys that
-- wait for the end of a copy. pg_dump carries all four tables.
-- A name without dot means schema public; the first dot separates schema and name. Names are stored unquoted.

create schema londiste;

-- nr fixes the order of listings and copies.
--   local           used on this node, else only known to be in the set
--   merge_state     NULL copy wanted | in-copy | catching-up | wanna-sync:TICK | do-sync:TICK | ok
--   custom_snapshot txid_snapshot of the provider at the copy, until the events it holds are past
--   dropped_ddl     indexes and constraints to restore after the copy
--   table_attrs     urlencoded: handler and copy options
--   dest_table      local name when it differs
create table londiste.table_info (
    nr              serial not null,
    queue_name      text not null,
    table_name      text not null,
    local           boolean not null default false,
    merge_state     text,
    custom_snapshot text,
    dropped_ddl     text,
    table_attrs     text,
    dest_table      text,

    primary key (queue_name, table_name),
    foreign key (queue_name) references pgq_node.node_info (queue_name) on delete cascade,
    constraint table_info_check check (dropped_ddl is null or merge_state in ('in-copy', 'catching-up'))
);

-- last_value: the value last published to the set, always ahead of the root's sequence.
create table londiste.seq_info (
    nr              serial not null,
    queue_name      text not null,
    seq_name        text not null,
    local           boolean not null default false,
    last_value      bigint not null,

    primary key (queue_name, seq_name),
    foreign key (queue_name) references pgq_node.node_info (queue_name) on delete cascade
);

-- A file name is unique per database, whatever the queue. No foreign key: what ran stays known when a node goes.
create table londiste.applied_execute (
    queue_name      text not null,
    execute_file    text not null,
    execute_time    timestamptz not null default now(),
    execute_sql     text not null,
    execute_attrs   text,

    primary key (execute_file)
);

-- fkey_def: the complete statement that restores the key.
create table londiste.pending_fkeys (
    from_table      text not null,
    to_table        text not null,
    fkey_name       text not null,
    fkey_def        text not null,

    primary key (from_table, fkey_name)
);
