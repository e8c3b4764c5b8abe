-- londiste.periodic_maintenance() → 0: entry of the ticker's maintenance list. Forgets scripts executed more than
-- three months ago.

create or replace function londiste.periodic_maintenance()
returns integer as $$
begin
    delete from londiste.applied_execute where execute_time < now() - interval '3 months';
    return 0;
end;
$$ language plpgsql;

comment on function londiste.periodic_maintenance() is
'Maintenance: forgets scripts executed more than three months ago. Always 0.';
