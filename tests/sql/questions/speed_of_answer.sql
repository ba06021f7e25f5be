-- How long does it take until an agent first speaks, by the hour of the day (in UTC) in which conversations come? The
-- time is counted from when each entered the skill's queue; where none was answered, there is none.
with waits as (
    select extract(hour from start_time) as hour,
           cast(extract(epoch from first_agent_message_time) * 1000 as bigint)
               - cast(extract(epoch from start_time) * 1000 as bigint) as answered_after_ms
    from segments
)
select hour, count(*) as came, count(answered_after_ms) as answered,
       round(avg(answered_after_ms)) as average_ms,
       round(percentile_cont(0.9) within group (order by answered_after_ms)) as p90_ms
from waits
group by hour
order by hour
