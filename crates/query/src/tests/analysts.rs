//! What analysts know from DuckDB, and reports whose arguments are parameters: described, prepared, explained and bounded as
//! every statement is. `tests/sql/duckdb.slt` has what is computed.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use skillscope_segment::{Outcome, UserType};

use super::world::{Facts, World, segments};
use crate::{Error, SqlSession};

const NOW: i64 = 1_516_265_515_679;

/// Three segments of acme that ended within the last hour, and one of bolt.
fn world() -> World {
    let fact = |account, skill| Facts {
        account,
        skill,
        end_time: NOW - 1,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(3),
    };
    World::new(NOW, &segments(&[fact("acme", 1), fact("acme", 2), fact("acme", 2), fact("bolt", 3)]))
}

async fn rows(session: &SqlSession, text: &str, values: Vec<ScalarValue>) -> Result<Vec<RecordBatch>, Error> {
    session.run(text, values).await?.try_collect().await
}

/// The whole numbers of a column.
fn numbers(rows: &[RecordBatch], column: &str) -> Vec<i64> {
    let of = |batch: &RecordBatch| batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().values().to_vec();
    rows.iter().flat_map(of).collect()
}

async fn refused(session: &SqlSession, text: &str, values: Vec<ScalarValue>) -> String {
    match rows(session, text, values).await {
        Err(error) => error.public_text(),
        Ok(rows) => panic!("{text}: {rows:?}"),
    }
}

const SUMMARY: [&str; 12] = [
    "column_name",
    "column_type",
    "min",
    "max",
    "approx_unique",
    "avg",
    "std",
    "q25",
    "q50",
    "q75",
    "count",
    "null_percentage",
];

#[tokio::test]
async fn a_summary_has_the_same_columns_whatever_it_is_of() {
    let (world, bigint, text) = (world(), DataType::Int64, DataType::Utf8);
    let session = world.session(Some("acme"));
    for of in ["segments", "metrics_by_hour", "SELECT 1", "from segments where skill_id = 1 limit 1", "(values (1))"] {
        for statement in [format!("summarize {of}"), format!(" /* all */ SUMMARIZE {of} ;")] {
            let described = session.describe(&statement).await.unwrap();
            let names: Vec<&str> = described.schema.fields().iter().map(|field| field.name().as_str()).collect();
            assert_eq!(names, SUMMARY, "{statement}");
            for (number, field) in described.schema.fields().iter().enumerate() {
                let expected = match number {
                    4 | 10 => &bigint,
                    11 => &DataType::Decimal128(9, 2),
                    _ => &text,
                };
                assert_eq!(field.data_type(), expected, "{statement}: {}", field.name());
            }
            assert_eq!(rows(&session, &statement, Vec::new()).await.unwrap()[0].schema(), described.schema);
        }
    }
}

#[tokio::test]
async fn a_summary_is_of_the_rows_that_its_session_sees() {
    let world = world();
    let fields = skillscope_segment::schema().fields().len();
    for (account, count, skills) in [(Some("acme"), 3, 2), (Some("bolt"), 1, 1), (Some("nobody"), 0, 0), (None, 4, 3)] {
        let summary = rows(&world.session(account), "summarize segments", Vec::new()).await.unwrap();
        assert_eq!(numbers(&summary, "count"), vec![count; fields]);
        let place = skillscope_segment::schema().index_of("skill_id").unwrap();
        assert_eq!(numbers(&summary, "approx_unique")[place], skills);
        let names = summary[0].column_by_name("column_name").unwrap().as_string::<i32>().iter().flatten();
        let schema = skillscope_segment::schema();
        assert!(names.eq(schema.fields().iter().map(|field| field.name().as_str())));
    }
}

#[tokio::test]
async fn summaries_are_prepared_and_explained_and_only_read() {
    let world = world();
    let session = world.session(None).only_reading();
    let text = "summarize from segments where account_id = $1 and skill_id > $2";
    let described = session.describe(text).await.unwrap();
    assert_eq!(described.parameters, [Some(DataType::Utf8), Some(DataType::Int64)]);
    let summary = rows(&session, text, vec!["acme".into(), 1_i64.into()]).await.unwrap();
    assert_eq!(numbers(&summary, "count")[0], 2);
    for explain in ["explain", "EXPLAIN VERBOSE", "explain analyze", "explain format tree"] {
        let plan = rows(&session, &format!("{explain} summarize segments"), Vec::new()).await.unwrap();
        assert!(plan.iter().map(RecordBatch::num_rows).sum::<usize>() > 0, "{explain}");
    }
    let text = refused(&session, "summarize select kill_query(1)", Vec::new()).await;
    assert!(text.contains("only statements that read"), "{text}");
    let many: Vec<String> = (0..201).map(|number| format!("1 as c{number}")).collect();
    let text = refused(&session, &format!("summarize select {}", many.join(", ")), Vec::new()).await;
    assert!(text.contains("there are 201 columns; at most 200 are summarized"), "{text}");
    for text in ["summarize", "summarize delete from segments", "summarize nothing", "summarize segments; select 1"] {
        refused(&session, text, Vec::new()).await;
    }
}

#[tokio::test]
async fn views_may_begin_with_from_and_be_ordered_by_all() {
    let world = world();
    let session = world.session(None).with_administration();
    session
        .run("create view v as from segments select skill_id, count(*) as n group by all", Vec::new())
        .await
        .unwrap();
    session.run("create view w as from v where skill_id > 1 order by all desc", Vec::new()).await.unwrap();
    let found = rows(&session, "from w select skill_id order by all", Vec::new()).await.unwrap();
    assert_eq!(numbers(&found, "skill_id"), [2, 3]);
    let summary = rows(&session, "summarize w", Vec::new()).await.unwrap();
    assert_eq!(numbers(&summary, "count"), [2, 2]);
    let text = "from segments where skill_id = $1 order by all limit $2";
    let described = session.describe(text).await.unwrap();
    assert_eq!(described.parameters, [Some(DataType::Int64), Some(DataType::Int64)]);
    assert_eq!(rows(&session, text, vec![2_i64.into(), 1_i64.into()]).await.unwrap()[0].num_rows(), 1);
}

#[tokio::test]
async fn arguments_of_a_report_are_parameters() {
    let world = world();
    let session = world.session(Some("acme"));
    let text = "select skill_id, total from skill_report($1, $2, $3, $4, $5, $6) \
                where interval_start is null and total >= $7 order by all";
    let described = session.describe(text).await.unwrap();
    let now = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let types =
        [DataType::Utf8, now, DataType::Int64, DataType::Int64, DataType::Utf8, DataType::Utf8, DataType::Int64];
    assert_eq!(described.parameters, types.map(Some));
    let instant = ScalarValue::TimestampMillisecond(Some(NOW), Some("UTC".into()));
    let values = |account: &str, now: ScalarValue| {
        vec![account.into(), now, 60_i64.into(), 30_i64.into(), "1,2".into(), ScalarValue::Utf8(None), 2_i64.into()]
    };
    for now in [instant, ScalarValue::Int64(Some(NOW)), "2018-01-18T08:51:55.679Z".into()] {
        let found = rows(&session, text, values("acme", now)).await.unwrap();
        assert_eq!(numbers(&found, "total"), [2, 3], "skill 2, and the total");
    }
    let text = refused(&session, text, values("bolt", NOW.into())).await;
    assert!(text.contains("this session sees its own account only"), "{text}");
    let text = "select count(*) as n from segments where skill_id = $1 and exists \
                (select 1 from skill_report(null, $2::timestamptz - interval '1 minute' * 0, $3) r where r.skill_id = segments.skill_id)";
    assert_eq!(session.describe(text).await.unwrap().parameters.len(), 3);
    let found =
        rows(&session, text, vec![2_i64.into(), "2018-01-18T08:51:55.679Z".into(), 60_i64.into()]).await.unwrap();
    assert_eq!(numbers(&found, "n"), [2]);
    let text = "select * from skill_report('acme', now(), $1)";
    for (value, reason) in [(ScalarValue::Int64(Some(0)), "timeframe"), (ScalarValue::Int64(None), "no value")] {
        let told = refused(&session, text, vec![value]).await;
        assert!(told.contains(reason), "{told}");
    }
    assert!(refused(&session, text, Vec::new()).await.contains("1 parameters, and 0 values"));
    assert!(refused(&session, "select * from skill_report($1, $2)", Vec::new()).await.contains("at least three"));
}
