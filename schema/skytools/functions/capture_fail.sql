-- Raises i_message (XX000, as the original's triggers do). Typed as a value so that an expression of a generated
-- function can end in it; volatile so that the planner does not run it early.
create or replace function skytools.capture_fail(i_message text) returns text
language plpgsql volatile as $$
begin
  raise exception '%', i_message using errcode = 'XX000';
end
$$;
comment on function skytools.capture_fail(text) is 'Raises the message; used inside the expressions of generated capture functions.';
