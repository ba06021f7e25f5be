//! Tables and views that somebody added: kept whole, through faults, crashes and damage, and in every copy.

use std::slice;

use bytes::Bytes;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use skillscope_segment::{AccountId, Input, SmallTable, TableFormat};
use tempfile::TempDir;

use super::recovery::flipped;
use super::samples::World;
use super::simulated_disk::Fault;
use crate::{
    Error, IfThere, LinkedCopy, Relation, RelationError, RelationKind, RelationName, RelationSet, Store, StoreOptions,
    check, unpack_backup,
};

const FAULTS: [fn(usize) -> Fault; 7] =
    [Fault::Write, Fault::ShortWrite, Fault::Full, Fault::Sync, Fault::Rename, Fault::Any, Fault::Broken];

fn name(name: &str) -> RelationName {
    RelationName::parse(name).unwrap()
}

fn account(id: &str) -> Option<AccountId> {
    Some(AccountId::parse(id).unwrap())
}

fn table(owner: Option<AccountId>, called: &str, csv: &str) -> Relation {
    let bytes = Bytes::copy_from_slice(csv.as_bytes());
    Relation::table(owner, name(called), SmallTable::read(TableFormat::Csv, Input::Bytes(bytes)).unwrap())
}

fn view(owner: Option<AccountId>, called: &str, query: &str) -> Relation {
    Relation::view(owner, name(called), query).unwrap()
}

fn told(relation: &Relation) -> String {
    let owner = relation.owner().map_or("*", AccountId::as_str);
    let content = match (relation.rows(), relation.query()) {
        (Some(rows), None) => format!("{:?}", rows.rows().columns()),
        (None, Some(query)) => query.to_owned(),
        other => panic!("{other:?}"),
    };
    format!("{owner} {} {} {content}", relation.kind(), relation.name())
}

fn all(set: &RelationSet) -> Vec<String> {
    set.all().map(|relation| told(relation)).collect()
}

fn queries(set: &RelationSet, of: Option<&AccountId>) -> Vec<String> {
    let seen = set.all_seen_by(of);
    seen.map(|relation| format!("{}: {}", relation.name(), relation.query().unwrap_or("rows"))).collect()
}

fn refused(done: crate::Result<()>) -> RelationError {
    match done {
        Err(Error::Relation(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_sees_its_own_and_those_for_all_and_its_own_win() {
    let world = World::new();
    let store = world.open();
    for relation in [
        view(None, "a", "all"),
        view(None, "b", "all"),
        view(account("acme"), "b", "acme"),
        table(account("acme"), "c", "x\n1\n"),
        view(account("bolt"), "b", "bolt"),
    ] {
        store.put_relation(relation, IfThere::Refuse).unwrap();
    }
    let check = |store: &Store| {
        let set = store.relations();
        assert_eq!(queries(&set, account("acme").as_ref()), ["a: all", "b: acme", "c: rows"]);
        assert_eq!(queries(&set, account("bolt").as_ref()), ["a: all", "b: bolt"]);
        assert_eq!(queries(&set, account("other").as_ref()), ["a: all", "b: all"]);
        assert_eq!(queries(&set, None), ["a: all", "b: all"]);
        assert_eq!(set.seen_by(account("acme").as_ref(), "b").unwrap().query(), Some("acme"));
        assert!(set.seen_by(account("bolt").as_ref(), "c").is_none());
        assert!(set.seen_by(None, "no name/").is_none());
    };
    check(&store);
    drop(store);
    check(&world.open());
}

#[test]
fn what_is_there_is_replaced_or_in_the_way() {
    let world = World::new();
    let store = world.open();
    let before = store.relations();
    store.put_relation(table(None, "skills", "skill_id,name\n1,Billing\n"), IfThere::Refuse).unwrap();
    store.put_relation(table(None, "skills", "skill_id,name\n1,Cards\n"), IfThere::Replace).unwrap();
    assert_eq!(all(&before).len(), 0, "a set of one moment stays as it is");
    assert!(all(&store.relations())[0].contains("Cards"));
    let (skills, x) = (name("skills"), name("x"));
    let exists = RelationError::Exists { name: skills.clone() };
    assert_eq!(refused(store.put_relation(view(None, "skills", "select 1"), IfThere::Refuse)), exists);
    assert_eq!(exists.to_string(), "relation \"skills\" already exists");
    let no_view = refused(store.put_relation(view(None, "skills", "select 1"), IfThere::Replace));
    assert_eq!(no_view.to_string(), "\"skills\" is not a view; it is a table, which goes with DROP TABLE");
    assert_eq!(refused(store.remove_relations(None, slice::from_ref(&skills), RelationKind::View)), no_view);
    let missing =
        refused(store.remove_relations(account("acme").as_ref(), slice::from_ref(&skills), RelationKind::Table));
    assert_eq!(missing.to_string(), "table \"skills\" does not exist");
    store.put_relation(view(None, "x", "select 1"), IfThere::Refuse).unwrap();
    assert_eq!(refused(store.rename_relation(None, &x, None, skills.clone())), exists);
    store.rename_relation(None, &x, Some(RelationKind::View), name("Y y")).unwrap();
    refused(store.rename_relation(None, &x, None, name("z")));
    store.remove_relations(None, slice::from_ref(&skills), RelationKind::Table).unwrap();
    drop(store);
    assert_eq!(all(&world.open().relations()), ["* view Y y select 1"]);
    assert_eq!(world.disk.files_below("/data/relations"), ["all/%59%20y"]);
}

/// What a change may find: a table that it replaces, and a view.
fn prepared() -> (World, Store) {
    let world = World::new();
    let store = world.open();
    store.put_relation(table(account("acme"), "skills", "skill_id,name\n1,Billing\n"), IfThere::Refuse).unwrap();
    store.put_relation(view(None, "v", "select 1"), IfThere::Refuse).unwrap();
    (world, store)
}

type Work = fn(&Store) -> crate::Result<()>;

const CHANGES: [Work; 4] = [
    |store| store.put_relation(table(account("acme"), "skills", "skill_id,name\n1,Cards\n2,Loans\n"), IfThere::Replace),
    |store| store.put_relation(view(account("new"), "w", "select 2"), IfThere::Refuse),
    |store| store.remove_relations(None, &[name("v")], RelationKind::View),
    |store| store.rename_relation(None, &name("v"), None, name("w")),
];

#[test]
fn a_change_that_meets_a_fault_is_there_whole_or_not_at_all_and_can_be_made_again() {
    for change in CHANGES {
        let (world, store) = prepared();
        let (first, before) = (world.disk.operations(), all(&store.relations()));
        change(&store).unwrap();
        let (end, after) = (world.disk.operations(), all(&store.relations()));
        assert!(end > first + 1);
        for fault in FAULTS {
            for at in first..end {
                let (world, store) = prepared();
                world.disk.set_fault(Some(fault(at)));
                let done = change(&store);
                world.disk.set_fault(None);
                let found = all(&store.relations());
                let is_both = found.len() > before.len().max(after.len());
                assert!(found == after || (done.is_err() && (found == before || is_both)), "{:?}", fault(at));
                // Whatever became of it, what is told is what the next start finds, once something has been synced.
                store.put_relation(view(None, "last", "select 3"), IfThere::Refuse).unwrap();
                if done.is_ok() {
                    world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
                    drop(store);
                    let mut expected = after.clone();
                    expected.push("* view last select 3".to_owned());
                    expected.sort();
                    let mut found = all(&world.open().relations());
                    found.sort();
                    assert_eq!(found, expected, "{:?}", fault(at));
                }
            }
        }
    }
}

#[test]
fn several_are_removed_together_or_not_at_all() {
    let three = || {
        let (world, store) = prepared();
        store.put_relation(view(None, "w", "select 2"), IfThere::Refuse).unwrap();
        store.put_relation(view(None, "x", "select 3"), IfThere::Refuse).unwrap();
        (world, store)
    };
    let names = [name("v"), name("w"), name("x")];
    let (world, store) = three();
    let before = all(&store.relations());
    let missing = refused(store.remove_relations(None, &[name("v"), name("none")], RelationKind::View));
    assert_eq!(missing.to_string(), "view \"none\" does not exist");
    assert_eq!(all(&store.relations()), before);
    let first = world.disk.operations();
    store.remove_relations(None, &names, RelationKind::View).unwrap();
    let end = world.disk.operations();
    assert_eq!(store.relations().all().count(), 1);
    for fault in [Fault::Any, Fault::Sync] {
        for at in first..end {
            let (world, store) = three();
            world.disk.set_fault(Some(fault(at)));
            let done = store.remove_relations(None, &names, RelationKind::View);
            world.disk.set_fault(None);
            let found = all(&store.relations());
            let is_gone = found.len() == 1;
            assert!(is_gone || (done.is_err() && found == before), "{:?}: {found:?}", fault(at));
            drop(store);
            assert_eq!(all(&world.open().relations()), found, "{:?}", fault(at));
        }
    }
}

#[test]
fn after_a_crash_a_change_is_there_whole_or_not_at_all() {
    for change in CHANGES {
        let (world, store) = prepared();
        let (first, before) = (world.disk.operations(), all(&store.relations()));
        change(&store).unwrap();
        let (end, after) = (world.disk.operations(), all(&store.relations()));
        for fault in FAULTS {
            for at in first..end {
                for seed in 0..2 {
                    let (world, store) = prepared();
                    world.disk.set_fault(Some(fault(at)));
                    let done = change(&store);
                    world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
                    drop(store);
                    let found = all(&world.open().relations());
                    // A view that is renamed may have both names.
                    let is_both = found.len() > before.len() && found.iter().any(|one| before.contains(one));
                    assert!(found == after || (done.is_err() && (found == before || is_both)), "{:?}", fault(at));
                    assert_eq!(world.quarantined(), [""; 0]);
                }
            }
        }
    }
}

#[test]
fn a_damaged_file_is_set_aside_and_costs_nothing_else() {
    let (world, store) = prepared();
    drop(store);
    for path in ["/data/relations/account=acme/skills", "/data/relations/all/v"] {
        let bytes = world.disk.read(path);
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            world.disk.put(path, flipped(bytes.clone(), place));
            let store = world.open();
            assert_eq!(store.relations().all().count(), 1, "{path}, byte {place}");
            drop(store);
            world.disk.put(path, bytes.clone());
        }
    }
    assert_eq!(world.open().relations().all().count(), 2);
    assert_eq!(world.quarantined().len(), 6);
    // What is nobody's is set aside, too; and one file is not taken for another.
    world.disk.put("/data/relations/all/w", world.disk.read("/data/relations/all/v"));
    world.disk.put("/data/relations/stranger", b"x".to_vec());
    world.disk.put("/data/relations/account=../v", b"x".to_vec());
    assert_eq!(world.open().relations().all().count(), 2);
    assert_eq!(world.quarantined().len(), 9);
}

/// A directory on disk with a table and a view.
fn on_disk() -> (TempDir, Store) {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.put_relation(table(account("acme"), "skills", "skill_id,name\n1,Billing\n"), IfThere::Refuse).unwrap();
    store.put_relation(view(None, "v", "select 1"), IfThere::Refuse).unwrap();
    (directory, store)
}

#[test]
fn every_copy_has_them() {
    let (directory, store) = on_disk();
    let expected = all(&store.relations());
    let backup = store.backup().unwrap();
    // A backup is of one moment.
    store.remove_relations(None, &[name("v")], RelationKind::View).unwrap();
    let (mut tar, restored) = (Vec::new(), TempDir::new().unwrap());
    backup.write_to(&mut tar).unwrap();
    unpack_backup(tar.as_slice(), restored.path()).unwrap();
    let checked = check(restored.path()).unwrap();
    assert_eq!((checked.relations, checked.problems.len()), (2, 0));
    assert_eq!(all(&Store::open(restored.path()).unwrap().relations()), expected);
    let mut tar = Vec::new();
    store.backup_to_link().unwrap().write_without_archive_to(&mut tar).unwrap();
    let copy = LinkedCopy::begin(directory.path()).unwrap();
    copy.fill(tar.as_slice()).unwrap();
    assert_eq!(copy.check().unwrap().relations, 1);
    let read = Store::open_to_read(&copy.path(), StoreOptions::default()).unwrap();
    assert_eq!(all(&read.relations()), all(&store.relations()));
}

#[test]
fn a_check_finds_damage_and_changes_nothing() {
    let (directory, store) = on_disk();
    drop(store);
    let file = directory.path().join("relations/all/v");
    std::fs::write(&file, b"damaged").unwrap();
    let checked = check(directory.path()).unwrap();
    assert_eq!(checked.relations, 1);
    let problem = format!("{} is no table or view as it was written; the next start sets it aside", file.display());
    assert_eq!(checked.problems, [problem]);
    assert!(file.exists());
    assert_eq!(Store::open(directory.path()).unwrap().relations().all().count(), 1);
    assert!(!file.exists());
}

#[test]
fn a_reader_of_a_directory_may_add_views_and_changes_nothing_else() {
    let (directory, store) = on_disk();
    drop(store);
    let files = |folder: &str| std::fs::read_dir(directory.path().join(folder)).unwrap().count();
    let journal = std::fs::read(directory.path().join("journal.redb")).unwrap();
    let reader = Store::open_to_read(directory.path(), StoreOptions::default()).unwrap();
    reader.put_relation(view(None, "w", "select 2"), IfThere::Refuse).unwrap();
    reader.remove_relations(None, &[name("v")], RelationKind::View).unwrap();
    drop(reader);
    assert_eq!(files("staging"), 0);
    assert_eq!(std::fs::read(directory.path().join("journal.redb")).unwrap(), journal);
    let found = Store::open_to_read(directory.path(), StoreOptions::default()).unwrap().relations();
    assert_eq!(all(&found)[0], "* view w select 2");
    assert_eq!(found.all().count(), 2);
}

#[test]
fn their_number_and_size_are_bounded() {
    let world = World::new();
    let store = world.open();
    let error = Relation::view(None, name("v"), &"x".repeat((64 << 10) + 1)).unwrap_err();
    assert_eq!(error.to_string(), "the text of the view has 65537 bytes; at most 65536 are kept");
    for number in 0..1_000 {
        store.put_relation(view(account("acme"), &format!("v{number}"), "select 1"), IfThere::Refuse).unwrap();
    }
    let one_more = |owner| store.put_relation(view(owner, "more", "select 1"), IfThere::Refuse);
    let error = refused(one_more(account("acme")));
    assert_eq!(
        error.to_string(),
        "there are 1000 tables and views of this account already, which are the most; drop one first"
    );
    one_more(account("bolt")).unwrap();
    store.put_relation(view(account("acme"), "v1", "select 2"), IfThere::Replace).unwrap();
    store.remove_relations(account("acme").as_ref(), &[name("v2")], RelationKind::View).unwrap();
    one_more(account("acme")).unwrap();
    assert_eq!(world.disk.files_below("/data/relations").len(), 1_001);
}
