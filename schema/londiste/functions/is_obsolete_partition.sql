-- londiste.is_obsolete_partition(partition, retention, period) → true when the date in the partition's name lies more
-- than `retention` back; NULL when the name carries no date of that period.
-- Suffixes: year _YYYY, month _YYYY_MM, day _YYYY_MM_DD, hour _YYYY_MM_DD_HH24; yearly, monthly, daily, hourly mean the
-- same. Raises `not supported i_partition_period: x`.

create or replace function londiste.is_obsolete_partition(
    i_partition_table text,
    i_retention_period interval,
    i_partition_period text)
returns boolean as $$
declare
    v_pattern   text;
    v_format    text;
    v_base      text;
begin
    select p.pattern, p.format into v_pattern, v_format
        from (values ('year', 'yearly', '_[0-9]{4}', '_YYYY'),
                     ('month', 'monthly', '_[0-9]{4}_[0-9]{2}', '_YYYY_MM'),
                     ('day', 'daily', '_[0-9]{4}_[0-9]{2}_[0-9]{2}', '_YYYY_MM_DD'),
                     ('hour', 'hourly', '_[0-9]{4}_[0-9]{2}_[0-9]{2}_[0-9]{2}', '_YYYY_MM_DD_HH24')
             ) as p (unit, adverb, pattern, format)
        where i_partition_period in (p.unit, p.adverb);
    if not found then
        raise exception 'not supported i_partition_period: %', i_partition_period;
    end if;

    if i_partition_table is null or i_partition_table !~ (v_pattern || '$') then
        return null;
    end if;
    -- Fixed width numbers: text order is time order, and no time zone comes in.
    v_base := regexp_replace(i_partition_table, v_pattern || '$', '');
    return coalesce(i_partition_table collate "C" < v_base || to_char(now() - i_retention_period, v_format), false);
end;
$$ language plpgsql;

comment on function londiste.is_obsolete_partition(text, interval, text) is
'True when the date in the partition''s name is older than the retention period, NULL when there is none.';
