-- At what time of day does each channel have how much?
select source, extract(hour from start_time) as hour, count(*) as segments,
       sum(consumer_messages) as consumer_messages
from segments
group by source, extract(hour from start_time)
order by source nulls first, hour
