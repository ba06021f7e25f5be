-- How long do consumers wait for an agent's first message, by skill and hour?
select skill_id, date_trunc('hour', end_time) as hour, count(*) as answered,
       round(percentile_cont(0.5) within group (order by time_to_first_agent_message_ms), 3) as median_ms,
       round(percentile_cont(0.95) within group (order by time_to_first_agent_message_ms), 3) as p95_ms
from segments
where time_to_first_agent_message_ms is not null
group by skill_id, date_trunc('hour', end_time)
order by skill_id, hour
