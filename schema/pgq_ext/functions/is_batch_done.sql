-- pgq_ext.is_batch_done(consumer [, subconsumer], batch) → boolean
-- Is this the batch applied last? Any other one, be it newer or older, is not done. Errors: none.

create or replace function pgq_ext.is_batch_done(a_consumer text, a_subconsumer text, a_batch_id bigint)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_done boolean;
begin
    select last_batch_id = a_batch_id into v_done
      from pgq_ext.completed_batch
     where ctid = skytools.row_place('completed_batch ' || a_consumer || '/' || a_subconsumer)
       and consumer_id = a_consumer and subconsumer_id = a_subconsumer;
    if not found then
        select last_batch_id = a_batch_id into v_done
          from pgq_ext.completed_batch
         where consumer_id = a_consumer and subconsumer_id = a_subconsumer;
    end if;
    return case when found then v_done else false end;
end;
$$;

comment on function pgq_ext.is_batch_done(text, text, bigint) is 'true if the batch is the one applied last';

create or replace function pgq_ext.is_batch_done(a_consumer text, a_batch_id bigint)
returns boolean language plpgsql as $$
begin
    return pgq_ext.is_batch_done(a_consumer, '', a_batch_id);
end;
$$;

comment on function pgq_ext.is_batch_done(text, bigint) is 'true if the batch is the one applied last';
