//! What differs, as text for people.

use skillscope_replay::{Finding, Findings, Part, QuestionFindings, Told};
use skillscope_segment::format_instant;

use crate::escaped::Escaped;
use crate::grid::{Grid, GridStyle};
use crate::output;

/// The columns of the table, and whether they have numbers.
const COLUMNS: [(&str, bool); 9] = [
    ("skill", true),
    ("part", false),
    ("metric", false),
    ("recordings", true),
    ("theirs - ours", true),
    ("first", false),
    ("ours", true),
    ("theirs", true),
    ("last", false),
];

/// Prints how many recordings differ, and for each question in what. A table has at most `limit` rows.
pub(super) fn print(findings: &Findings, limit: usize) {
    let Findings { recordings, differing, .. } = *findings;
    let differ = match differing {
        0 => "all of them are equal".to_owned(),
        1 => format!("{} are equal, 1 differs", recordings.saturating_sub(1)),
        _ => format!("{} are equal, {differing} differ", recordings.saturating_sub(differing)),
    };
    output::print(&format!("compared {}: {differ}", counted(recordings, "recording")));
    if let Some(instants) = instants(findings) {
        output::print(&instants);
    }
    for question in &findings.questions {
        print_question(question, limit);
    }
}

/// A number of things, in words.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// How the instants of the recordings are known, where timestamps tell some of them.
fn instants(findings: &Findings) -> Option<String> {
    let by_timestamps = findings.by_timestamps;
    if by_timestamps == 0 {
        return None;
    }
    let delays = findings.delays.map_or(String::new(), |(shortest, longest)| {
        let range = if shortest == longest { longest.to_string() } else { format!("{shortest} to {longest}") };
        format!(", {range} ms after the recorded one")
    });
    let others = if by_timestamps < findings.recordings { "; the others are of the recorded instant" } else { "" };
    let recordings = counted(by_timestamps, "recording");
    Some(format!("the timestamps of intervals tell the instant of {recordings}{delays}{others}"))
}

fn print_question(question: &QuestionFindings, limit: usize) {
    let QuestionFindings { recordings, differing, span: (first, last), .. } = *question;
    let (account, query) = (Escaped(&question.account), Escaped(&question.query));
    let differ = match differing {
        0 => "all equal".to_owned(),
        1 => "1 differs".to_owned(),
        count => format!("{count} differ"),
    };
    let (recordings, first, last) = (counted(recordings, "recording"), format_instant(first), format_instant(last));
    output::print(&format!("\n{account}, {query}: {recordings} from {first} to {last}, {differ}"));
    if question.findings.is_empty() {
        return;
    }
    let columns = COLUMNS.into_iter().map(|(name, is_number)| (name.to_owned(), is_number));
    let mut grid = Grid::new(GridStyle::Plain, columns);
    for finding in question.findings.iter().take(limit) {
        grid.add(row(finding, question.intervals).into_iter());
    }
    output::print(grid.text().trim_end());
    let hidden = question.findings.len().saturating_sub(limit);
    if hidden > 0 {
        output::print(&format!("({hidden} more rows; --limit shows more)"));
    }
}

fn row(finding: &Finding, intervals: usize) -> [String; 9] {
    let (ours, theirs) = &finding.first;
    [
        finding.skill.map_or("all".to_owned(), |skill| skill.to_string()),
        part(finding.part, intervals),
        finding.metric.json_key.to_owned(),
        finding.recordings.to_string(),
        more(finding),
        format_instant(finding.span.0),
        ours.to_string(),
        theirs.to_string(),
        format_instant(finding.span.1),
    ]
}

fn part(part: Part, intervals: usize) -> String {
    match part {
        Part::Timeframe => "timeframe".to_owned(),
        Part::Interval(0) => "newest interval".to_owned(),
        Part::Interval(place) => format!("interval {} of {intervals}", place.saturating_add(1)),
    }
}

/// By how much theirs is more, or that it is no number.
fn more(finding: &Finding) -> String {
    let untold = || match &finding.first.1 {
        Told::Other(_) => "no number",
        Told::Missing | Told::Number(_) => "missing",
    };
    let Some((least, most)) = finding.more else { return untold().to_owned() };
    let range = range(least, most);
    match finding.untold {
        0 if finding.is_of_rounding() => format!("{range}, rounding"),
        0 => range,
        some => format!("{range}; missing in {some}"),
    }
}

/// A range of differences, such as `-1` or `-2 to +1`.
pub(super) fn range(least: i64, most: i64) -> String {
    if least == most { format!("{least:+}") } else { format!("{least:+} to {most:+}") }
}
