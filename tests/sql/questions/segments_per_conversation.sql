-- How many skills does a conversation take?
with lengths as (
    select account_id, conversation_id, count(*) as segments, max(end_time) as closed
    from segments
    group by account_id, conversation_id
)
select segments, count(*) as conversations, max(closed) as last_closed
from lengths
group by segments
order by segments
