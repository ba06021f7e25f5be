-- Of the conversations that began on a day, how many came back to a skill that they had left?
with visits as (
    select account_id, conversation_id, skill_id, min(start_time) as began,
           count(*) filter (where start_reason <> 'resume') as entered
    from segments
    group by account_id, conversation_id, skill_id
), conversations as (
    select account_id, conversation_id, min(began) as began, max(entered) as entered
    from visits
    group by account_id, conversation_id
)
select date_trunc('day', began) as day, count(*) as conversations,
       count(*) filter (where entered > 1) as bounced_back
from conversations
group by date_trunc('day', began)
order by day
