-- In which quarters of an hour of the last week did a skill miss its goal, that an agent answers 80 % within 30 s? Who
-- gave up in under 5 s is not counted.
with quarters as (
    select skill_id, date_bin(interval '15 minutes', start_time) as quarter, count(*) as offered,
           count(*) filter (where first_agent_message_time - start_time <= interval '30 seconds') as answered_in_time
    from segments
    where start_time >= (select max(start_time) from segments) - interval '7 days'
        and not (outcome = 'abandoned' and end_time - start_time < interval '5 seconds')
    group by skill_id, date_bin(interval '15 minutes', start_time)
)
select skill_id, quarter, offered, answered_in_time
from quarters
where 100 * answered_in_time < 80 * offered
order by skill_id, quarter
