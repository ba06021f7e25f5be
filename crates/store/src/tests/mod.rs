mod archive;
mod faults;
mod keys;
mod recovery;
mod samples;
mod simulated_disk;
mod simulation;
mod writing;
