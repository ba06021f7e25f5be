//! Files that are damaged while a process reads them again and again: every answer is right or an error, and the next
//! one does without the file.

use std::fs::File;
use std::os::unix::fs::FileExt;

use arrow::util::pretty::pretty_format_batches;
use skillscope_segment::{Outcome, UserType};

use super::world::{Facts, World, segments};
use crate::{Error, ErrorKind};

const NOW: i64 = 1_516_265_515_679;

const DAY: i64 = 86_400_000;

/// All rows; some of them, by a column with a dictionary; by a part of a text; of a time; and one column.
const QUESTIONS: [&str; 5] = [
    "select * from segments order by conversation_id",
    "select conversation_id, outcome from segments where skill_id = 1 order by 1",
    "select skill_id, count(*) as n from segments where conversation_id like '%1%' group by 1 order by 1",
    "select count(*) as n from segments where end_time < '2018-01-14' and outcome <> 'abandoned'",
    "select sum(skill_id) as n, max(end_time) as last from segments",
];

/// Rows of two days, in a file each, of which nothing is in memory.
fn world() -> World {
    let facts = |number: i64, days| Facts {
        account: "acme",
        skill: number % 3,
        end_time: NOW - days * DAY + number,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(5 + number),
    };
    let facts: Vec<_> = (0..60).map(|number| facts(number, 5)).chain((60..80).map(|number| facts(number, 9))).collect();
    World::with_options(NOW, 80, &segments(&facts), |options| (options.hot_hours, options.totals_bytes) = (0, 0))
}

async fn answer(world: &World, question: &str) -> Result<String, Error> {
    Ok(pretty_format_batches(&world.sql(question, None).await?).unwrap().to_string())
}

async fn answers(world: &World) -> Vec<String> {
    let mut answers = Vec::new();
    for question in QUESTIONS {
        answers.push(answer(world, question).await.unwrap());
    }
    answers
}

/// The file that has most rows.
fn file(world: &World) -> std::path::PathBuf {
    let snapshot = world.store.snapshot();
    let account = snapshot.account("acme").unwrap();
    let file = snapshot.archived(account).max_by_key(|file| file.rows()).unwrap();
    file.path()
}

#[tokio::test]
async fn a_file_that_is_damaged_after_it_was_read_gives_no_wrong_answer_and_holds_up_nobody() {
    let (with, gone, without) = {
        let mut world = world();
        let (with, gone) = (answers(&world).await, file(&world));
        std::fs::remove_file(world.directory.path().join(&gone)).unwrap();
        world = world.reopened();
        (with, gone, answers(&world).await)
    };
    assert!(with.iter().zip(&without).all(|(with, without)| with != without), "{without:?}");
    for (number, share) in (0..=10).enumerate() {
        let world = world();
        assert_eq!(answers(&world).await, with);
        assert_eq!(file(&world), gone);
        let path = world.directory.path().join(&gone);
        let open = File::options().read(true).write(true).open(&path).unwrap();
        let place = (open.metadata().unwrap().len() - 1) * share / 10;
        let mut byte = [0];
        open.read_exact_at(&mut byte, place).unwrap();
        open.write_all_at(&[byte[0] ^ 0x10], place).unwrap();
        drop(open);
        // Each question is the first for some place.
        let first = number % QUESTIONS.len();
        let error = answer(&world, QUESTIONS[first]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Archive, "byte {place}: {error}");
        assert!(error.to_string().contains("do not have the checksum"), "byte {place}: {error}");
        assert_eq!(answer(&world, QUESTIONS[first]).await.unwrap(), without[first], "byte {place}");
        assert!(!path.exists() && world.directory.path().join("quarantine").join(&gone).exists(), "byte {place}");
        assert_eq!(answers(&world).await, without, "byte {place}");
    }
}

#[tokio::test]
async fn a_file_that_is_gone_after_it_was_read_fails_one_answer_at_most() {
    let world = world();
    let with = answers(&world).await;
    std::fs::remove_file(world.directory.path().join(file(&world))).unwrap();
    for question in QUESTIONS {
        if let Err(error) = answer(&world, question).await {
            assert_eq!((error.kind(), question), (ErrorKind::Archive, QUESTIONS[0]), "{error}");
        }
    }
    assert!(answers(&world).await.iter().zip(with).all(|(without, with)| *without != with));
}
