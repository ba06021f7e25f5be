//! What is open at this instant, by skill: counted by the store, and put together here.
//!
//! `numbers.rs` has the names and values of our own answer, `queue_health.rs` those of the method *Messaging Queue
//! Health*, and `body.rs` the JSON around both.

mod body;
mod numbers;
mod queue_health;
mod request;

use skillscope_store::OpenAccount;

pub use request::{NowRequest, QueueHealthRequest};

use self::body::{SkillNow, Time, write_body};
use crate::Engine;

impl Engine {
    /// What is open now, by skill and in total, as JSON on one line. It waits for no write, and takes time for skills and
    /// not for conversations.
    pub fn now(&self, request: &NowRequest) -> String {
        self.now_at(request, self.clock().now())
    }

    /// The same where it is the instant `now` (milliseconds since the epoch), which the answer tells as its own.
    pub fn now_at(&self, request: &NowRequest, now: i64) -> String {
        self.answer_now(request, |skills| write_body(skills, Time::OfAll(now), |skills| numbers::of(skills, now)))
    }

    /// The health of the queues now, by skill and in total, as JSON on one line, at the cost of [`now`](Self::now).
    pub fn queue_health(&self, request: &QueueHealthRequest) -> String {
        let now = self.clock().now();
        self.answer_now(&request.0, |skills| {
            write_body(skills, Time::OfEach(now), |skills| queue_health::of(skills, now))
        })
    }

    fn answer_now(&self, request: &NowRequest, answer: impl FnOnce(&[SkillNow<'_>]) -> String) -> String {
        let open = self.moment().open;
        let account = open.account(request.account());
        let skills = account.map(|account| asked(account, request)).unwrap_or_default();
        answer(&skills)
    }
}

/// The skills that are asked about and have open conversations, in ascending order.
fn asked<'a>(account: &'a OpenAccount, request: &NowRequest) -> Vec<SkillNow<'a>> {
    let is_asked = |id: &i64| request.skills().is_none_or(|skills| skills.contains(id));
    let mut skills: Vec<_> = account.skills().filter(|(id, _)| is_asked(id)).collect();
    skills.sort_unstable_by_key(|(id, _)| *id);
    skills
}
