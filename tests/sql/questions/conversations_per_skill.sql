-- How many conversations does a skill see, and how often does each come?
select skill_id, count(*) as segments, count(distinct conversation_id) as conversations
from segments
group by skill_id
order by skill_id
