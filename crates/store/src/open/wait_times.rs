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
        // The shortest wait began last.
        let place = last.checked_sub(below)?;
        let start = self.nth_start(place)?;
        let lower = self.since(start);
        let upper = if rest == 0 { lower } else { self.since(self.start_before(start, place)?) };
        let between = i128::from(upper.saturating_sub(lower)).saturating_mul(i128::from(rest));
        rounded_ratio(i128::from(lower).saturating_mul(100).saturating_add(between), 100)
    }

    /// The start with this place (from 0) among all, the first first.
    fn nth_start(&self, place: u64) -> Option<i64> {
        match self.skills.as_slice() {
            [only] => only.nth(place),
            several => nth_start(several, place),
        }
    }

    /// The start before the one that has this place.
    fn start_before(&self, start: i64, place: u64) -> Option<i64> {
        if number_before(&self.skills, start) < place {
            return Some(start);
        }
        self.skills.iter().filter_map(|waits| waits.last_before(start)).max()
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
        if number_before(skills, middle) <= place {
            low = middle;
        } else {
            high = middle.saturating_sub(1);
        }
    }
    Some(low)
}

/// The number of waits that began before an instant.
fn number_before(skills: &[&Waits], instant: i64) -> u64 {
    skills.iter().map(|waits| waits.before(instant)).fold(0, u64::saturating_add)
}

/// `dividend / divisor`, rounded half up; `None` where the divisor is 0.
fn rounded_ratio(dividend: i128, divisor: i128) -> Option<i64> {
    let doubled = dividend.saturating_mul(2).saturating_add(divisor);
    let rounded = doubled.checked_div_euclid(divisor.saturating_mul(2))?;
    Some(i64::try_from(rounded).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use skillscope_segment::{Wait, WaitKind};

    use super::*;

    fn kind(is_transfer: bool) -> WaitKind {
        if is_transfer { WaitKind::Transfer } else { WaitKind::NewConversation }
    }

    /// `percentile_cont` by its definition: between the neighbours of `share * (n - 1)` in the sorted waits.
    fn percentile(sorted: &[i64], share: f64) -> Option<i64> {
        let position = share * (sorted.len().checked_sub(1)?) as f64;
        let (below, above) = (sorted[position.floor() as usize] as f64, sorted[position.ceil() as usize] as f64);
        Some((below + (above - below) * position.fract() + 0.5 + 1e-6).floor() as i64)
    }

    fn mean(waits: &[i64]) -> Option<i64> {
        let (sum, number) = (waits.iter().sum::<i64>(), waits.len() as i64);
        (number > 0).then(|| (2 * sum + number).div_euclid(2 * number))
    }

    proptest! {
        #[test]
        fn they_are_what_sorting_gives(
            skills in prop::collection::vec(prop::collection::vec((0..60_i64, any::<bool>(), any::<bool>()), 0..40), 1..5),
            now in 20..70_i64,
        ) {
            let (mut kept, mut sets) = (Vec::new(), Vec::new());
            for starts in &skills {
                let mut waits = Waits::default();
                starts.iter().for_each(|(since, is_transfer, _)| waits.add(Wait { since: *since, kind: kind(*is_transfer) }));
                let held = waits.clone();
                let gone = starts.iter().filter(|(.., is_over)| *is_over);
                gone.for_each(|(since, is_transfer, _)| waits.remove(Wait { since: *since, kind: kind(*is_transfer) }));
                prop_assert_eq!(held.sums.number(), starts.len() as u64);
                prop_assert_eq!(held.nth(0), starts.iter().map(|(since, ..)| *since).min());
                kept.extend(starts.iter().filter(|(.., is_over)| !is_over).map(|(since, is_transfer, _)| {
                    ((now - since).max(0), *is_transfer)
                }));
                sets.push(waits);
            }
            kept.sort_unstable();
            let sorted: Vec<i64> = kept.iter().map(|(wait, _)| *wait).collect();
            let of = |is_transfer: bool| -> Vec<i64> {
                kept.iter().filter(|(_, of_transfer)| *of_transfer == is_transfer).map(|(wait, _)| *wait).collect()
            };
            let times = WaitTimes::at(now, sets.iter());
            prop_assert_eq!(times.number(), sorted.len() as u64);
            prop_assert_eq!(times.longest(), sorted.last().copied());
            prop_assert_eq!(times.mean(), mean(&sorted));
            prop_assert_eq!(times.mean_of_new_conversations(), mean(&of(false)));
            prop_assert_eq!(times.mean_after_transfers(), mean(&of(true)));
            for (percent, share) in [(0, 0.0), (50, 0.5), (90, 0.9), (100, 1.0)] {
                prop_assert_eq!(times.percentile(percent), percentile(&sorted, share));
            }
        }
    }
}
