#include "core/run/demo_data.h"

namespace skytools::run {

const std::string_view kDemoTables = R"SQL(
alter table public.pgbench_history add column hid bigserial primary key;

create schema "Odd Schema";
create table "Odd Schema"."Täb ""le"" & Co." (
    "Wert=%"   text,
    "key-2"    text not null,
    "Key 1"    integer not null,
    "order"    bytea,
    "list"     text[],
    "numbers"  numeric[],
    "amount"   numeric(30, 10),
    "when"     timestamptz default now(),
    "doc"      jsonb,
    "flag"     boolean,
    "nothing"  text,
    primary key ("Key 1", "key-2"));

insert into "Odd Schema"."Täb ""le"" & Co."
select case n % 5 when 0 then null when 1 then '' when 2 then E'a=b&c=%41+ d\\N\t\n\r' when 3 then 'Grüße, 世界 🙂' else '''"; --' end,
       'k&' || n, n % 100, decode(md5(n::text), 'hex') || '\x00ff'::bytea,
       array[null, '', 'a,b', '{"x"}', n::text], array[n, null, n / 7.0],
       (n - 500) * 1e15 / 7, timestamptz '2000-02-29 23:59:59.123456+00' + n * interval '1 hour',
       jsonb_build_object('n', n, 'text', 'ü'), n % 3 = 0, null
  from generate_series(1, 1000) n;
)SQL";

const std::string_view kDemoLoad = R"SQL(
\set n random(1, 1000)
\set m random(1001, 3000)
begin;
select pg_advisory_xact_lock(1);
update "Odd Schema"."Täb ""le"" & Co." set "list" = "list" || 'ñ'::text, "amount" = - "amount", "Wert=%" = nullif("Wert=%", '') where "Key 1" = :n % 100;
update "Odd Schema"."Täb ""le"" & Co." set "Wert=%" = E'new & +\\t=%25', "list" = null, "order" = "order" || '\x00', "flag" = not "flag" where "key-2" = 'k&' || :n;
delete from "Odd Schema"."Täb ""le"" & Co." where "key-2" = 'new ' || :m;
insert into "Odd Schema"."Täb ""le"" & Co." ("Key 1", "key-2", "order", "list") values (:m, 'new ' || :m, '\x0000', '{}')
  on conflict do nothing;
end;
)SQL";

}  // namespace skytools::run
