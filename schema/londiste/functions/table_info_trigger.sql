-- londiste.table_info_trigger(): before delete on londiste.table_info, drops the capture triggers of a table that
-- leaves the set.

create or replace function londiste.table_info_trigger()
returns trigger as $$
begin
    if tg_op = 'DELETE' then
        perform londiste.drop_table_triggers(old.queue_name, old.table_name);
        return old;
    end if;
    return new;
end;
$$ language plpgsql;

comment on function londiste.table_info_trigger() is 'Drops the capture triggers of a table that leaves the set.';
