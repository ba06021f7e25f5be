//! Words are text, however many rows there are.

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::util::pretty::pretty_format_batches;
use skillscope_segment::{Outcome, Segment, UserType};

use super::world::{Facts, World, segments};

const NOW: i64 = 1_516_265_515_679;

/// More rows than a key of eight bits can tell apart.
const ROWS: i64 = 600;

/// Every third segment is abandoned, and one is interactive by a bot after two by humans.
fn rows() -> Vec<Segment<'static>> {
    let fact = |number: i64| Facts {
        account: if number % 2 == 0 { "acme" } else { "bolt" },
        skill: 1 + number % 4,
        end_time: NOW - 60_000 * (ROWS - number),
        user_type: match number % 3 {
            0 => UserType::None,
            1 => UserType::Human,
            _ => UserType::Bot,
        },
        outcome: if number % 3 == 0 { Outcome::Abandoned } else { Outcome::Interactive },
        in_queue: false,
        sample: Some(number),
    };
    let mut segments = segments(&(0..ROWS).map(fact).collect::<Vec<_>>());
    for (number, segment) in segments.iter_mut().enumerate() {
        segment.source = (number % 5 > 0).then(|| format!("channel {}", number % 5).into());
    }
    segments
}

/// The rows in memory, in files, and some here and some there.
fn worlds() -> impl Iterator<Item = World> {
    let rows = rows();
    let places = [(26, 0), (0, rows.len()), (26, rows.len() / 2)];
    places.into_iter().map(move |(hot_hours, archived)| World::with_hot_hours(NOW, hot_hours, archived, &rows))
}

fn count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn functions_over_words_take_more_rows_than_there_are_short_keys() {
    let all = usize::try_from(ROWS).unwrap();
    let of_each = [
        ("lag(W) over (order by end_time)", all),
        ("lag(W, 1, 'none') over (order by end_time)", all),
        ("lead(W, 200) over (partition by account_id order by end_time)", all),
        ("first_value(W) over (order by end_time)", all),
        ("last_value(W) over (order by end_time)", all),
        ("nth_value(W, 150) over (order by end_time)", all),
        ("max(W) over (order by end_time rows between 200 preceding and current row)", all),
        ("array_agg(W) over (order by end_time rows between 150 preceding and current row)", all),
        ("coalesce(lag(W) over (order by end_time), 'none') || '!'", all),
        ("array_agg(W order by end_time)", 1),
        ("array_agg(distinct W)", 1),
        ("array_length(array_agg(W))", 1),
        ("array_to_string(array_agg(W order by end_time), ',')", 1),
        ("string_agg(W, ',' order by end_time)", 1),
        ("first_value(W order by end_time)", 1),
        ("last_value(W order by end_time)", 1),
        ("nth_value(W, 2 order by end_time)", 1),
        ("min(W) || max(W)", 1),
        ("approx_distinct(W)", 1),
        ("count(distinct W)", 1),
        ("make_array(W, 'x')", all),
        ("greatest(W, 'bot')", all),
        ("nullif(W, 'abandoned')", all),
        ("case when skill_id > 2 then W else 'other' end", all),
        ("upper(W) || length(W)", all),
        ("unnest(array_agg(W))", all),
        ("array_position(array_agg(W), 'nobody')", 1),
    ];
    let rows_of_both = rows();
    let world = World::with_hot_hours(NOW, 26, rows_of_both.len() / 2, &rows_of_both);
    for word in ["outcome", "end_reason", "account_id", "source"] {
        for (expression, rows) in of_each {
            let statement = format!("select {} from segments", expression.replace('W', word));
            let found = world.sql(&statement, None).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            assert_eq!(count(&found), rows, "{statement}");
        }
        for (statement, rows) in [
            (format!("select distinct on (conversation_id) {word} from segments order by conversation_id"), all),
            (format!("select skill_id, array_agg({word} order by end_time) from segments group by skill_id"), 4),
            (format!("select {word} from segments union all select {word} from segments"), 2 * all),
            (format!("select {word} from segments union all select 'x'"), all + 1),
            (
                format!(
                    "select a.{word} from segments a join segments b on a.conversation_id = b.conversation_id \
                         and coalesce(a.{word}, '') = coalesce(b.{word}, '')"
                ),
                all,
            ),
            (format!("select {word} from segments order by {word} desc, end_time limit 300"), 300),
            (format!("select {word} from segments where {word} in (select {word} from segments)"), 0),
            (
                format!(
                    "with recursive r as (select {word} as w, 1 as n from segments union all \
                         select w || '', n + 1 from r where n < 2) select w from r"
                ),
                2 * all,
            ),
        ] {
            let found = world.sql(&statement, None).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            assert!(rows == 0 || count(&found) == rows, "{statement}");
        }
    }
}

#[tokio::test]
async fn words_are_the_same_text_in_memory_and_in_files() {
    for world in worlds() {
        for (statement, expected) in [
            ("select last_value(outcome order by end_time) as v from segments where end_time < now()", "interactive"),
            (
                "select string_agg(v, ' ' order by n) as v from (select n, v from (select lag(outcome, 299) over \
                 (order by end_time) as v, row_number() over (order by end_time) as n from segments) t \
                 where n between 300 and 303) t",
                "abandoned interactive interactive abandoned",
            ),
            ("select array_agg(user_type order by end_time)[301] as v from segments", "none"),
            ("select source as v from segments order by end_time desc limit 1", "channel 4"),
            ("select arrow_typeof(outcome) as v from segments limit 1", "Utf8View"),
            ("select min(start_reason) as v from segments", "new_conversation"),
            ("select count(*)::text as v from segments where outcome = 'abandoned' and user_type = 'none'", "200"),
            ("select count(*)::text as v from segments where outcome like 'inter%' and account_id = 'bolt'", "200"),
        ] {
            let found = pretty_format_batches(&world.sql(statement, None).await.unwrap()).unwrap().to_string();
            assert!(found.contains(&format!("| {expected} ")), "{statement}\n{found}");
        }
    }
}

/// Clients get text, which all of them can read.
#[tokio::test]
async fn rows_are_sent_as_plain_text() {
    for world in worlds() {
        let statement =
            "select outcome, account_id, source, array_agg(user_type) as types from segments group by 1, 2, 3";
        let described = world.session(None).describe(statement).await.unwrap().schema;
        let batches = world.sql(statement, None).await.unwrap();
        for schema in [described, batches[0].schema()] {
            let types: Vec<_> = schema.fields().iter().map(|field| field.data_type().clone()).collect();
            assert_eq!(types[..3], [DataType::Utf8, DataType::Utf8, DataType::Utf8]);
            assert!(matches!(&types[3], DataType::List(word) if *word.data_type() == DataType::Utf8), "{types:?}");
        }
    }
}

/// Filters on words still rule files out, and questions of running totals are still answered from them.
#[tokio::test]
async fn text_is_pruned_and_counted_as_words_were() {
    let world = World::with_hot_hours(NOW, 0, usize::MAX, &rows());
    let explained = async |statement: &str| {
        let plan = world.sql(&format!("explain {statement}"), None).await.unwrap();
        pretty_format_batches(&plan).unwrap().to_string()
    };
    let plan = explained("select max(agent_messages) from segments where outcome = 'abandoned'").await;
    assert!(plan.contains("outcome_min@") && plan.contains("outcome_max@"), "{plan}");
    let plan = explained("select max(agent_messages) from segments where account_id = 'acme'").await;
    assert!(plan.contains("archive/account=acme") && !plan.contains("account=bolt"), "{plan}");
    for counted in [
        "select user_type, count(*) filter (where outcome = 'abandoned') from segments group by user_type",
        "select account_id, count(*) from segments where user_type in ('human', 'bot') group by account_id",
        "select count(*) from segments where account_id like 'ac%' and user_type <> 'none'",
        "select count(*) filter (where outcome in ('abandoned', 'interactive') and not abandoned_in_queue) from segments",
        "select skill_id, sum(case when outcome = 'interactive' then 1 else 0 end) from segments group by skill_id",
    ] {
        let plan = explained(counted).await;
        assert!(plan.contains("SegmentTotals"), "{counted}\n{plan}");
        let found = pretty_format_batches(&world.sql(&format!("{counted} order by 1"), None).await.unwrap());
        let scanned = pretty_format_batches(&world.sql_by_scan(&format!("{counted} order by 1")).await);
        assert_eq!(found.unwrap().to_string(), scanned.unwrap().to_string(), "{counted}");
    }
}
