//! The seeds of the fuzz targets, each of them once.

use std::path::PathBuf;

use super::door::Door;
use crate::{App, fuzzing};

/// Hands each seed of a target to `take`.
fn each_seed(target: &str, take: fn(&App, &[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut seeds: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "{}", folder.display());
    seeds.sort();
    let door = Door::new();
    for seed in seeds {
        take(&door.app, &std::fs::read(&seed).unwrap());
    }
}

#[test]
fn what_clients_of_postgresql_send() {
    each_seed("postgresql", fuzzing::postgresql);
}

#[test]
fn what_clients_of_flight_sql_send() {
    each_seed("flight", fuzzing::flight);
}
