#!/usr/bin/env python3
"""Replays of the release build over a year of segments, beside DuckDB and on a Ballista cluster.

    cargo build --release --features ballista --bin skillscope
    python3 -m venv venv && venv/bin/pip install duckdb==2.0.0
    venv/bin/python benches/replay.py [year] [single] [cluster] --ballista FOLDER

FOLDER has the release builds of ballista-scheduler and ballista-executor (`cargo install`). Data is made in --work (default
./replay-bench) and kept for the next time: 100 million segments of 200 skills, as the archive of a data directory.
"""

import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import generated

ROOT = pathlib.Path(__file__).resolve().parent.parent
END = datetime(2018, 1, 18, 8, 51, 55, 679000, tzinfo=timezone.utc)
HOURS = 8760

# The report without intervals, as DuckDB computes it fastest.
REPORT = """
select skill_id, count(*), count(*) filter (outcome = 'abandoned'), count(*) filter (abandoned_in_queue),
    count(*) filter (outcome = 'non_responsive_consumer'), count(*) filter (outcome = 'non_responsive_agent'),
    count(*) filter (outcome = 'interactive'), count(time_to_first_agent_message_ms), sum(time_to_first_agent_message_ms)
from read_parquet('{files}', hive_partitioning = true)
where end_time >= timestamptz '{start}' and end_time < timestamptz '{end}'{days}
group by skill_id order by skill_id
"""


def report_of(archive, now, by_day):
    """The query; `by_day` lets DuckDB pass over folders by their names."""
    start = now - timedelta(days=1)
    days = f" and date between '{start:%Y-%m-%d}' and '{now:%Y-%m-%d}'" if by_day else ""
    return REPORT.format(files=f"{archive}/**/*.parquet", start=start.isoformat(), end=now.isoformat(), days=days)


def data(binary, work, rows):
    end = END.isoformat()
    directory = generated.data_directory(binary, work / "data", rows=rows, skills=200, hours=HOURS, end=end)
    return directory / "archive"


def run(command):
    """Seconds and the most memory in MiB of a command."""
    started = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def replay(binary, archive, out, first, every, *more):
    return [binary, "replay", "--archive", archive, "--account", "account-1", "--from", first.isoformat(), "--to",
            END.isoformat(), "--every", every, "--timeframe", "1440", "--out", out, "--log", "warn", *more]


def forget_files():
    """Empties the system's cache of files, where that is allowed."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except PermissionError:
        print("the cache of files cannot be emptied: these figures are warm", file=sys.stderr)


def year(binary, archive, work):
    """Every 5 minutes of a year, against 300 of the same reports by DuckDB."""
    import duckdb

    instants = HOURS * 12
    first = END - timedelta(minutes=5 * (instants - 1))
    out = work / "year.ndjson"
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    theirs, ours = {False: [], True: []}, []
    step = instants // 300
    for part in range(3):
        forget_files()
        seconds, memory = run(replay(binary, archive, out, first, "5m"))
        ours.append(seconds)
        size = out.stat().st_size
        print(f"skillscope: {instants} reports, {size / 1e9:.2f} GB in {seconds:.1f} s, {memory:.0f} MiB at most")
        out.unlink()
        for by_day in (False, True):
            for number in range(part, 300, 3):
                now = first + timedelta(minutes=5 * step * number)
                started = time.perf_counter()
                connection.execute(report_of(archive, now, by_day)).fetchall()
                theirs[by_day].append(time.perf_counter() - started)
    for by_day, times in theirs.items():
        a_report = statistics.fmean(times)
        factor = a_report * instants / statistics.median(ours)
        how = "told which days" if by_day else "by time alone"
        print(f"DuckDB, {how}: {a_report * 1e3:.1f} ms a report, {a_report * instants:.0f} s for all: {factor:.0f} times as long")


def single(binary, archive, work):
    """One report over the archive, cold: whole processes."""
    out = work / "single.ndjson"
    ours, theirs = [], {False: [], True: []}
    for number in range(7):
        now = END - timedelta(days=40 * number, minutes=number)
        forget_files()
        seconds, _ = run([binary, "replay", "--archive", archive, "--account", "account-1", "--from", now.isoformat(),
                          "--timeframe", "1440", "--out", out])
        ours.append(seconds)
        for by_day in theirs:
            forget_files()
            # Python's own start is taken off: DuckDB is measured as a library that is loaded.
            script = ("import sys, duckdb, time; c = duckdb.connect(); c.execute(\"set timezone = 'UTC'\"); "
                      "s = time.perf_counter(); c.execute(sys.argv[1]).fetchall(); print(time.perf_counter() - s)")
            printed = subprocess.run([sys.executable, "-c", script, report_of(archive, now, by_day)], check=True,
                                     capture_output=True, text=True)
            theirs[by_day].append(float(printed.stdout))
    print(f"one report, cold: skillscope {statistics.median(ours) * 1e3:.0f} ms, DuckDB by time alone "
          f"{statistics.median(theirs[False]) * 1e3:.0f} ms, told which days {statistics.median(theirs[True]) * 1e3:.0f} ms")


class Cluster:
    """A scheduler and executors on loopback; each executor has `cores` cores."""

    def __init__(self, folder, executors, cores, work):
        self.processes, self.work = [], work / "cluster"
        shutil.rmtree(self.work, ignore_errors=True)
        port = free_port()
        self.url = f"df://127.0.0.1:{port}"
        self.spawn(folder / "ballista-scheduler", "-p", port)
        wait_for(port)
        for number in range(executors):
            own, grpc, health = free_port(), free_port(), free_port()
            self.spawn(folder / "ballista-executor", "--scheduler-host", "127.0.0.1", "--scheduler-port", port, "-p", own,
                       "--bind-grpc-port", grpc, "--bind-health-port", health, "-c", cores, "--work-dir",
                       self.work / f"work-{number}")
            wait_for(own)
        time.sleep(2)

    def spawn(self, program, *arguments):
        self.work.mkdir(parents=True, exist_ok=True)
        for number, argument in enumerate(arguments):
            if argument == "--work-dir":
                arguments[number + 1].mkdir()
        log = open(self.work / f"{program.name}-{len(self.processes)}.log", "w")
        command = [program, "--bind-host", "127.0.0.1", "--external-host", "127.0.0.1", *arguments]
        self.processes.append(subprocess.Popen([str(part) for part in command], stdout=log, stderr=log))

    def shuffled(self):
        """Bytes that executors have written for each other."""
        return sum(path.stat().st_size for path in self.work.rglob("*") if path.is_file() and path.suffix != ".log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"nothing listens on {port}")


def cluster(binary, archive, work, folder):
    """A report of each day: all rows are read, and little is written. The same plan here and on clusters."""
    out = {place: work / f"{place}.ndjson" for place in ("here", "there")}
    first = END - timedelta(days=363)
    here, fixed_here = [], []
    for executors in (1, 2, 4):
        with Cluster(folder, executors, 1 if executors > 1 else 2, work) as machines:
            there, fixed = [], []
            for _ in range(3):
                here.append(run(replay(binary, archive, out["here"], first, "1d"))[0])
                before = machines.shuffled()
                there.append(run(replay(binary, archive, out["there"], first, "1d", "--ballista", machines.url))[0])
                shuffled = machines.shuffled() - before
                assert out["here"].read_bytes() == out["there"].read_bytes()
                fixed_here.append(run(replay(binary, archive, out["here"], END, "1d"))[0])
                fixed.append(run(replay(binary, archive, out["there"], END, "1d", "--ballista", machines.url))[0])
            print(f"{executors} executors: 363 daily reports over all rows {statistics.median(there):.2f} s, "
                  f"{shuffled / 1e6:.1f} MB shuffled; one report {statistics.median(fixed):.2f} s", flush=True)
    print(f"one process: {statistics.median(here):.2f} s; one report {statistics.median(fixed_here):.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["year", "single"])
    parser.add_argument("--binary", default=ROOT / "target" / "release" / "skillscope", type=pathlib.Path)
    parser.add_argument("--work", default="replay-bench", type=pathlib.Path)
    parser.add_argument("--ballista", type=pathlib.Path)
    parser.add_argument("--rows", default=100_000_000, type=int)
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    archive = data(arguments.binary, work, arguments.rows)
    if "year" in arguments.what:
        year(arguments.binary, archive, work)
    if "single" in arguments.what:
        single(arguments.binary, archive, work)
    if "cluster" in arguments.what:
        cluster(arguments.binary, archive, work, arguments.ballista)


if __name__ == "__main__":
    main()
