//! How long those wait that wait, at an instant.

use super::waits::{Sum, Waits};

/// The waits of some skills together, as long as they are at an instant. None is below 0.
#[derive(Debug)]
pub struct WaitTimes<'w> {
    now: i64,
    skills: Vec<&'w Waits>,
    new: Waited,
    transferred: Waited,
}

/// The number of waits of a kind, and how long they are together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Waited {
    number: u64,
    together: i128,
}

impl Waited {
    /// That of all waits with this sum, as if none began later than `now`.
    fn of(sum: Sum, now: i64) -> Self {
        let together = i128::from(now).saturating_mul(i128::from(sum.number)).saturating_sub(sum.starts);
        Self { number: sum.number, together }
    }

    fn add(&mut self, other: Self) {
        self.number = self.number.saturating_add(other.number);
        self.together = self.together.saturating_add(other.together);
    }

    /// The mean, in milliseconds, rounded half up.
    fn mean(self) -> Option<i64> {
        rounded_ratio(self.together, i128::from(self.number))
    }
}

impl<'w> WaitTimes<'w> {
    pub(super) fn at(now: i64, skills: impl Iterator<Item = &'w Waits>) -> Self {
        let skills: Vec<_> = skills.filter(|waits| waits.sums.number() > 0).collect();
        let (mut new, mut transferred) = (Waited::default(), Waited::default());
        for waits in &skills {
            new.add(Waited::of(waits.sums.new, now));
            transferred.add(Waited::of(waits.sums.transferred, now));
            for start in waits.after(now) {
                // It has not begun, and counts as 0 instead of less.
                let below = i128::from(start.time).saturating_sub(i128::from(now));
                new.together = new.together.saturating_add(below.saturating_mul(i128::from(start.new)));
                let of_transfers = below.saturating_mul(i128::from(start.transferred));
                transferred.together = transferred.together.saturating_add(of_transfers);
            }
        }
        Self { now, skills, new, transferred }
    }

    /// How many wait.
    pub fn number(&self) -> u64 {
        self.new.number.saturating_add(self.transferred.number)
    }

    /// The mean wait in milliseconds, rounded half up; `None` where nobody waits.
    pub fn mean(&self) -> Option<i64> {
        let mut all = self.new;
        all.add(self.transferred);
        all.mean()
    }

    /// The mean of the waits that began with a new conversation, or with one that was resumed.
    pub fn mean_of_new_conversations(&self) -> Option<i64> {
        self.new.mean()
    }

    /// The mean of the waits that began with a transfer.
    pub fn mean_after_transfers(&self) -> Option<i64> {
        self.transferred.mean()
    }

    /// The longest wait in milliseconds; `None` where nobody waits.
    pub fn longest(&self) -> Option<i64> {
        self.skills.iter().filter_map(|waits| waits.first()).min().map(|first| self.since(first))
    }

    /// The wait in milliseconds that `percent` of 100 are not longer than, interpolated between the two next to it as
    /// PostgreSQL's `percentile_cont` does, and rounded half up. `None` where nobody waits.
    pub fn percentile(&self, percent: u64) -> Option<i64> {
        let last = self.number().checked_sub(1)?;
        let hundredths = last.saturating_mul(percent.min(100));
        let (below, rest) = (hundredths / 100, hundredths % 100);
        let lower = self.nth_shortest(below)?;
        let upper = if rest == 0 { lower } else { self.nth_shortest(below.saturating_add(1))? };
        let between = i128::from(upper.saturating_sub(lower)).saturating_mul(i128::from(rest));
        rounded_ratio(i128::from(lower).saturating_mul(100).saturating_add(between), 100)
    }

    /// The wait with this place (from 0) among all, the shortest first.
    fn nth_shortest(&self, place: u64) -> Option<i64> {
        // The shortest wait began last.
        let of_starts = self.number().checked_sub(1)?.checked_sub(place)?;
        let start = match self.skills.as_slice() {
            [only] => only.nth(of_starts)?,
            several => nth_start(several, of_starts)?,
        };
        Some(self.since(start))
    }

    fn since(&self, start: i64) -> i64 {
        self.now.saturating_sub(start).max(0)
    }
}

/// The start with this place (from 0) in the order of the starts of several skills: the latest before which there are no
/// more than that.
fn nth_start(skills: &[&Waits], place: u64) -> Option<i64> {
    let mut low = skills.iter().filter_map(|waits| waits.first()).min()?;
    let mut high = skills.iter().filter_map(|waits| waits.last()).max()?;
    while low < high {
        // Between the two, and above the lower one.
        let middle = i64::try_from((i128::from(low) + i128::from(high) + 1).div_euclid(2)).ok()?;
        let before = skills.iter().map(|waits| waits.before(middle)).fold(0, u64::saturating_add);
        if before <= place {
            low = middle;
        } else {
            high = middle.saturating_sub(1);
        }
    }
    Some(low)
}

/// `dividend / divisor`, rounded half up; `None` where the divisor is 0.
fn rounded_ratio(dividend: i128, divisor: i128) -> Option<i64> {
    let doubled = dividend.saturating_mul(2).saturating_add(divisor);
    let rounded = doubled.checked_div_euclid(divisor.saturating_mul(2))?;
    Some(i64::try_from(rounded).unwrap_or(i64::MAX))
}
