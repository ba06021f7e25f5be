-- On which days of the week do consumers give up? (0 is Sunday, in UTC.)
select skill_id, extract(dow from end_time) as weekday, count(*) as segments,
       count(*) filter (where outcome = 'abandoned') as abandoned,
       round(100.0 * count(*) filter (where outcome = 'abandoned') / count(*), 2) as percent
from segments
group by skill_id, extract(dow from end_time)
order by skill_id, weekday
