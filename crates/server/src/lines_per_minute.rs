//! Lines of the log that tell something of each event, for as many a minute as anybody reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::once_per_minute::OncePerMinute;

const MINUTE: Duration = Duration::from_secs(60);

/// Lets some lines a minute into the log, and counts the others.
pub(crate) struct LinesPerMinute {
    most: u32,
    minute: Mutex<Minute>,
    others: Arc<OncePerMinute>,
}

#[derive(Default)]
struct Minute {
    begun: Option<Instant>,
    lines: u32,
}

impl LinesPerMinute {
    /// Lets `most` lines a minute into the log. `others` logs how many had no line; it is given the number.
    pub(crate) fn new(most: u32, others: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self { most, minute: Mutex::default(), others: OncePerMinute::new(others) }
    }

    /// Whether one more line may be written now. One that may not be is counted.
    pub(crate) fn admit(&self) -> bool {
        let mut minute = self.minute.lock();
        if minute.begun.is_none_or(|begun| begun.elapsed() >= MINUTE) {
            *minute = Minute { begun: Some(Instant::now()), lines: 0 };
        }
        minute.lines += 1;
        let is_admitted = minute.lines <= self.most;
        drop(minute);
        if !is_admitted {
            self.others.note();
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn some_lines_a_minute_are_written_and_the_others_counted() {
        let counted = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&counted);
        let lines = LinesPerMinute::new(2, move |number| sink.lock().push(number));
        assert_eq!([(); 4].map(|()| lines.admit()), [true, true, false, false]);
        assert_eq!(*counted.lock(), [1]);
        // As if the minute were over.
        lines.minute.lock().begun = Instant::now().checked_sub(MINUTE);
        assert!(lines.admit());
    }
}
