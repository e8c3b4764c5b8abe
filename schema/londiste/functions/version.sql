-- londiste.version() → text: level of the Londiste API, for clients that choose statements by it.
-- A constant, so that it is the same whether the schema came from an extension or from an installer.

create or replace function londiste.version()
returns text as $$
begin
    return '3.8';
end;
$$ language plpgsql;

comment on function londiste.version() is 'Level of the londiste API, such as 3.8.';
