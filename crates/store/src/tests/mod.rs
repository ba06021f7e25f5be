//! Tests of the store as a whole, one file a subject. The samples and the simulated disk serve the others.

mod access;
mod archive;
mod arrival;
mod clock;
mod contradictions;
mod conversations;
mod damage;
mod dead_letters;
mod faults;
mod feeds;
mod history;
mod journal_damage;
mod keys;
mod linked_copy;
mod open;
mod recovery;
mod relations;
mod retention;
mod samples;
mod simulated_disk;
mod simulation;
mod statistics;
mod streams;
mod totals;
mod writing;
