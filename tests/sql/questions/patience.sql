-- Of those who waited longer than 60 s in the queue for a first agent, which share gave up, by skill? Who was sent back
-- to the queue later is not among those who gave up: segments do not tell how long that wait was.
with queues as (
    select skill_id, coalesce(first_assigned_time, end_time) - start_time > interval '60 seconds' as is_long,
           abandoned_in_queue and first_assigned_time is null as is_given_up
    from segments
)
select skill_id, count(*) as came, count(*) filter (where is_long) as waited_long,
       count(*) filter (where is_long and is_given_up) as gave_up,
       round(100.0 * count(*) filter (where is_long and is_given_up) / nullif(count(*) filter (where is_long), 0), 1)
           as percent
from queues
group by skill_id
order by skill_id
