-- Encodes a text for an `I:`/`U:`/`D:` row image: bytes 0-9 A-Z a-z _ . - stay, space becomes +, every other byte of
-- the database encoding becomes %xx with lower-case hex. NULL gives NULL. Format: logutriga rows, read by every consumer.
--
-- A plain SQL wrapper, so that the planner inlines it and a text of words and spaces costs one regular expression.
-- Collation "C": regular expressions refuse nondeterministic collations.
create or replace function skytools.urlencode(i_text text) returns text
language sql immutable parallel safe as $$
  select case when (i_text collate pg_catalog."C") operator(pg_catalog.~) '^[0-9A-Za-z_. -]*$'
              then pg_catalog.replace(i_text collate pg_catalog."C", ' ', '+')
              else skytools.urlencode_special(i_text) end
$$;
comment on function skytools.urlencode(text) is
  'Percent-encoding of row images: 0-9 A-Z a-z _ . - stay, space is +, other bytes are %xx in lower case.';
