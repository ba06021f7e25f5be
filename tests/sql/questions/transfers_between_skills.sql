-- From which skill to which are conversations passed on?
with stays as (
    select skill_id, end_reason,
           lead(skill_id) over (partition by account_id, conversation_id order by segment_index) as next_skill_id
    from segments
)
select skill_id, next_skill_id, end_reason, count(*) as transfers
from stays
where next_skill_id is not null
group by skill_id, next_skill_id, end_reason
order by transfers desc, skill_id, next_skill_id, end_reason
