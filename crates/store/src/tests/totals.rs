//! Running totals: the counts of a walk, the rows that can have totals, and the files whose totals are in memory.

use std::ops::AddAssign;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use skillscope_segment::{Segment, UserType};

use super::samples::{HOUR, NOON, World, batch, maintain, plain, segment};
use crate::rows::run::Run;
use crate::totals::{Counted, Cursor, RowClass, Tally, TallyByUserType, Totals};
use crate::{ArchiveFile, Store, StoreOptions};

/// What totals know of a row.
#[derive(Debug, Clone)]
struct Fact {
    skill: i64,
    end_time: i64,
    user_type: UserType,
    class: RowClass,
    sample: i64,
}

const START: i64 = 1_516_265_000_000;

const DAY_AND_A_HALF: i64 = (1 << 27) - 2;

fn any_fact(span: i64) -> impl Strategy<Value = Fact> {
    let time = prop_oneof![4 => 0..=span, 2 => 0_i64..5, 1 => span / 2..span / 2 + 100, 1 => Just(span)];
    let sample = prop_oneof![8 => 0_i64..100_000, 1 => select(vec![i64::MAX, i64::from(u32::MAX), 1 << 32])];
    let skill = prop_oneof![6 => Just(7_i64), 1 => select(vec![i64::MIN, -1, 8, i64::MAX])];
    (skill, time, select(UserType::ALL), select(RowClass::ALL.to_vec()), sample).prop_map(
        |(skill, time, user_type, class, sample)| Fact { skill, end_time: START + time, user_type, class, sample },
    )
}

fn totals(facts: &[Fact]) -> Totals {
    let row = |(number, fact): (u32, &Fact)| {
        let mut row: Segment<'_> = segment("acme", number, 0, fact.skill, fact.user_type, fact.end_time);
        row.outcome = fact.class.outcome();
        row.abandoned_in_queue = fact.class.is_in_queue();
        row.time_to_first_agent_message_ms = fact.class.has_sample().then_some(fact.sample);
        row
    };
    let rows: Vec<_> = (0..).zip(facts).map(row).collect();
    Totals::of(&Run::new(&batch(&rows)).unwrap().batch).unwrap()
}

fn count<'f>(facts: impl Iterator<Item = &'f Fact>) -> Tally {
    let mut tally = Tally::default();
    for fact in facts {
        tally.counts[fact.class as usize] += 1;
        if fact.class.has_sample() {
            tally.sample_sum = tally.sample_sum.wrapping_add(fact.sample);
        }
    }
    tally
}

fn check_walk(facts: &[Fact], totals: &Totals, skill: i64, instants: &[i64]) {
    let of_skill = || facts.iter().filter(|fact| fact.skill == skill);
    let Some(series) = totals.find(skill, &mut 0) else { return assert_eq!(of_skill().count(), 0) };
    assert_eq!(series.whole(), count(of_skill()));
    assert_eq!(series.rows() as usize, of_skill().count());
    let times = || of_skill().map(|fact| fact.end_time);
    assert_eq!(series.end_times(), times().min().unwrap()..=times().max().unwrap());

    let (mut all, mut by_type) = (series.walk::<Tally>(), series.walk::<TallyByUserType>());
    let mut from = i64::MIN;
    for until in instants {
        let between = || of_skill().filter(|fact| (from..*until).contains(&fact.end_time));
        assert_eq!(all.advance(*until), count(between()), "{from} to {until}");
        let expected = UserType::ALL.iter().map(|of| count(between().filter(|fact| fact.user_type == *of)));
        assert_eq!(by_type.advance(*until).0.to_vec(), expected.collect::<Vec<_>>(), "{from} to {until}");
        let next = times().filter(|time| time >= until).min();
        assert_eq!(all.next_time(), next);
        assert_eq!(by_type.next_time(), next);
        from = *until;
    }
    check_walk_at_once(facts, totals, skill, instants);
}

fn advance_over<T: Counted + AddAssign>(mut cursor: Cursor<'_, T>, instants: &[i64], cells: &mut [T]) {
    let mut stops = Vec::new();
    cursor.look_ahead(instants.iter().copied(), &mut stops);
    cursor.fetch(&stops);
    cursor.advance_over(&stops, cells);
}

fn check_walk_at_once(facts: &[Fact], totals: &Totals, skill: i64, instants: &[i64]) {
    let series = totals.find(skill, &mut 0).unwrap();
    let (mut cells, mut by_type) =
        (vec![Tally::default(); instants.len()], vec![TallyByUserType::default(); instants.len()]);
    advance_over(series.walk(), instants, &mut cells);
    advance_over(series.walk(), instants, &mut by_type);
    let mut from = i64::MIN;
    for ((until, cell), by_type) in instants.iter().zip(cells).zip(by_type) {
        let between = facts.iter().filter(|fact| fact.skill == skill && (from..*until).contains(&fact.end_time));
        assert_eq!(cell, count(between), "{from} to {until}");
        assert_eq!(by_type.0.into_iter().fold(Tally::default(), |all, tally| all + tally), cell);
        from = *until;
    }
}

proptest! {
    #[test]
    fn a_walk_counts_the_rows_between_its_instants(
        facts in select(vec![3_600_000, DAY_AND_A_HALF]).prop_flat_map(|span| vec(any_fact(span), 1..1_000)),
        instants in vec(-10_i64..3_600_010, 0..150),
    ) {
        let totals = totals(&facts);
        let mut skills: Vec<i64> = facts.iter().map(|fact| fact.skill).collect();
        skills.sort_unstable();
        skills.dedup();
        prop_assert_eq!(totals.skills().collect::<Vec<_>>(), skills.clone());

        // Instants at, just before and just after rows, and anywhere.
        let of_rows = facts.iter().step_by(1 + facts.len() / 40).flat_map(|fact| [fact.end_time - 1, fact.end_time, fact.end_time + 1]);
        let mut instants: Vec<i64> = instants.into_iter().map(|time| START + time).chain(of_rows).collect();
        instants.sort_unstable();
        for skill in skills {
            check_walk(&facts, &totals, skill, &instants);
            check_walk(&facts, &totals, skill, &[i64::MIN, START, i64::MAX]);
            check_walk(&facts, &totals, skill, &[i64::MAX, i64::MAX]);
        }
    }
}

fn fact(end_time: i64) -> Fact {
    Fact { skill: 7, end_time, user_type: UserType::Human, class: RowClass::Interactive, sample: 0 }
}

#[test]
fn rows_a_day_and_a_half_apart_have_totals_and_beyond_that_none() {
    let totals = totals(&[fact(START), fact(START + DAY_AND_A_HALF)]);
    check_walk(
        &[fact(START), fact(START + DAY_AND_A_HALF)],
        &totals,
        7,
        &[START + 1, START + DAY_AND_A_HALF, START + DAY_AND_A_HALF + 1],
    );
    let apart = |end_time| segment("acme", 1, 0, 7, UserType::None, end_time);
    let two = batch(&[apart(START), apart(START + DAY_AND_A_HALF + 1)]);
    assert!(Totals::of(&two).is_none());
    assert!(Totals::of(&batch(&[apart(i64::MIN), apart(i64::MAX)])).is_none());
}

#[test]
fn rows_that_are_not_sorted_or_break_the_rules_have_no_totals() {
    let row = |skill, user_type, end_time| segment("acme", 1, 0, skill, user_type, end_time);
    for unsorted in [
        [row(8, UserType::None, START), row(7, UserType::None, START)],
        [row(7, UserType::None, START), row(7, UserType::Bot, START)],
        [row(7, UserType::Bot, START + 1), row(7, UserType::Bot, START)],
    ] {
        assert!(Totals::of(&batch(&unsorted)).is_none(), "{unsorted:?}");
    }
    let mut sampled = row(7, UserType::Human, START);
    sampled.time_to_first_agent_message_ms = Some(5);
    assert!(Totals::of(&batch(&[sampled])).is_none(), "nobody spoke in an abandoned segment");
}

#[test]
fn a_row_of_a_busy_skill_takes_at_most_16_bytes() {
    let facts: Vec<Fact> = (0..50_000).map(|row| fact(START + row * 60)).collect();
    assert!(totals(&facts).bytes() <= 16 * facts.len());
}

/// A store over three archived hours of a thousand rows each, of which no whole rows are in memory.
fn archived(set: impl FnOnce(&mut StoreOptions)) -> (Store, Vec<Arc<ArchiveFile>>) {
    let world = World::with(set);
    let store = world.open();
    for hour in 1..4_u32 {
        let end_time = NOON - i64::from(hour) * HOUR;
        let rows = (0..1_000).map(|row| plain("acme", hour * 1_000 + row, end_time + i64::from(row)));
        store.append(&batch(&rows.collect::<Vec<_>>())).unwrap();
    }
    store.seal_finished_hours().unwrap();
    maintain(&store);
    let snapshot = store.snapshot();
    assert_eq!(snapshot.all_partitions().count(), 0);
    let account = snapshot.account("acme").unwrap();
    let files = snapshot.archived(account).cloned().collect::<Vec<_>>();
    assert_eq!(files.len(), 3);
    (store, files)
}

#[test]
fn totals_of_a_file_are_made_when_they_are_first_asked_for_and_kept() {
    let (store, files) = archived(|options| options.hot_hours = 0);
    assert_eq!(store.totals_bytes(), 0);
    let first = store.archived_totals(&files).unwrap().unwrap();
    assert_eq!(first.iter().map(|totals| totals.rows()).sum::<usize>(), 3_000);
    assert!(store.totals_bytes() > 0);
    let again = store.archived_totals(&files).unwrap().unwrap();
    assert!(first.iter().zip(&again).all(|(a, b)| Arc::ptr_eq(a, b)));
}

#[test]
fn those_not_used_for_longest_go_where_there_is_no_room() {
    let (store, _) = archived(|options| options.hot_hours = 0);
    store.archived_totals(&store.snapshot().all_files().cloned().collect::<Vec<_>>()).unwrap().unwrap();
    // Room for two of the three.
    let room = store.totals_bytes() as u64 * 5 / 6;
    let (store, files) = archived(|options| (options.hot_hours, options.totals_bytes) = (0, room));
    let [a, b, c] = files.as_slice() else { panic!("three files") };
    let ask = |file: &Arc<ArchiveFile>| {
        store.archived_totals(std::slice::from_ref(file)).unwrap().unwrap().into_iter().next().unwrap()
    };
    let (of_a, of_b) = (ask(a), ask(b));
    assert!(Arc::ptr_eq(&of_a, &ask(a)));
    ask(c);
    assert!(Arc::ptr_eq(&of_a, &ask(a)), "it was used after the other");
    assert!(!Arc::ptr_eq(&of_b, &ask(b)), "it was let go, and made again");
}

#[test]
fn files_whose_totals_would_find_no_room_have_none() {
    let (store, files) = archived(|options| (options.hot_hours, options.totals_bytes) = (0, 15 * 2_000));
    assert!(store.archived_totals(&files).unwrap().is_none());
    assert!(store.archived_totals(&files[..2]).unwrap().is_some());
}

#[test]
fn the_hot_hours_have_totals_where_there_is_no_room_for_their_rows() {
    let (store, files) = archived(|options| (options.hot_bytes, options.totals_bytes) = (0, 0));
    let bytes = store.totals_bytes();
    assert!(bytes > 0, "nobody had to ask");
    let totals = store.archived_totals(&files).unwrap().unwrap();
    assert_eq!(totals.iter().map(|totals| totals.rows()).sum::<usize>(), 3_000);
    assert_eq!(store.totals_bytes(), bytes);
}

#[test]
fn a_long_series_is_counted_as_exactly_as_a_short_one() {
    // Far more blocks than are searched at once; every third row at the time of the one before it.
    let facts: Vec<Fact> = (0..60_000).map(|row| fact(START + row / 3 * 180 + row % 3 / 2)).collect();
    let totals = totals(&facts);
    let series = totals.find(7, &mut 0).unwrap();
    for step in [1_000, 7_777, 300_000, 3_000_000] {
        let ends: Vec<i64> =
            (1..).map(|k| START + k * step).take_while(|end| *end < START + 3_700_000 + step).collect();
        let before = |end: i64| facts.partition_point(|fact| fact.end_time < end) as i64;
        let expected: Vec<i64> = ends.iter().map(|end| before(*end) - before(*end - step)).collect();
        let mut cells = vec![Tally::default(); ends.len()];
        advance_over(series.walk(), &ends, &mut cells);
        assert_eq!(cells.iter().map(Tally::rows).collect::<Vec<_>>(), expected, "{step}");
        let mut cursor = series.walk::<TallyByUserType>();
        let human = UserType::Human.index();
        let rows: Vec<i64> = ends.iter().map(|end| cursor.advance(*end).0[human].rows()).collect();
        assert_eq!(rows, expected, "{step}");
    }
}

#[test]
fn a_corrupt_hot_file_is_given_up_and_holds_up_no_other() {
    let world = World::with(|options| (options.hot_bytes, options.totals_bytes) = (0, 0));
    let store = world.open();
    for hour in 1..4_u32 {
        let end_time = NOON - i64::from(hour) * HOUR;
        let rows = (0..1_000).map(|row| plain("acme", hour * 1_000 + row, end_time + i64::from(row)));
        store.append(&batch(&rows.collect::<Vec<_>>())).unwrap();
    }
    drop(store);
    let store = world.open();
    store.seal_finished_hours().unwrap();
    let first = format!("/data/archive/{}", world.archived()[0]);
    let mut bytes = world.disk.read(&first);
    bytes[100] ^= 1;
    world.disk.put(&first, bytes);
    maintain(&store);
    let snapshot = store.snapshot();
    let files: Vec<_> = snapshot.archived(snapshot.account("acme").unwrap()).cloned().collect();
    let totals = store.archived_totals(&files).unwrap().unwrap();
    assert_eq!(totals.iter().map(|totals| totals.rows()).sum::<usize>(), 2_000);
}
