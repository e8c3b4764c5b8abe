-- Row images of all kinds for many types, written by a statement level capture: the exact text of every field.

\ir expect.psql

create type mood as enum ('sad', 'o k');
create type pair as (a int, b text);
create domain whole as int;
create domain truth as bool;
create table cust (id int primary key, nm text, ok bool, amt numeric(10,2), ts timestamptz, d date, js json, arr int[], by bytea,
  big int8, f float8, tsn timestamp, iv interval, sm int2, u uuid);
create table misc (id int primary key, c char(5), net inet, bits bit(3), cash money, x xml, tv tsvector, pt point, tt timetz, e mood,
  p pair, w whole, t truth, r int4range, bs bool[], n name, o oid, vc varchar(9), re real, doubled int generated always as (id * 2) stored);
set timezone = 'UTC';
create function fill() returns void language plpgsql as $$
begin
  insert into cust values (7, E'Ünï a+b=c&d~e*(f)\n''q" \\z-_.', true, 12.5, '2026-03-04 05:06:07.089+02', '2026-03-04', '{"k": [1]}',
    '{1,null,3}', '\x00ff', 9007199254740993, 1.5, '2026-03-04 05:06:07', '1 day 2 hours', 3, '00000000-0000-0000-0000-00000000000a');
  insert into cust (id, nm) values (8, '');
  insert into misc values (1, 'ab', '1.2.3.4', '101', 12.5, '<?xml version="1.0" encoding="UTF-8"?><a>x</a>', 'a:1 b', '(1.5,2)', '01:02:03+05:30',
    'o k', row(1, null), 5, true, '[1,3)', '{t,f}', 'n m', 4000000000, 'v c', 0.1);
  insert into misc (id, p) values (2, row(null, null));
end $$;

select skytools.create_capture('q', 'public.' || t, 'cap', 'logutriga', 'after', 'IUD', '{}') from unnest('{cust,misc}'::text[]) t;
select fill();
select expect(
  'I:id|id=7&nm=%c3%9cn%c3%af+a%2bb%3dc%26d%7ee%2a%28f%29%0a%27q%22+%5cz-_.&ok=t&amt=12.50&ts=2026-03-04+03%3a06%3a07.089%2b00&d=2026-03-04&js=%7b%22k%22%3a+%5b1%5d%7d&arr=%7b1%2cNULL%2c3%7d&by=%5cx00ff&big=9007199254740993&f=1.5&tsn=2026-03-04+05%3a06%3a07&iv=1+day+02%3a00%3a00&sm=3&u=00000000-0000-0000-0000-00000000000a|public.cust',
  'I:id|id=8&nm=&ok&amt&ts&d&js&arr&by&big&f&tsn&iv&sm&u|public.cust',
  'I:id|id=1&c=ab+++&net=1.2.3.4&bits=101&cash=%2412.50&x=%3ca%3ex%3c%2fa%3e&tv=%27a%27%3a1+%27b%27&pt=%281.5%2c2%29&tt=01%3a02%3a03%2b05%3a30&e=o+k&p=%281%2c%29&w=5&t=t&r=%5b1%2c3%29&bs=%7bt%2cf%7d&n=n+m&o=4000000000&vc=v+c&re=0.1&doubled=2|public.misc',
  'I:id|id=2&c&net&bits&cash&x&tv&pt&tt&e&p=%28%2c%29&w&t&r&bs&n&o&vc&re&doubled=4|public.misc');
update cust set nm = null, ok = false where id = 7;
delete from cust where id = 8;
select expect(
  'U:id|id=7&nm&ok=f&amt=12.50&ts=2026-03-04+03%3a06%3a07.089%2b00&d=2026-03-04&js=%7b%22k%22%3a+%5b1%5d%7d&arr=%7b1%2cNULL%2c3%7d&by=%5cx00ff&big=9007199254740993&f=1.5&tsn=2026-03-04+05%3a06%3a07&iv=1+day+02%3a00%3a00&sm=3&u=00000000-0000-0000-0000-00000000000a|public.cust',
  'D:id|id=8&nm=&ok&amt&ts&d&js&arr&by&big&f&tsn&iv&sm&u|public.cust');

select skytools.create_capture('q', 'public.' || t, 'cap', 'sqltriga', 'after', 'IUD', '{}') from unnest('{cust,misc}'::text[]) t;
delete from cust; delete from misc;
select expect('D|id=''7''|public.cust', 'D|id=''1''|public.misc', 'D|id=''2''|public.misc');
select fill();
update cust set nm = null, ok = false where id = 7;
update cust set id = id where id = 7;
select expect(
  E'I|(id,nm,ok,amt,ts,d,js,arr,by,big,f,tsn,iv,sm,u) values (''7'',E''Ünï a+b=c&d~e*(f)\n''''q" \\\\z-_.'',''t'',''12.50'',''2026-03-04 03:06:07.089+00'',''2026-03-04'',''{"k": [1]}'',''{1,NULL,3}'',E''\\\\x00ff'',''9007199254740993'',''1.5'',''2026-03-04 05:06:07'',''1 day 02:00:00'',''3'',''00000000-0000-0000-0000-00000000000a'')|public.cust',
  'I|(id,nm,ok,amt,ts,d,js,arr,by,big,f,tsn,iv,sm,u) values (''8'','''',null,null,null,null,null,null,null,null,null,null,null,null,null)|public.cust',
  'I|(id,c,net,bits,cash,x,tv,pt,tt,e,p,w,t,r,bs,n,o,vc,re,doubled) values (''1'',''ab   '',''1.2.3.4'',''101'',''$12.50'',''<a>x</a>'',''''''a'''':1 ''''b'''''',''(1.5,2)'',''01:02:03+05:30'',''o k'',''(1,)'',''5'',''t'',''[1,3)'',''{t,f}'',''n m'',''4000000000'',''v c'',''0.1'',''2'')|public.misc',
  'I|(id,c,net,bits,cash,x,tv,pt,tt,e,p,w,t,r,bs,n,o,vc,re,doubled) values (''2'',null,null,null,null,null,null,null,null,null,''(,)'',null,null,null,null,null,null,null,null,''4'')|public.misc',
  'U|nm=NULL,ok=''f'' where id=''7''|public.cust',
  'U|id=''7'' where id=''7''|public.cust');

select skytools.create_capture('q', 'public.' || t, 'cap', 'jsontriga', 'after', 'IU', '{}') from unnest('{cust,misc}'::text[]) t;
delete from cust; delete from misc;
select expect_nothing();
select fill();
select expect(
  E'{"op":"INSERT","table":["public","cust"],"pkey":["id"]}|{"id":7,"nm":"Ünï a+b=c&d~e*(f)\\n''q\\" \\\\z-_.","ok":true,"amt":"12.50","ts":"2026-03-04T03:06:07.089+00:00","d":"2026-03-04","js":"{\\"k\\": [1]}","arr":"{1,NULL,3}","by":"\\\\x00ff","big":9007199254740993,"f":"1.5","tsn":"2026-03-04T05:06:07","iv":"1 day 02:00:00","sm":3,"u":"00000000-0000-0000-0000-00000000000a"}|public.cust',
  '{"op":"INSERT","table":["public","cust"],"pkey":["id"]}|{"id":8,"nm":"","ok":null,"amt":null,"ts":null,"d":null,"js":null,"arr":null,"by":null,"big":null,"f":null,"tsn":null,"iv":null,"sm":null,"u":null}|public.cust',
  E'{"op":"INSERT","table":["public","misc"],"pkey":["id"]}|{"id":1,"c":"ab   ","net":"1.2.3.4","bits":"101","cash":"$12.50","x":"<a>x</a>","tv":"''a'':1 ''b''","pt":"(1.5,2)","tt":"01:02:03+05:30","e":"o k","p":"(1,)","w":"5","t":"t","r":"[1,3)","bs":"{t,f}","n":"n m","o":"4000000000","vc":"v c","re":"0.1","doubled":2}|public.misc',
  '{"op":"INSERT","table":["public","misc"],"pkey":["id"]}|{"id":2,"c":null,"net":null,"bits":null,"cash":null,"x":null,"tv":null,"pt":null,"tt":null,"e":null,"p":"(,)","w":null,"t":null,"r":null,"bs":null,"n":null,"o":null,"vc":null,"re":null,"doubled":4}|public.misc');

-- Every character of a long range, bytes checked by decoding the events again.
create table chars (id int primary key, v text);
select skytools.create_capture('q', 'public.chars', 'cap', 'logutriga', 'after', 'I', '{}');
insert into chars select i, 'x' || chr(i) || 'y' from generate_series(1, 2000) i;
insert into chars values (9000, '日本語 текст 🐘'), (9001, E'\x01\x1f\x7f');
do $$
begin
  assert (select count(*) from pgq.event_1) = 2002;
  assert not exists (
    select from pgq.event_1 e join chars c on c.id = substring(e.ev_data from 'id=(\d+)')::int
     where e.ev_data <> format('id=%s&v=%s', c.id, (
       select string_agg(case when ch ~ '[0-9A-Za-z_.-]' and octet_length(ch) = 1 then ch when ch = ' ' then '+'
                              else regexp_replace(encode(convert_to(ch, 'UTF8'), 'hex'), '(..)', '%\1', 'g') end, '' order by nr)
         from regexp_split_to_table(c.v, '') with ordinality s(ch, nr)))), 'encoding of some character';
end $$;
