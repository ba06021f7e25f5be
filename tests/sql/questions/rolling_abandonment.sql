-- Is giving up on the rise? Day by day and skill by skill, with the mean of the last seven days that had segments.
with days as (
    select skill_id, date_trunc('day', end_time) as day, count(*) as segments,
           count(*) filter (where outcome = 'abandoned') as abandoned
    from segments
    group by skill_id, date_trunc('day', end_time)
)
select skill_id, day, segments, abandoned,
       round(100.0 * sum(abandoned) over week / sum(segments) over week, 2) as percent_of_week
from days
window week as (partition by skill_id order by day rows between 6 preceding and current row)
order by skill_id, day
