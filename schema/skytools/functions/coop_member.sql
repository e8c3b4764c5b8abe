-- skytools.coop_member(queue id, consumer id) → boolean
-- Is this subscription a member of a cooperative group, rather than an ordinary or a group's main consumer?
-- Members share the main consumer's sub_id, and the member S of M is registered as "M.S"; only a member may be without a
-- position. Each row is looked up by its key: the rows of the queue may have thousands of dead versions, and every finished
-- batch asks.
-- Errors: none; false for an unknown subscription.

create or replace function skytools.coop_member(i_queue_id integer, i_consumer_id integer)
returns boolean language plpgsql as $$
declare
    me     record;
    v_name text;
begin
    select co_name into v_name from pgq.consumer where co_id = i_consumer_id;
    if strpos(v_name, '.') > 0 is not true then
        return false;
    end if;
    select sub_id, sub_last_tick into me from pgq.subscription
     where sub_queue = i_queue_id and sub_consumer = i_consumer_id;
    return found and (me.sub_last_tick is null or exists (
        select from generate_series(1, length(v_name)) dot
          join pgq.consumer main on main.co_name = left(v_name, dot - 1)
          join pgq.subscription m on m.sub_queue = i_queue_id and m.sub_consumer = main.co_id
         where substr(v_name, dot, 1) = '.' and m.sub_id = me.sub_id));
end;
$$;

comment on function skytools.coop_member(integer, integer) is
    'true if the subscription is a member (subconsumer) of a cooperative group';
