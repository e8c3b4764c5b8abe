-- skytools.coop_member(queue id, consumer id) → boolean
-- Is this subscription a member of a cooperative group, rather than an ordinary or a group's main consumer?
-- Members share the main consumer's sub_id, and the member S of M is registered as "M.S". Where the names of a group tell
-- nothing, the state does: a member has both ticks or none, a consumer at rest has only its last tick.
-- Errors: none; false for an unknown subscription.

create or replace function skytools.coop_member(i_queue_id integer, i_consumer_id integer)
returns boolean language plpgsql as $$
declare
    v_others    boolean;
    v_is_member boolean;
    v_is_main   boolean;
    v_state     boolean;
begin
    select count(o.sub_id) > 0,
           coalesce(bool_or(starts_with(me.co_name, other.co_name || '.')), false),
           coalesce(bool_or(starts_with(other.co_name, me.co_name || '.')), false),
           bool_or((s.sub_last_tick is null) = (s.sub_next_tick is null))
      into v_others, v_is_member, v_is_main, v_state
      from pgq.subscription s
      join pgq.consumer me on me.co_id = s.sub_consumer
      left join pgq.subscription o
             on o.sub_queue = s.sub_queue and o.sub_id = s.sub_id and o.sub_consumer <> s.sub_consumer
      left join pgq.consumer other on other.co_id = o.sub_consumer
     where s.sub_queue = i_queue_id and s.sub_consumer = i_consumer_id;

    return v_others and (v_is_member or (not v_is_main and v_state));
end;
$$;

comment on function skytools.coop_member(integer, integer) is
    'true if the subscription is a member (subconsumer) of a cooperative group';
