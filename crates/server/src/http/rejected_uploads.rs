//! Lines of the log about uploads of which something was not taken: whoever runs the server is mostly not who sends
//! them, and the sender may not look at the answers.

use std::sync::LazyLock;

use skillscope_store::Ingested;

use super::problem::Problem;
use crate::lines_per_minute::LinesPerMinute;

/// So many uploads a minute have a line each. Of the others, their number is told.
const LINES: u32 = 20;

/// So many characters are shown of what somebody sent.
const SHOWN: usize = 300;

static LINES_PER_MINUTE: LazyLock<LinesPerMinute> = LazyLock::new(|| {
    LinesPerMinute::new(LINES, |number| {
        tracing::warn!(number, "more uploads had something that was not taken");
    })
});

/// Logs an upload of which something, or all, was rejected. What failed for the server's own reasons has its line
/// elsewhere.
pub(super) fn log(account: &str, records: &str, outcome: &Result<Ingested, Problem>) {
    match outcome {
        Ok(ingested) if ingested.rejected_count > 0 && LINES_PER_MINUTE.admit() => {
            let first = ingested.rejected.first();
            let (line, reason) = first.map_or((0, ""), |first| (first.line, first.error.as_str()));
            tracing::warn!(
                account = shown(account),
                records,
                rejected = ingested.rejected_count,
                accepted = ingested.accepted,
                first = line,
                reason = shown(reason),
                "an upload had records that were rejected"
            );
        }
        Err(problem) => {
            if let Some((status, reason)) = problem.refusal()
                && LINES_PER_MINUTE.admit()
            {
                let (account, reason) = (shown(account), shown(reason));
                tracing::warn!(account, records, status, reason, "an upload was rejected");
            }
        }
        Ok(_) => {}
    }
}

/// The beginning of a text, which may be of any length.
fn shown(text: &str) -> &str {
    text.char_indices().nth(SHOWN).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shown("é"), "é");
        assert_eq!(shown(&"é".repeat(SHOWN + 1)), "é".repeat(SHOWN));
    }
}
