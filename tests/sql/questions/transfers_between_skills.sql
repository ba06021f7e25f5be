-- From which skill to which are conversations passed on?
select stay.skill_id, next.skill_id as next_skill_id, stay.end_reason, count(*) as transfers
from segments stay
join segments next
    on next.account_id = stay.account_id
    and next.conversation_id = stay.conversation_id
    and next.segment_index = stay.segment_index + 1
group by stay.skill_id, next.skill_id, stay.end_reason
order by transfers desc, stay.skill_id, next_skill_id, stay.end_reason
