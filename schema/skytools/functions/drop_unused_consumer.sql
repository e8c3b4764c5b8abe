-- skytools.drop_unused_consumer(consumer id) → void
-- Removes a consumer's name that is registered on no queue and that nothing else refers to.
-- Errors: none.

create or replace function skytools.drop_unused_consumer(i_consumer_id integer)
returns void language plpgsql as $$
begin
    delete from pgq.consumer c
     where c.co_id = i_consumer_id
       and not exists (select from pgq.subscription s where s.sub_consumer = c.co_id);
exception when foreign_key_violation then
    return;   -- used after all: a node of a cascade has its name here, or it was registered just now
end;
$$;

comment on function skytools.drop_unused_consumer(integer) is 'removes a consumer name that no queue knows any more';
