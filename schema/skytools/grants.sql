-- Rights in schema skytools, re-applied at every install. A right that an older version gave and that is no longer wanted is
-- taken back here by name. The roles come first; every module's grants need them.
--
-- Most functions here run with the caller's rights or only read the catalogue, also in the middle of an ordinary user's
-- write to a captured table: those stay open to everybody. What changes anything as the schema's owner is for pgq_admin.

select skytools.ensure_roles();

grant usage on schema skytools to public;
grant select on skytools.module, skytools.file to public;

revoke execute on function
    skytools.tick(text, interval),
    skytools.create_capture_functions(text, oid, text, text, text, text, text[]),
    skytools.drop_unused_captures()
from public;

grant execute on function
    skytools.tick(text, interval),
    skytools.create_capture_functions(text, oid, text, text, text, text, text[]),
    skytools.drop_unused_captures()
to pgq_admin;
