-- Schema pgq_coop: functions only. Members of a group are rows of pgq.subscription; see functions/register_subconsumer.sql.

create schema pgq_coop;
