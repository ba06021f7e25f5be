-- What is each skill's service level by day, if nobody counts who gave up in under 5 s? Answered is when an agent first
-- spoke, and in time is within 30 s. A day on which all gave up at once has no service level.
with offered as (
    select skill_id, date_trunc('day', start_time) as day,
           outcome = 'abandoned' and end_time - start_time < interval '5 seconds' as is_at_once,
           coalesce(first_agent_message_time - start_time <= interval '30 seconds', false) as is_in_time
    from segments
)
select skill_id, day, count(*) as came, count(*) filter (where is_at_once) as gave_up_at_once,
       count(*) filter (where is_in_time) as answered_in_time,
       round(100.0 * count(*) filter (where is_in_time) / nullif(count(*) filter (where not is_at_once), 0), 1)
           as service_level
from offered
group by skill_id, day
order by skill_id, day
