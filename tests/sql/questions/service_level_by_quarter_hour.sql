-- Which share of conversations did an agent answer within 30 s, by skill and quarter of an hour, in the last week that
-- there is anything of? Answered is when an agent, human or bot, first spoke. A conversation counts each time that it
-- comes to a skill, in the quarter (in UTC) in which it comes.
select skill_id, date_bin(interval '15 minutes', start_time) as quarter, count(*) as offered,
       count(*) filter (where first_agent_message_time - start_time <= interval '30 seconds') as answered_in_time,
       round(100.0 * count(*) filter (where first_agent_message_time - start_time <= interval '30 seconds')
           / count(*), 1) as percent
from segments
where start_time >= (select max(start_time) from segments) - interval '7 days'
group by skill_id, date_bin(interval '15 minutes', start_time)
order by skill_id, quarter
