-- pgq_node.version() → text: level of the node API, for clients that choose statements by it.
-- A constant, so that it is the same whether the schema came from an extension or from an installer.

create or replace function pgq_node.version()
returns text as $$
begin
    return '3.5';
end;
$$ language plpgsql;

comment on function pgq_node.version() is 'Level of the pgq_node API, such as 3.5.';
