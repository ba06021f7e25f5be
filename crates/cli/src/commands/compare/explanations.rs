//! Which conversations may be why numbers differ, as text for people.

use skillscope_replay::{Explanation, Suspect, Unexplained, Variation, Verdict};
use skillscope_segment::{UserType, format_instant};

use super::differences::{counted, range};
use crate::escaped::Escaped;
use crate::grid::{Grid, GridStyle};
use crate::output;

/// The columns of the table, and whether they have numbers.
const COLUMNS: [(&str, bool); 9] = [
    ("reason", false),
    ("conversation_id", false),
    ("segment_index", true),
    ("skill_id", true),
    ("end_time", false),
    ("outcome", false),
    ("user_type", false),
    ("the other endpoint may", false),
    ("explains", true),
];

/// The most segments that are shown of those that explain the same.
const SHOWN_ALIKE: usize = 10;

/// Prints the segments that explain differences, and what none explains. A table has at most `limit` rows.
pub(super) fn print(verdict: &Verdict, limit: usize) {
    let explained = verdict.explanations.iter().map(|reason| reason.explains).fold(0, u64::saturating_add);
    let (account, differences) = (Escaped(&verdict.account), counted(verdict.differences, "difference"));
    let cut = if verdict.is_cut { "; there are more, which were not looked at" } else { "" };
    output::print(&format!("\n{account}: segments here explain {explained} of {differences} of skills{cut}"));
    if !verdict.explanations.is_empty() {
        print_table(verdict, limit);
    }
    for left in verdict.unexplained.iter().take(limit) {
        output::print(&unexplained(left));
    }
    let hidden = verdict.unexplained.len().saturating_sub(limit);
    if hidden > 0 {
        output::print(&format!("({hidden} more skills with differences that nothing explains; --limit shows more)"));
    }
}

fn print_table(verdict: &Verdict, limit: usize) {
    let columns = COLUMNS.into_iter().map(|(name, is_number)| (name.to_owned(), is_number));
    let mut grid = Grid::new(GridStyle::Plain, columns);
    let reasons = verdict.explanations.iter().enumerate();
    let mut rows = reasons.flat_map(|(number, reason)| {
        let shown = reason.suspects.iter().take(SHOWN_ALIKE);
        shown.map(move |suspect| row(number.saturating_add(1), reason, suspect, verdict.differences))
    });
    rows.by_ref().take(limit).for_each(|row| grid.add(row.into_iter()));
    let hidden = rows.count();
    output::print(grid.text().trim_end());
    if hidden > 0 {
        output::print(&format!("({hidden} more rows; --limit shows more)"));
    }
}

fn row(number: usize, reason: &Explanation, suspect: &Suspect, differences: u64) -> [String; 9] {
    let segment = &suspect.segment;
    let among = match (reason.segments, reason.suspects.len()) {
        (segments, all) if segments == all => String::new(),
        (segments, all) => format!(", {segments} of {all}"),
    };
    let against = match reason.contradicts {
        0 => String::new(),
        count => format!(", against {count}"),
    };
    [
        format!("{number}{among}"),
        segment.conversation.clone(),
        segment.index.map_or(String::new(), |index| index.to_string()),
        segment.skill.to_string(),
        format_instant(segment.end_time),
        segment.outcome.clone(),
        segment.user_type.clone(),
        told(&suspect.variation),
        format!("{} of {differences}{against}", reason.explains),
    ]
}

/// What the other endpoint may do with a segment.
fn told(variation: &Variation) -> String {
    match variation {
        Variation::Absent => "not have it".to_owned(),
        Variation::Counted { as_well, not } if as_well.is_empty() => format!("not count it in {}", not.join(", ")),
        Variation::Counted { as_well, .. } => format!("count it in {}", as_well.join(", ")),
        Variation::Skill(skill) => format!("have it in skill {skill}"),
        Variation::UserType(UserType::Mixed | UserType::None) => "have it as neither human nor bot".to_owned(),
        Variation::UserType(user_type) => format!("have it as {}", user_type.as_str()),
        Variation::Moved(distance) => {
            let direction = if *distance < 0 { "earlier" } else { "later" };
            format!("have it end {} ms or more {direction}", distance.saturating_abs())
        }
        Variation::FirstMessage => "have another time to its first message".to_owned(),
    }
}

fn unexplained(left: &Unexplained) -> String {
    let (first, last) = (format_instant(left.span.0), format_instant(left.span.1));
    let (skill, query, key) = (left.skill, Escaped(&left.query), left.metric.json_key);
    let recordings = counted(left.recordings, "recording");
    let place = format!("{recordings} of {query} from {first} to {last}, skill {skill}");
    match left.more {
        Some((least, most)) if least > 0 => {
            let more = if least == most { most.to_string() } else { format!("{least} to {most}") };
            format!("{place}: theirs has {more} more in {key}; nothing here could be it")
        }
        Some((least, most)) => format!("{place}: {key} differs by {}; no segment here explains it", range(least, most)),
        None => format!("{place}: {key} differs; no segment here explains it"),
    }
}
