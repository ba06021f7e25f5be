//! The segments of which another endpoint may have something else than we have.

use std::collections::BTreeSet;

use skillscope_query::{CountedSegment, CountedSegments, Metric, Scope};
use skillscope_segment::{AccountId, Outcome, UserType};

use super::evidence::{Evidence, NEAR_MS};
use super::placement::{Counts, Placement, Variation, counts, is_of_one_segment};
use super::score::Score;
use crate::Result;
use crate::archive::Archive;
use crate::plan_runner::{PlacedPlan, PlanRunner};
use crate::stretches::Stretches;

/// About how many segments are read at a time.
const ROWS: u64 = 100_000;

/// The most suspects that are kept: those that explain the most.
const MAX_SUSPECTS: usize = 5_000;

/// The most changes of counts, and kinds of segments, that are tried for a segment.
const MAX_CHANGES: usize = 24;

/// The most instants beyond a boundary that are tried for a segment.
const MAX_MOVES: usize = 64;

/// A segment of which another endpoint may have something else, so that numbers differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The segment as we have it.
    pub segment: CountedSegment,
    /// What the other endpoint may have instead.
    pub variation: Variation,
    pub(super) ours: Placement,
    pub(super) theirs: Option<Placement>,
    pub(super) score: Score,
}

impl Suspect {
    /// Weighs the suspect again.
    pub(super) fn weigh(&mut self, evidence: &Evidence) {
        self.score = match self.variation {
            Variation::FirstMessage => evidence.weigh_average(&self.ours),
            _ => evidence.weigh(&self.ours, self.theirs.as_ref()),
        };
    }

    /// A number that is the same for suspects who explain the same.
    pub(super) fn signature(&self, evidence: &Evidence) -> (bool, u64) {
        if self.variation == Variation::FirstMessage {
            // An average differs wherever the segment counts, whatever it counts as.
            let ours = Placement { counts: [1; Metric::ALL.len()], ..self.ours };
            return (true, evidence.signature(&ours, None));
        }
        (false, evidence.signature(&self.ours, self.theirs.as_ref()))
    }

    /// Takes away what the suspect explains.
    pub(super) fn explain(&self, evidence: &mut Evidence) {
        match self.variation {
            Variation::FirstMessage => evidence.explain_average(&self.ours),
            _ => evidence.explain(&self.ours, self.theirs.as_ref()),
        }
    }

    /// What names the segment.
    pub(super) fn key(&self) -> (&str, Option<i64>, i64) {
        (&self.segment.conversation, self.segment.index, self.segment.end_time)
    }

    /// Suspects in this order: those that explain more, then those with the plainer variation, then by their names.
    pub(super) fn rank(&self) -> (std::cmp::Reverse<i64>, u8, i64, i64, &str, Option<i64>) {
        let (plainness, distance) = match &self.variation {
            Variation::Absent => (0, 0),
            Variation::Counted { .. } => (1, 0),
            Variation::Skill(_) => (2, 0),
            Variation::Moved(distance) => (3, distance.saturating_abs()),
            Variation::UserType(_) => (4, 0),
            Variation::FirstMessage => (5, 0),
        };
        let segment = &self.segment;
        let net = std::cmp::Reverse(self.score.net());
        (net, plainness, distance, segment.end_time, &segment.conversation, segment.index)
    }
}

/// Looks for suspects among the segments of an account.
pub(super) struct Search<'s> {
    evidence: &'s Evidence,
    skills: BTreeSet<i64>,
    changes: Vec<Counts>,
    /// What the segments count as that were read so far.
    kinds: BTreeSet<Counts>,
    has_user_types: bool,
    suspects: Vec<Suspect>,
}

impl<'s> Search<'s> {
    pub(super) fn new(evidence: &'s Evidence, has_user_types: bool) -> Self {
        let changes = evidence.changes(MAX_CHANGES);
        let (kinds, suspects) = (BTreeSet::new(), Vec::new());
        Self { evidence, skills: evidence.skills(), changes, kinds, has_user_types, suspects }
    }

    /// The suspects of an account, in no order.
    pub(super) async fn run(
        mut self,
        account: &AccountId,
        archive: &mut Archive,
        runner: &PlanRunner,
    ) -> Result<Vec<Suspect>> {
        let scope = Scope::Account(account.clone());
        for range in self.evidence.time() {
            archive.check_directory(&scope, &range).await?;
            let extents = archive.extents(&scope, &range);
            let mut stretches = Stretches::new(&extents, range);
            while let Some(stretch) = stretches.next(ROWS, 1) {
                let (account, skills) = (account.clone(), self.skills.clone());
                let request = CountedSegments { account, range: stretch.range, skills };
                let Some(plan) = archive.counted_segments(&request)? else { continue };
                for batch in runner.rows(PlacedPlan::Here(plan)).await? {
                    self.add(CountedSegments::read(&batch).map_err(crate::Error::Query)?);
                }
            }
        }
        Ok(self.suspects)
    }

    fn add(&mut self, segments: Vec<CountedSegment>) {
        let room = MAX_CHANGES.saturating_sub(self.kinds.len());
        let kinds: BTreeSet<Counts> = segments.iter().map(|segment| counts(&segment.metrics)).collect();
        self.kinds.extend(kinds.into_iter().take(room));
        for segment in segments {
            let Some(user_type) = UserType::from_word(&segment.user_type) else { continue };
            let counts = counts(&segment.metrics);
            let ours = Placement { skill: segment.skill, end_time: segment.end_time, user_type, counts };
            if self.evidence.differing_near(ours.skill, ours.end_time).next().is_none() {
                continue;
            }
            self.suspect(&segment, ours);
            if self.suspects.len() >= 2 * MAX_SUSPECTS {
                self.suspects.sort_by(|one, other| one.rank().cmp(&other.rank()));
                self.suspects.truncate(MAX_SUSPECTS);
            }
        }
    }

    /// Tries all variations of a segment.
    fn suspect(&mut self, segment: &CountedSegment, ours: Placement) {
        let mut variations = self.counted(&ours);
        variations.extend(self.moved(&ours));
        if self.has_user_types {
            variations.extend(of_other_user_types(&ours));
        }
        let absent = self.evidence.weigh(&ours, None);
        if absent.explains > 0 {
            variations.extend(self.in_other_skills(&ours));
        }
        let weighed = variations.into_iter().map(|(variation, theirs)| {
            let score = self.evidence.weigh(&ours, Some(&theirs));
            (variation, Some(theirs), score)
        });
        // Without a message of an agent there is no time to it.
        let has_message = [Outcome::Interactive, Outcome::NonResponsiveConsumer].map(Outcome::as_str);
        let average = has_message.contains(&segment.outcome.as_str());
        let average = average.then(|| (Variation::FirstMessage, Some(ours), self.evidence.weigh_average(&ours)));
        let all = weighed.chain([(Variation::Absent, None, absent)]).chain(average);
        let possible = all.filter(|(.., score)| score.is_possible()).map(|(variation, theirs, score)| Suspect {
            segment: segment.clone(),
            variation,
            ours,
            theirs,
            score,
        });
        self.suspects.extend(possible.collect::<Vec<_>>());
    }

    /// It counts in other metrics: as other segments do, or as single cells differ.
    fn counted(&self, ours: &Placement) -> Vec<(Variation, Placement)> {
        let mut kinds = self.kinds.clone();
        for change in &self.changes {
            let mut kind = ours.counts;
            kind.iter_mut().zip(change).for_each(|(count, change)| *count += change);
            let still_counts = kind.iter().zip(ours.counts).any(|(theirs, ours)| *theirs == 1 && ours == 1);
            if still_counts && is_of_one_segment(&kind) {
                kinds.insert(kind);
            }
        }
        kinds.remove(&ours.counts);
        let keys = |more: Counts, less: Counts| {
            let metrics = Metric::ALL.iter().zip(more.into_iter().zip(less));
            metrics.filter(|(_, (more, less))| more > less).map(|(metric, _)| metric.json_key).collect()
        };
        let variation = |counts: Counts| {
            let variation = Variation::Counted { as_well: keys(counts, ours.counts), not: keys(ours.counts, counts) };
            (variation, Placement { counts, ..*ours })
        };
        kinds.into_iter().map(variation).collect()
    }

    fn in_other_skills<'o>(&'o self, ours: &'o Placement) -> impl Iterator<Item = (Variation, Placement)> + 'o {
        let others = self.skills.iter().copied().filter(move |skill| *skill != ours.skill);
        others.map(move |skill| (Variation::Skill(skill), Placement { skill, ..*ours }))
    }

    /// It ended beyond a boundary of a part of a recording that differs.
    fn moved(&self, ours: &Placement) -> Vec<(Variation, Placement)> {
        let boundaries = self.evidence.differing_near(ours.skill, ours.end_time);
        let boundaries = boundaries.filter_map(|(series, recording)| series.across(recording, ours.end_time)).flatten();
        let mut instants = BTreeSet::new();
        for instant in boundaries.filter(|instant| instant.abs_diff(ours.end_time) <= NEAR_MS.unsigned_abs()) {
            instants.insert(instant);
            if instants.len() >= MAX_MOVES {
                break;
            }
        }
        let moved =
            |end_time: i64| (Variation::Moved(end_time.saturating_sub(ours.end_time)), Placement { end_time, ..*ours });
        instants.into_iter().map(moved).collect()
    }
}

/// It is of another user type, as far as questions can tell: human, bot, or neither.
fn of_other_user_types(ours: &Placement) -> Vec<(Variation, Placement)> {
    let neither = |user_type| matches!(user_type, UserType::Mixed | UserType::None);
    let others = [UserType::Human, UserType::Bot, UserType::Mixed];
    let others =
        others.into_iter().filter(|other| *other != ours.user_type && !(neither(*other) && neither(ours.user_type)));
    others.map(|user_type| (Variation::UserType(user_type), Placement { user_type, ..*ours })).collect()
}
