//! How much memory there is for this process, and the shares of it that are the defaults of options.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// What is assumed where the system tells nothing.
const UNKNOWN: u64 = 4 << 30;

/// Where the system mounts the groups that limit memory, and the files there that tell a limit, in bytes.
const GROUPS: [(Version, &str, &[&str]); 3] = [
    (Version::Two, "sys/fs/cgroup", &["memory.max", "memory.high"]),
    (Version::Two, "sys/fs/cgroup/unified", &["memory.max", "memory.high"]),
    (Version::One, "sys/fs/cgroup/memory", &["memory.limit_in_bytes"]),
];

/// The versions of Linux's control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The machine's memory in bytes, or the process's share of it where that is smaller: the least limit of its control
/// groups, from its own up to the root, of both versions. 4 GiB where nothing is known.
pub fn memory_bytes() -> u64 {
    memory_below(Path::new("/"))
}

/// So many hundredths of [the memory](memory_bytes). What options take by default is told in hundredths of it, beside
/// each option: all of them together leave a fifth free, for what nobody counts and for the system's cache of files.
pub fn memory_share(percent: u64) -> u64 {
    memory_bytes() / 100 * percent
}

/// The memory that the files below a root tell of.
fn memory_below(root: &Path) -> u64 {
    let of_groups = limits_of_groups(root);
    of_machine(root).into_iter().chain(of_groups).filter(|bytes| *bytes > 0).min().unwrap_or(UNKNOWN)
}

fn of_machine(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The limits of the groups that the process is in. Each holds for all groups within it, so all of them count.
fn limits_of_groups(root: &Path) -> Vec<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut limits = Vec::new();
    for (version, path) in groups.lines().filter_map(group) {
        for (_, mount, files) in GROUPS.iter().filter(|(of, ..)| *of == version) {
            let mount = root.join(mount);
            // A container may see its own group at the mount, and not the groups that its name tells of: what is there
            // on the way counts.
            for folder in path.ancestors() {
                let limit =
                    |file: &&str| fs::read_to_string(mount.join(folder).join(file)).ok()?.trim().parse::<u64>().ok();
                limits.extend(files.iter().filter_map(limit));
            }
        }
    }
    limits
}

/// The version of a line of `/proc/self/cgroup`, and its group's path below the mount; `None` for a group that limits
/// something else.
fn group(line: &str) -> Option<(Version, PathBuf)> {
    let mut fields = line.splitn(3, ':');
    let (hierarchy, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let version = match (hierarchy, controllers) {
        ("0", "") => Version::Two,
        _ if controllers.split(',').any(|controller| controller == "memory") => Version::One,
        _ => return None,
    };
    let inside = |part: &Component<'_>| matches!(part, Component::Normal(_));
    Some((version, Path::new(path).components().filter(inside).collect()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n");

    /// The memory that a system with these files has.
    fn memory(files: &[(&str, &str)]) -> u64 {
        let root = TempDir::new().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        memory_below(root.path())
    }

    #[test]
    fn without_limits_it_is_the_machines() {
        assert_eq!(memory(&[]), 4 << 30);
        assert_eq!(memory(&[MACHINE]), 16 << 30);
        let group = ("proc/self/cgroup", "0::/user.slice/session-1.scope\n");
        let none = ("sys/fs/cgroup/user.slice/memory.max", "max\n");
        let none_in_version_1 = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(memory(&[MACHINE, group, none, none_in_version_1]), 16 << 30);
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts_in_version_2() {
        let group = ("proc/self/cgroup", "0::/system.slice/skillscope.service\n");
        let own = "sys/fs/cgroup/system.slice/skillscope.service/memory.max";
        let (slice, top) = ("sys/fs/cgroup/system.slice/memory.max", "sys/fs/cgroup/memory.max");
        assert_eq!(memory(&[MACHINE, group, (own, "3000000000\n")]), 3_000_000_000);
        assert_eq!(memory(&[MACHINE, group, (own, "3000000000\n"), (slice, "2000000000\n")]), 2_000_000_000);
        assert_eq!(memory(&[MACHINE, group, (own, "max\n"), (top, "1000000000\n")]), 1_000_000_000);
        let high = "sys/fs/cgroup/system.slice/skillscope.service/memory.high";
        assert_eq!(memory(&[MACHINE, group, (own, "3000000000\n"), (high, "2500000000\n")]), 2_500_000_000);
        // The limit of a neighbour is nobody else's.
        assert_eq!(memory(&[MACHINE, group, ("sys/fs/cgroup/user.slice/memory.max", "1000\n")]), 16 << 30);
    }

    #[test]
    fn a_container_that_sees_its_group_at_the_mount_has_its_limit() {
        let outside = ("proc/self/cgroup", "0::/../../docker/0123\n");
        assert_eq!(memory(&[MACHINE, outside, ("sys/fs/cgroup/memory.max", "536870912\n")]), 512 << 20);
        assert_eq!(
            memory(&[MACHINE, ("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "536870912\n")]),
            512 << 20
        );
    }

    #[test]
    fn version_1_and_both_at_once_are_known() {
        let groups = "12:pids:/x\n5:cpu,memory:/docker/0123\n1:name=systemd:/docker/0123\n0::/init.scope\n";
        let groups = ("proc/self/cgroup", groups);
        let own = "sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes";
        assert_eq!(memory(&[MACHINE, groups, (own, "1073741824\n")]), 1 << 30);
        let above = ("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "900000000\n");
        assert_eq!(memory(&[MACHINE, groups, (own, "1073741824\n"), above]), 900_000_000);
        let unified = ("sys/fs/cgroup/unified/init.scope/memory.max", "800000000\n");
        assert_eq!(memory(&[MACHINE, groups, (own, "1073741824\n"), unified]), 800_000_000);
        let alone = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "700000000");
        assert_eq!(memory(&[groups, alone]), 700_000_000);
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        let files = [
            MACHINE,
            ("proc/self/cgroup", "nonsense\n0::/a\n:::\n"),
            ("sys/fs/cgroup/a/memory.max", "-5\n"),
            ("sys/fs/cgroup/a/memory.high", "0\n"),
            ("sys/fs/cgroup/memory.max", "12 MiB\n"),
        ];
        assert_eq!(memory(&files), 16 << 30);
    }
}
