//! The process, under the names that all exporters have. Where the system does not tell something, it is absent.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::{Definition, Exposition};

const CPU: Definition =
    Definition::counter("process_cpu", &[], "Time that the process has spent on processors.").in_seconds();

const RESIDENT: Definition =
    Definition::gauge("process_resident_memory", &[], "Memory that the process has.").in_bytes();

const VIRTUAL: Definition =
    Definition::gauge("process_virtual_memory", &[], "Memory that the process has the addresses of.").in_bytes();

const OPEN_FILES: Definition =
    Definition::gauge("process_open_fds", &[], "File descriptors that are open, connections among them.");

const MOST_FILES: Definition = Definition::gauge("process_max_fds", &[], "File descriptors that may be open.");

const THREADS: Definition = Definition::gauge("process_threads", &[], "Threads of the process.");

const START: Definition =
    Definition::gauge("process_start_time", &[], "When the process started, since 1970.").in_seconds();

/// The parts of a second in which Linux tells times to processes, on every machine that it runs on today.
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn add(all: &mut Exposition) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = Stat::read();
    let mut known = |definition, value: Option<f64>| all.family(definition, value.map(|value| ([], value.into())));
    known(&CPU, stat.as_ref().map(|stat| stat.cpu_seconds));
    known(&START, stat.as_ref().and_then(Stat::started));
    let files = fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64);
    let most = getrlimit(Resource::Nofile).current;
    let mut counted = |definition, value: Option<u64>| all.family(definition, value.map(|value| ([], value.into())));
    counted(&RESIDENT, kilobytes(&status, "VmRSS:"));
    counted(&VIRTUAL, kilobytes(&status, "VmSize:"));
    counted(&OPEN_FILES, files);
    counted(&MOST_FILES, most);
    counted(&THREADS, field(&status, "Threads:").and_then(|threads| threads.parse().ok()));
}

fn field<'t>(status: &'t str, name: &str) -> Option<&'t str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    field(status, name)?.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What `/proc/self/stat` tells.
struct Stat {
    cpu_seconds: f64,
    /// Since the machine started.
    start_seconds: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The name of the program stands in brackets, and may have anything in it. The third field is the first after it.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let ticks = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let seconds = |ticks: f64| ticks / TICKS_PER_SECOND;
        Some(Self { cpu_seconds: seconds(ticks(14)? + ticks(15)?), start_seconds: seconds(ticks(22)?) })
    }

    /// When the process started, since 1970.
    fn started(&self) -> Option<f64> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let booted: f64 = field(&text, "btime ")?.parse().ok()?;
        Some(booted + self.start_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_have_brackets_in_its_name() {
        let text = "4242 (a) b) S 1 4242 4242 0 -1 4194560 9000 0 12 0 150 50 0 0 20 0 30 0 12345 1000000 2000 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.cpu_seconds, stat.start_seconds), (2.0, 123.45));
        assert!(Stat::parse("4242 (a) S 1").is_none());
    }

    #[test]
    fn memory_is_told_in_bytes() {
        let status = "Name:\tskillscope\nVmSize:\t  2048 kB\nVmRSS:\t 3 kB\nThreads:\t7\n";
        assert_eq!((kilobytes(status, "VmRSS:"), kilobytes(status, "VmSize:")), (Some(3072), Some(2 << 20)));
        assert_eq!((kilobytes(status, "VmSwap:"), field(status, "Threads:")), (None, Some("7")));
    }
}
