-- Which segments waited longest for an agent?
select account_id, conversation_id, segment_index, skill_id,
       cast(extract(epoch from first_assigned_time) * 1000 as bigint)
           - cast(extract(epoch from start_time) * 1000 as bigint) as queue_ms
from segments
where first_assigned_time is not null
order by queue_ms desc, account_id, conversation_id, segment_index
limit 100
