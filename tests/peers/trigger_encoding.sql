-- Texts outside of ASCII in names, keys and values; also run in a LATIN1 database, where url-encoding is of LATIN1 bytes.

select pgq.create_queue('q');
create table "täble" (k char(6) primary key, "näme" text, v varchar(10), j json, a text[], n name, "char" "char");
insert into "täble" values ('é a', 'Ünï ÿ~', E'é"\\', '{"ä": "ö"}', '{"ß","a b",NULL}', 'ñ', 'x');
create trigger a after insert or update or delete on "täble" for each row execute function pgq.logutriga('q', 'backup', 'ev_extra3=k || ''é''');
create trigger b after insert or update or delete on "täble" for each row execute function pgq.sqltriga('q', 'backup', 'ignore=näme');
create trigger c after insert or update or delete on "täble" for each row execute function pgq.jsontriga('q', 'backup', 'pkey=k,v');
update "täble" set n = 'é';
select * from events();
update "täble" set k = 'é a   ';
select * from events();
update "täble" set k = 'É a';
update "täble" set v = 'É';
delete from "täble";
insert into "täble" values ('', '¡¿ÄÖÜß', '', 'null', '{}', '', '');
select * from events();

-- Each character that a byte can be.
create table chars (id int primary key, v text);
select put_trigger('chars', 'logutriga');
insert into chars select i, 'x' || chr(i) || 'y' from generate_series(1, 255) i;
select ev_data from events();
select put_trigger('chars', 'jsontriga');
update chars set v = v || v;
select ev_data from events();
select put_trigger('chars', 'sqltriga');
update chars set v = 'z' || v;
select ev_data from events();
create table n ("näme" text);
select put_trigger('n', 'logutriga', '{q,ev_extra3=näme}');
--! names outside of ASCII are bound in expressions like others
--= INSERT 0 1
--= Ünï
--= SELECT 1
insert into n values ('Ünï'); select ev_extra3 from events();
