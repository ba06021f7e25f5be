//! Every replayed report is, byte for byte, what the endpoint answers at that instant.

use proptest::prelude::*;
use proptest::test_runner::Config;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::world::{Asked, DAY, END, HOUR, MINUTE, rows, shuffled, store, write};

/// A timeframe in minutes and an interval that divides it.
fn shapes() -> impl Strategy<Value = (i64, Option<i64>)> {
    prop_oneof![
        (1_i64..=1440).prop_map(|timeframe| (timeframe, None)),
        (5_i64..=60, 1_i64..=24).prop_map(|(interval, count)| (interval * count, Some(interval))),
    ]
}

pub(super) fn questions() -> impl Strategy<Value = Asked> {
    let every = prop_oneof![
        Just(5 * MINUTE),
        (1_i64..40).prop_map(|minutes| minutes * MINUTE),
        (5 * MINUTE..3 * HOUR),
        Just(DAY),
    ];
    let account = prop_oneof![Just(Some("account-1")), Just(Some("nobody")), Just(None)];
    let skills = prop_oneof![Just(None), Just(Some("3")), Just(Some("-1,2,5,2"))];
    let user_type = prop_oneof![Just(None), Just(Some("human")), Just(Some("bot"))];
    let times = (END - 3 * DAY..END + DAY, every, 0_i64..40);
    (account, times, shapes(), skills, user_type).prop_map(
        |(account, (from, every, count), shape, skills, user_type)| {
            let mut parameters = vec![("timeframe", shape.0.to_string())];
            parameters.extend(shape.1.map(|interval| ("interval", interval.to_string())));
            parameters.extend(skills.map(|skills| ("skillIds", skills.to_owned())));
            parameters.extend(user_type.map(|user_type| ("userType", user_type.to_owned())));
            Asked { account, from, to: from + count * every, every, parameters, as_known: false }
        },
    )
}

#[test]
fn replayed_reports_are_the_endpoints() {
    let rows = rows(3_000, 11);
    let folder = TempDir::new().unwrap();
    // In order of time in one, and in no order in the other.
    let (half, shuffled) = (rows.num_rows() / 2, shuffled(&rows));
    write(&folder.path().join("in/order.parquet"), &rows.slice(0, half), 200);
    let others = shuffled.num_rows();
    let second = rows.slice(half, others - half);
    write(&folder.path().join("in/none.parquet"), &super::world::shuffled(&second), 500);
    let runtime = Runtime::new().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(Config { cases: 40, ..Config::default() });
    let outcome = runner.run(&questions(), |asked| {
        let (replayed, answers) =
            runtime.block_on(async { (asked.replayed(folder.path()).await.unwrap(), asked.answers(&rows).await) });
        prop_assert_eq!(replayed, answers);
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_data_directory_is_read_with_the_rows_that_are_in_no_file() {
    let rows = rows(2_000, 3);
    let directory = TempDir::new().unwrap();
    let asked = [
        Asked::plain(),
        Asked { account: None, ..Asked::plain() }.with("interval", "20"),
        Asked { from: END - 2 * DAY, every: 7 * MINUTE, ..Asked::plain() }.with("userType", "human"),
    ];
    // All are in the journal, then those of the last hour alone, then those of the last hour and late ones.
    let late = rows.slice(500, 20);
    let early = arrow::compute::concat_batches(&rows.schema(), [&rows.slice(0, 500), &rows.slice(520, 1_480)]).unwrap();
    let first = store(directory.path(), &early);
    drop(first);
    for asked in &asked {
        assert_eq!(asked.replayed(directory.path()).await.unwrap(), asked.answers(&early).await);
    }
    let open = || skillscope_store::Store::open(directory.path()).unwrap();
    open().seal_finished_hours().unwrap();
    for asked in &asked {
        assert_eq!(asked.replayed(directory.path()).await.unwrap(), asked.answers(&early).await);
    }
    open().append(&late).unwrap();
    for asked in &asked {
        assert_eq!(asked.replayed(directory.path()).await.unwrap(), asked.answers(&rows).await);
    }
}
