-- How do segments end, by channel and by who spoke for the brand?
select source, user_type, count(*) as segments,
       count(*) filter (where outcome = 'interactive') as interactive,
       count(*) filter (where outcome = 'non_responsive_consumer') as consumer_silent,
       count(*) filter (where outcome = 'non_responsive_agent') as agent_silent,
       count(*) filter (where outcome = 'abandoned') as abandoned,
       count(*) filter (where abandoned_in_queue) as abandoned_in_queue
from segments
group by source, user_type
order by source nulls first, user_type
