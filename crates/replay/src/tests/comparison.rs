//! Recorded answers against ours: what differs is found and named, and nothing else is.

use std::io::{Seek, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use skillscope_segment::{
    AccountId, Chunk, Format, Input, Outcome, ReadOptions, Segment, SegmentBatchBuilder, SegmentRows, read_segments,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::world::{Asked, END, HOUR, MINUTE, rows, write};
use crate::{
    Archive, Comparison, Findings, Location, Part, PlanRunner, RecordedFile, Recordings, Told, Variation, Verdict,
};

/// Every minute and a bit of two hours, so that boundaries are at odd instants.
fn asked() -> [Asked; 3] {
    let plain = || Asked { from: END - 3 * HOUR, to: END - HOUR, every: MINUTE + 1_003, ..Asked::plain() };
    let short = || Asked { parameters: vec![("timeframe", "45".to_owned())], ..plain() };
    [plain(), short().with("interval", "15"), short().with("userType", "human")]
}

/// What an endpoint over these rows answers to a question, as recorded lines.
async fn recorded(asked: &Asked, rows: &RecordBatch) -> String {
    let parameters: Vec<String> = asked.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = parameters.join("&");
    let lines = asked.answers(rows).await;
    lines.lines().map(|line| line.replacen('{', &format!(r#"{{"query":"{query}","#), 1) + "\n").collect()
}

async fn all_recorded(rows: &RecordBatch) -> String {
    let mut lines = String::new();
    for asked in asked() {
        lines.push_str(&recorded(&asked, rows).await);
    }
    lines
}

async fn compare(lines: &str, archive: &Path) -> Findings {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    file.rewind().unwrap();
    let recordings = Recordings::read(vec![RecordedFile::new("recorded".to_owned(), file)], None).unwrap();
    assert_eq!(recordings.unreadable(), []);
    let archive = Archive::open(Location::Folder(archive.to_owned()), false).await.unwrap();
    Comparison::new(recordings, archive, PlanRunner::local().unwrap(), true).run(|_| ()).await.unwrap()
}

/// What is found where the rows of one are recorded and those of the other are ours.
async fn found(theirs: &RecordBatch, ours: &RecordBatch) -> Findings {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("ours.parquet"), ours, 500);
    compare(&all_recorded(theirs).await, folder.path()).await
}

/// The rows with one of them changed, or without it.
fn with(rows: &RecordBatch, place: usize, change: impl Fn(&mut Segment<'_>), is_kept: bool) -> RecordBatch {
    let segments = SegmentRows::new(rows).unwrap();
    let mut builder = SegmentBatchBuilder::with_capacity(segments.len());
    for row in 0..segments.len() {
        let mut segment = segments.segment(row).unwrap();
        if row == place {
            change(&mut segment);
        }
        if row != place || is_kept {
            builder.append(&segment);
        }
    }
    builder.finish().unwrap()
}

/// The rows of the account that count in every question, well within the recordings.
fn candidates(rows: &RecordBatch) -> Vec<usize> {
    let segments = SegmentRows::new(rows).unwrap();
    let is_candidate = |row: &usize| {
        let segment = segments.segment(*row).unwrap();
        segment.account_id == "account-1"
            && segment.user_type.as_str() == "human"
            && (END - 165 * MINUTE..END - 70 * MINUTE).contains(&segment.end_time)
    };
    (0..segments.len()).filter(is_candidate).collect()
}

/// The one verdict, and the variations of the conversation in its first explanation.
fn variations(findings: &Findings, conversation: &str) -> (Verdict, Vec<Variation>) {
    let verdicts = findings.verdicts.as_ref().unwrap();
    assert_eq!(verdicts.len(), 1, "{findings:?}");
    let first = verdicts[0].explanations.first();
    let suspects = first.map(|first| first.suspects.as_slice()).unwrap_or_default();
    let of_conversation = suspects.iter().filter(|suspect| suspect.segment.conversation == conversation);
    (verdicts[0].clone(), of_conversation.map(|suspect| suspect.variation.clone()).collect())
}

fn is_all_explained(verdict: &Verdict) -> bool {
    let first = &verdict.explanations[0];
    verdict.unexplained.is_empty() && first.explains == verdict.differences && first.contradicts == 0
}

#[derive(Debug, Clone, Copy)]
enum Planted {
    OnlyOurs,
    OnlyTheirs,
    OtherOutcome,
    OtherSkill,
    Later,
}

#[test]
fn one_planted_difference_is_found_and_its_conversation_named() {
    let all = rows(12_000, 5);
    let candidates = candidates(&all);
    assert!(candidates.len() > 30, "{}", candidates.len());
    let planted = prop_oneof![
        Just(Planted::OnlyOurs),
        Just(Planted::OnlyTheirs),
        Just(Planted::OtherOutcome),
        Just(Planted::OtherSkill),
        Just(Planted::Later),
    ];
    let runtime = Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 15, ..Config::default() });
    let outcome = runner.run(&(planted, 0..candidates.len()), |(planted, place)| {
        let row = candidates[place];
        let segments = SegmentRows::new(&all).unwrap();
        let segment = segments.segment(row).unwrap();
        let other_outcome = match segment.outcome {
            Outcome::NonResponsiveAgent => Outcome::Interactive,
            _ => Outcome::NonResponsiveAgent,
        };
        let other_skill = segment.skill_id % 5 + 1;
        let changed = |change: &dyn Fn(&mut Segment<'_>)| with(&all, row, change, true);
        let without = || with(&all, row, |_| (), false);
        let (theirs, ours) = match planted {
            Planted::OnlyOurs => (without(), all.clone()),
            Planted::OnlyTheirs => (all.clone(), without()),
            Planted::OtherOutcome => (
                changed(&|segment| {
                    segment.outcome = other_outcome;
                    segment.abandoned_in_queue = false;
                }),
                all.clone(),
            ),
            Planted::OtherSkill => (changed(&|segment| segment.skill_id = other_skill), all.clone()),
            Planted::Later => (changed(&|segment| segment.end_time += 59_000), all.clone()),
        };
        let findings = runtime.block_on(found(&theirs, &ours));
        if matches!(planted, Planted::Later) && findings.differing == 0 {
            // It crossed no boundary.
            return Ok(());
        }
        prop_assert!(findings.differing > 0 && findings.questions.iter().any(|question| !question.findings.is_empty()));
        let (verdict, variations) = variations(&findings, &segment.conversation_id);
        if matches!(planted, Planted::OnlyTheirs) {
            prop_assert!(variations.is_empty(), "{verdict:?}");
            let left = verdict
                .unexplained
                .iter()
                .any(|left| left.skill == segment.skill_id && left.more == Some((1, 1)) && left.metric.name == "total");
            prop_assert!(left, "{verdict:?}");
            return Ok(());
        }
        prop_assert!(is_all_explained(&verdict), "{verdict:?}");
        let is_named = match planted {
            Planted::OnlyOurs => variations.contains(&Variation::Absent),
            Planted::OtherSkill => variations.contains(&Variation::Skill(other_skill)),
            Planted::Later => variations
                .iter()
                .any(|variation| matches!(variation, Variation::Moved(by) if (1..=59_000).contains(by))),
            _ => variations.iter().any(|variation| matches!(variation, Variation::Counted { .. })),
        };
        prop_assert!(is_named, "{variations:?} of {segment:?}: {verdict:?}");
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn nothing_is_found_where_nothing_differs() {
    for seed in [1, 2, 3] {
        let rows = rows(2_000, seed);
        let findings = found(&rows, &rows).await;
        assert_eq!((findings.differing, findings.verdicts.as_ref().map(Vec::len)), (0, Some(0)));
        assert_eq!(findings.questions.len(), 3);
        assert_eq!(findings.recordings, findings.questions.iter().map(|question| question.recordings).sum::<u64>());
        assert!(findings.recordings > 300 && findings.by_timestamps > 100);
        assert_eq!(findings.delays, Some((0, 0)));
    }
}

#[tokio::test]
async fn a_data_directory_is_compared_as_its_files_are() {
    let rows = rows(2_000, 9);
    let directory = TempDir::new().unwrap();
    drop(super::world::store(directory.path(), &with(&rows, candidates(&rows)[0], |_| (), false)));
    let findings = compare(&all_recorded(&rows).await, directory.path()).await;
    assert!(findings.differing > 0);
    let verdict = &findings.verdicts.as_ref().unwrap()[0];
    assert!(verdict.explanations.is_empty() && !verdict.unexplained.is_empty(), "{verdict:?}");
}

#[tokio::test]
async fn several_planted_differences_are_told_apart() {
    let all = rows(12_000, 5);
    let candidates = candidates(&all);
    let (gone, other) = (candidates[3], candidates[20]);
    let segments = SegmentRows::new(&all).unwrap();
    let [gone, other] = [gone, other].map(|row| (row, segments.segment(row).unwrap().conversation_id.to_string()));
    let theirs = with(&all, other.0, |segment| segment.skill_id = segment.skill_id % 5 + 1, true);
    let theirs = with(&theirs, gone.0, |_| (), false);
    let findings = found(&theirs, &all).await;
    let verdict = &findings.verdicts.as_ref().unwrap()[0];
    assert_eq!(verdict.explanations.len(), 2, "{verdict:?}");
    assert!(verdict.unexplained.is_empty());
    for (_, conversation) in [gone, other] {
        let names = |explanation: &crate::Explanation| {
            explanation.suspects.iter().any(|suspect| suspect.segment.conversation == conversation)
        };
        assert!(verdict.explanations.iter().any(names), "{conversation}: {verdict:?}");
    }
}

/// One recorded line of an hour, with one of its texts replaced.
async fn one_line(rows: &RecordBatch, replaced: (&str, &str)) -> String {
    let asked = Asked { from: END, to: END, ..Asked::plain() };
    let line = recorded(&asked, rows).await;
    assert!(line.contains(replaced.0), "{line}");
    line.replacen(replaced.0, replaced.1, 1)
}

/// Three segments of one skill, in the hour before the end. Two have a time to first message, 100 and 201 ms.
fn three() -> RecordBatch {
    let (start, end) = (END - 20 * MINUTE, END - 10 * MINUTE);
    let segment = |(conversation, sample): (&str, Option<i64>)| {
        let (messages, outcome) = sample.map_or((0, "non_responsive_agent"), |_| (1, "interactive"));
        let segment = serde_json::json!({
            "account_id": "account-1", "conversation_id": conversation, "segment_index": 0, "skill_id": 7,
            "start_time": start, "end_time": end, "start_reason": "new_conversation", "end_reason": "closed_by_agent",
            "user_type": "human", "outcome": outcome, "abandoned_in_queue": false, "first_assigned_time": start,
            "first_agent_message_time": sample.map(|sample| start + sample), "time_to_first_agent_message_ms": sample,
            "agent_messages": messages, "consumer_messages": 1,
        });
        format!("{segment}\n")
    };
    let text: String = [("c-0", Some(100)), ("c-1", Some(201)), ("c-2", None)].map(segment).concat();
    let mut batches = Vec::new();
    let keep = |chunk: Chunk| {
        batches.push(chunk.batch);
        Ok::<_, skillscope_segment::Error>(())
    };
    read_segments(Format::Ndjson, Input::Bytes(text.into()), &ReadOptions::default(), keep).unwrap();
    let rows = concat_batches(&skillscope_segment::schema(), &batches).unwrap();
    assert_eq!(rows.num_rows(), 3);
    rows
}

#[tokio::test]
async fn numbers_are_compared_as_they_are_meant() {
    let rows = three();
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("ours.parquet"), &rows, 500);
    // The average is 150.5, rounded half up.
    let of_skill = r#"{"7":{"totalSkillConversationSegments":3,"skillSegmentsAbandonedByConsumers":0,"#;
    let average = r#""avgTimetoFirstAgentMessageFromAgentAssignment":151}},"#;
    for (theirs, ours) in [
        (r#"{"7":{"totalSkillConversationSegments":"3","skillSegmentsAbandonedByConsumers":0.0,"#, of_skill),
        (
            r#"{"8":{"totalSkillConversationSegments":0,"skillSegmentsAbandonedByConsumers":0,"skillSegmentsAbandonedByConsumersInQueue":0,"skillSegmentsWithNonResponsiveConsumers":0,"skillSegmentsWithNonResponsiveAgents":0,"interactiveSkillSegments":0,"avgTimetoFirstAgentMessageFromAgentAssignment":0},"7":{"totalSkillConversationSegments":3,"skillSegmentsAbandonedByConsumers":0,"#,
            of_skill,
        ),
        (r#""avgTimetoFirstAgentMessageFromAgentAssignment":"151"}},"#, average),
    ] {
        let findings = compare(&one_line(&rows, (ours, theirs)).await, folder.path()).await;
        assert_eq!(findings.differing, 0, "{theirs}: {findings:?}");
    }
    let only = |findings: Findings| {
        assert_eq!((findings.recordings, findings.differing), (1, 1));
        let [finding] = findings.questions[0].findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.part, finding.skill, finding.recordings), (Part::Timeframe, Some(7), 1));
        assert_eq!(finding.span, (END, END));
        finding.clone()
    };
    let rounded = r#""avgTimetoFirstAgentMessageFromAgentAssignment":150}},"#;
    let rounded = only(compare(&one_line(&rows, (average, rounded)).await, folder.path()).await);
    assert!(rounded.is_of_rounding() && rounded.more == Some((-1, -1)));
    let other = r#""avgTimetoFirstAgentMessageFromAgentAssignment":149}},"#;
    let other = only(compare(&one_line(&rows, (average, other)).await, folder.path()).await);
    assert!(!other.is_of_rounding());
    assert_eq!((other.metric.name, &other.first), ("avg_time_to_first_agent_message_ms", &(151, Told::Number(149))));
    let missing = r#"{"7":{"skillSegmentsAbandonedByConsumers":0,"#;
    let missing = only(compare(&one_line(&rows, (of_skill, missing)).await, folder.path()).await);
    assert_eq!((missing.metric.name, missing.untold, missing.more), ("total", 1, None));
    assert_eq!(missing.first, (3, Told::Missing));
    let text = r#"{"7":{"totalSkillConversationSegments":"three","skillSegmentsAbandonedByConsumers":0,"#;
    let text = only(compare(&one_line(&rows, (of_skill, text)).await, folder.path()).await);
    assert_eq!(text.first, (3, Told::Other("\"three\"".to_owned())));
}

#[tokio::test]
async fn an_average_that_differs_alone_names_the_segments_with_a_first_message() {
    let rows = three();
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("ours.parquet"), &rows, 500);
    let [average, other] =
        ["151", "251"].map(|average| format!(r#""avgTimetoFirstAgentMessageFromAgentAssignment":{average}}}}},"#));
    let findings = compare(&one_line(&rows, (&average, &other)).await, folder.path()).await;
    let (verdict, variations) = variations(&findings, "c-1");
    assert_eq!(variations, [Variation::FirstMessage]);
    assert_eq!((verdict.explanations[0].segments, verdict.explanations[0].suspects.len()), (1, 2));
    assert_eq!(account_of(&findings), AccountId::parse("account-1").unwrap());
}

fn account_of(findings: &Findings) -> AccountId {
    findings.questions[0].account.clone()
}
