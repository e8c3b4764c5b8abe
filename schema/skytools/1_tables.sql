-- Schema skytools: what the installer recorded, and the home of the functions and sequences that belong to skytools alone.
--
-- It exists in every database that skytools serves, also where pgq, pgq_node and londiste came from CREATE EXTENSION.
-- Made while queues live: skytools.rotation_<queue_id> (see functions/adopt_queues.sql) and the generated capture functions.

create schema skytools;

-- One row per installed module.
create table skytools.module (
    name          text primary key,
    version       text not null,
    -- 'skytools': the objects are ours; 'extension': a CREATE EXTENSION owns them, we leave them as they are
    origin        text not null check (origin in ('skytools', 'extension')),
    installed_at  timestamptz not null default now(),
    installed_by  text not null default current_user
);
comment on table skytools.module is 'installed modules; origin tells who owns the objects: skytools or an extension';

-- One row per applied SQL file; a changed checksum makes the installer run the file again.
create table skytools.file (
    module  text references skytools.module on delete cascade,
    path    text,
    sha256  text not null,      -- lower-case hex of the file's bytes
    primary key (module, path)
);
comment on table skytools.file is 'applied SQL files of each module with their SHA-256';
