//! How far the machine's clock is believed: plain data, and no clock.

/// A clock may be so far ahead of the time that has passed, in milliseconds: it is being corrected, or drifts.
const CORRECTION_MS: i64 = 300_000;

/// Between two runs so much time may have passed, in milliseconds, without a word about it.
const BREAK_MS: i64 = 3_600_000;

/// Rows that arrive and ended so long ago at most, in milliseconds, agree with a clock.
const LIVE_MS: i64 = 3_600_000;

/// A clock that has jumped is believed after so many milliseconds if rows agree with it …
pub(super) const WITH_ROWS_MS: i64 = 3_600_000;

/// … and after so many if none do.
pub(super) const WITHOUT_ROWS_MS: i64 = 24 * 3_600_000;

/// In doubt, it is said again after so many milliseconds.
const REMINDER_MS: i64 = 3_600_000;

/// Up to when time has come for certain. It goes on with a steady clock, that nobody can set, and follows the machine's
/// clock where that is only corrected. A machine's clock that is further ahead has jumped, or the machine has slept:
/// it is *doubted*, until rows arrive that ended in the time which it says it is, or for a day at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Belief {
    now: i64,
    doubt: Option<Doubt>,
}

/// A machine's clock that has jumped ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Doubt {
    /// For how long it has been doubted, in milliseconds.
    lasts: i64,
    /// Whether rows have arrived that agree with it.
    is_confirmed: bool,
    /// When it was said last, by [`lasts`](Self::lasts).
    said: i64,
}

/// A look at the clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// What the machine's clock says.
    pub(super) clock: i64,
    /// How much time has passed since the last look, by the steady clock.
    pub(super) passed: i64,
    /// The latest end of the rows that have arrived since the last look.
    pub(super) latest_row: Option<i64>,
}

/// What is to be said about the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remark {
    /// It is doubted, and so many milliseconds ahead.
    Doubted(i64),
    /// It is believed again.
    Believed,
}

impl Belief {
    /// Begins with what the clock says, unless that is far after the last time that the data directory knows of.
    pub(super) fn begin(clock: i64, known: Option<i64>) -> Self {
        let now = known.filter(|known| clock.saturating_sub(*known) > BREAK_MS).unwrap_or(clock);
        Self { now, doubt: None }
    }

    /// Up to when time has come.
    pub(super) fn now(&self) -> i64 {
        self.now
    }

    /// Takes a look in, and tells whether there is something to be said.
    pub(super) fn look(&mut self, look: Look) -> Option<Remark> {
        let passed = look.passed.max(0);
        let expected = self.now.saturating_add(passed);
        if look.clock <= expected.saturating_add(CORRECTION_MS) {
            // A clock that is behind, or was set back, is believed at once: less has expired by it.
            self.now = look.clock.min(expected.saturating_add(passed / 8));
            return self.doubt.take().map(|_| Remark::Believed);
        }
        self.now = expected;
        let is_new = self.doubt.is_none();
        let doubt = self.doubt.get_or_insert_default();
        doubt.lasts = if is_new { 0 } else { doubt.lasts.saturating_add(passed) };
        // Rows that came before the jump say nothing about it.
        doubt.is_confirmed |= !is_new && look.latest_row.is_some_and(|end| agrees(end, look.clock, expected));
        if doubt.lasts >= if doubt.is_confirmed { WITH_ROWS_MS } else { WITHOUT_ROWS_MS } {
            *self = Self { now: look.clock, doubt: None };
            return Some(Remark::Believed);
        }
        if !is_new && doubt.lasts.saturating_sub(doubt.said) < REMINDER_MS {
            return None;
        }
        doubt.said = doubt.lasts;
        Some(Remark::Doubted(look.clock.saturating_sub(expected)))
    }
}

/// Whether a row that has just arrived ended in the time that a clock says it is, and that would not have come without.
fn agrees(end: i64, clock: i64, expected: i64) -> bool {
    let since = expected.saturating_add(CORRECTION_MS).max(clock.saturating_sub(LIVE_MS));
    (since..=clock.saturating_add(CORRECTION_MS)).contains(&end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    /// Some instant.
    const NOON: i64 = 919_166_400_000;

    /// A clock, and the time that passes.
    struct Machine {
        belief: Belief,
        clock: i64,
        remarks: Vec<Remark>,
    }

    impl Machine {
        fn started() -> Self {
            Self { belief: Belief::begin(NOON, None), clock: NOON, remarks: Vec::new() }
        }

        fn started_after(known: i64) -> Self {
            Self { belief: Belief::begin(NOON, Some(known)), clock: NOON, remarks: Vec::new() }
        }

        fn look(&mut self, passed: i64, latest_row: Option<i64>) {
            self.clock += passed;
            self.remarks.extend(self.belief.look(Look { clock: self.clock, passed, latest_row }));
        }

        fn pass(&mut self, time: i64) {
            (0..time / MINUTE).for_each(|_| self.look(MINUTE, None));
        }
    }

    #[test]
    fn a_clock_that_goes_on_with_time_is_believed() {
        let mut machine = Machine::started();
        machine.pass(100 * HOUR);
        assert_eq!((machine.belief.now(), machine.remarks), (NOON + 100 * HOUR, Vec::new()));
    }

    #[test]
    fn a_clock_that_jumps_ahead_is_believed_after_a_day() {
        let mut machine = Machine::started();
        machine.clock += 50 * HOUR;
        machine.look(1000, None);
        assert_eq!(machine.remarks, [Remark::Doubted(50 * HOUR)]);
        machine.pass(24 * HOUR - MINUTE);
        assert_eq!(machine.belief.now(), NOON + 1000 + 24 * HOUR - MINUTE);
        assert_eq!(machine.remarks.len(), 24, "it is said again each hour");
        machine.pass(MINUTE);
        assert_eq!(machine.belief.now(), machine.clock);
        assert_eq!(machine.remarks.last(), Some(&Remark::Believed));
    }

    #[test]
    fn rows_that_agree_with_it_make_it_an_hour() {
        let mut machine = Machine::started();
        machine.clock += 50 * HOUR;
        machine.look(1000, None);
        machine.look(1000, Some(machine.clock - 10 * MINUTE));
        machine.pass(HOUR - MINUTE);
        assert!(machine.belief.now() < NOON + 2 * HOUR);
        machine.pass(MINUTE);
        assert_eq!(machine.belief.now(), machine.clock);
    }

    #[test]
    fn other_rows_say_nothing() {
        for end in [NOON, NOON + MINUTE, NOON + 30 * HOUR, NOON + 48 * HOUR, NOON + 60 * HOUR] {
            let mut machine = Machine::started();
            machine.clock += 50 * HOUR;
            machine.look(1000, Some(machine.clock));
            machine.look(1000, Some(end));
            machine.pass(23 * HOUR);
            assert!(machine.belief.now() < NOON + 24 * HOUR, "{end}");
        }
    }

    #[test]
    fn a_clock_that_is_set_right_again_is_believed_at_once() {
        let mut machine = Machine::started();
        machine.clock += 50 * HOUR;
        machine.pass(HOUR);
        machine.clock -= 50 * HOUR;
        machine.look(1000, None);
        assert_eq!((machine.belief.now(), machine.remarks.last()), (machine.clock, Some(&Remark::Believed)));
    }

    #[test]
    fn a_clock_that_is_set_back_is_believed_and_its_way_ahead_is_not() {
        let mut machine = Machine::started();
        machine.clock -= 50 * HOUR;
        machine.look(1000, None);
        assert_eq!(machine.belief.now(), machine.clock);
        machine.clock += 50 * HOUR;
        machine.look(1000, None);
        assert_eq!(machine.belief.now(), NOON - 50 * HOUR + 2000);
    }

    #[test]
    fn small_corrections_are_followed_and_do_not_add_up_to_a_jump() {
        let mut machine = Machine::started();
        machine.clock += 4 * MINUTE;
        machine.pass(HOUR);
        assert_eq!((machine.belief.now(), machine.remarks.len()), (machine.clock, 0));
        for _ in 0..60 {
            machine.clock += 4 * MINUTE;
            machine.look(1000, None);
        }
        assert!(machine.belief.now() < machine.clock - 3 * HOUR, "they came too fast");
    }

    #[test]
    fn a_start_believes_a_clock_that_is_not_far_after_what_is_known() {
        let start = |known| Machine::started_after(known).belief.now();
        assert_eq!(start(NOON - HOUR), NOON);
        assert_eq!(start(NOON + 9 * HOUR), NOON, "it was set back");
        assert_eq!(start(NOON - HOUR - 1), NOON - HOUR - 1);
        let mut late = Machine::started_after(NOON - 50 * HOUR);
        late.look(1000, None);
        assert_eq!(late.remarks, [Remark::Doubted(50 * HOUR)]);
        late.pass(24 * HOUR);
        assert_eq!(late.belief.now(), late.clock);
    }

    proptest! {
        /// Whatever the clock says, time does not come sooner than it passes, but by corrections, as long as no doubt
        /// has lasted an hour.
        #[test]
        fn no_clock_makes_time_come_before_it_has_passed(
            looks in prop::collection::vec((0..5 * MINUTE, -100 * HOUR..100 * HOUR, any::<bool>()), 0..12),
        ) {
            let (mut belief, mut all) = (Belief::begin(NOON, None), 0);
            for (passed, clock, has_rows) in looks {
                all += passed;
                let clock = NOON + clock;
                belief.look(Look { clock, passed, latest_row: has_rows.then_some(clock) });
                prop_assert!(belief.now() <= NOON + all + all / 8);
                prop_assert!(belief.now() <= clock.max(NOON + all));
            }
        }

        /// A clock that goes on evenly is believed in the end, wherever it jumped to.
        #[test]
        fn every_clock_is_believed_in_the_end(jump in -1000 * HOUR..1000 * HOUR) {
            let mut machine = Machine::started();
            machine.clock += jump;
            machine.pass(25 * HOUR);
            prop_assert_eq!(machine.belief.now(), machine.clock);
        }
    }
}
