-- Who has the most to do?
select last_agent_id, count(*) as segments, count(distinct skill_id) as skills,
       sum(agent_messages) as messages, round(avg(agent_messages), 2) as messages_per_segment
from segments
where last_agent_id is not null
group by last_agent_id
order by segments desc, last_agent_id
limit 50
