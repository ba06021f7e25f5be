-- Which share of conversations never needs a human, by day of the close?
with conversations as (
    select account_id, conversation_id, max(end_time) as closed,
           bool_and(user_type = 'bot') as is_by_bots, bool_or(outcome = 'abandoned') as is_abandoned
    from segments
    group by account_id, conversation_id
)
select date_trunc('day', closed) as day, count(*) as conversations,
       count(*) filter (where is_by_bots and not is_abandoned) as by_bots_alone
from conversations
group by date_trunc('day', closed)
order by day
