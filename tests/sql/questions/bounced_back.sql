-- Of the conversations that began on a day, how many came back to a skill that they had left?
with visits as (
    select account_id, conversation_id, skill_id, segment_index, start_time,
           lag(skill_id) over (partition by account_id, conversation_id order by segment_index) as before
    from segments
), entries as (
    select account_id, conversation_id, skill_id, count(*) as entered
    from visits
    where before is null or before <> skill_id
    group by account_id, conversation_id, skill_id
), conversations as (
    select account_id, conversation_id, max(entered) as entered
    from entries
    group by account_id, conversation_id
), beginnings as (
    select account_id, conversation_id, date_trunc('day', min(start_time)) as day
    from segments
    group by account_id, conversation_id
)
select day, count(*) as conversations, count(*) filter (where entered > 1) as bounced_back
from conversations join beginnings using (account_id, conversation_id)
group by day
order by day
