//! Statements of SQL, by all doors.

use skillscope_query::{DoorCounts, SqlLoad};

use super::{Definition, Exposition, word};

const STATEMENTS: Definition = Definition::counter(
    "skillscope_sql_statements",
    &["door", "outcome"],
    "Statements that have ended, by how: answered, wrong, abandoned by the client, killed, timed_out, out_of_memory, turned_away for others, or failed.",
);

const DURATION: Definition = Definition::histogram(
    "skillscope_sql_statement_duration",
    &["door"],
    "From a statement's arrival until its last row was taken, or until it ended otherwise.",
)
.in_seconds();

const ROWS: Definition =
    Definition::counter("skillscope_sql_returned_rows", &["door"], "Rows that statements have computed for clients.");

const ACTIVE: Definition = Definition::gauge(
    "skillscope_sql_statements_active",
    &["state"],
    "Statements that have not ended: waiting for their turn, planning, running, or unread by their client.",
);

const LIMIT: Definition =
    Definition::gauge("skillscope_sql_statements_limit", &[], "Statements that may be at work at a time.");

const SPILL: Definition =
    Definition::gauge("skillscope_sql_spill", &[], "Disk space that statements have spilled to.").in_bytes();

const SPILL_LIMIT: Definition =
    Definition::gauge("skillscope_sql_spill_limit", &[], "Disk space that statements may spill to.").in_bytes();

pub(super) fn add(all: &mut Exposition, doors: Vec<DoorCounts>, load: &SqlLoad) {
    let outcomes = doors.iter().flat_map(|of_door| {
        let outcomes = of_door.outcomes.iter();
        outcomes.map(|(outcome, number)| ([word(of_door.door), word(outcome.word())], (*number).into()))
    });
    all.family(&STATEMENTS, outcomes);
    all.family(&ROWS, doors.iter().map(|of_door| ([word(of_door.door)], of_door.rows.into())));
    all.family(&DURATION, doors.into_iter().map(|of_door| ([word(of_door.door)], of_door.seconds.into())));
    all.family(&ACTIVE, load.statements.iter().map(|(state, number)| ([word(state)], (*number).into())));
    all.single(&LIMIT, load.most_at_work);
    all.single(&SPILL, load.spill_bytes);
    all.single(&SPILL_LIMIT, load.spill_limit_bytes);
}
