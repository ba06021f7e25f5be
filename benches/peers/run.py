#!/usr/bin/env python3
"""The report's aggregation, beside other engines: DuckDB, Polars, ClickHouse (as chDB) and plain DataFusion.

    cargo build --release
    python3 benches/peers/run.py --binary target/release/skillscope --ours target/release/deps/peers-…

The engines come from PyPI, in the versions of requirements.txt, into a virtual environment beside the build.

Every engine holds the same segments in memory (ClickHouse: in files, uncompressed, that are in the page cache) and
answers the three shapes of benches/README.md, as they are at the instant before which all segments end:

a  all skills by 5 minutes over 24 hours, intervals cut from the very millisecond 24 hours ago
b  all skills over 24 hours, without interval
c  skills 7 and 12, user type human, the last hour by 5 minutes

with total, abandoned, abandoned in queue, non-responsive consumer, non-responsive agent and interactive, and number and
sum of the times to the first agent message, as columns in the engine's own process. A time is that from the request's
parameters to these columns: planning is part of it. Peers hold the columns that the report needs and no others, words
as enums or dictionaries, sorted as suits each best; every engine has two processors. What was tried for each is said
where it is loaded.

Before anything is measured, all engines must give the same cells for all shapes. Then each round asks every engine once
for each shape, in turns; the tables have the medians over the `--samples`. Skillscope is also asked
for the answer of a plan that was made before, and for the answer as JSON.

Every engine is a process of its own. Up to `--alone-from` rows all of them are loaded at once; from there on one after
the other, so that each has the memory for itself. Up to 10 million rows the whole takes some three minutes; a file of
100 million rows has 3 GB, and ClickHouse takes twice as much again. Keep the machine idle meanwhile.
"""

import argparse
import contextlib
import dataclasses
import importlib.metadata
import itertools
import json
import math
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import generated
from output import print_machine, print_table, progress

REQUIREMENTS = HERE / "requirements.txt"

# 18 January 2018, shortly before nine: not a round instant. It is the request's, and every segment ends before it.
NOW = 1_516_265_515_679
NOW_AS_TEXT = "2018-01-18T08:51:55.679Z"
SKILLS = 200
HOURS = 24

THREADS = 2
# Rounds that do not count: ClickHouse compiles what it has aggregated three times.
WARM_UP_ROUNDS = 3

INTERVAL = 5 * 60_000
USER_TYPES = ["human", "bot", "mixed", "none"]
OUTCOMES = ["interactive", "non_responsive_consumer", "abandoned", "non_responsive_agent"]
# What each answer has for every group, besides the number of the interval and the skill.
METRICS = [
    "total",
    "abandoned",
    "abandoned_in_queue",
    "non_responsive_consumer",
    "non_responsive_agent",
    "interactive",
    "samples",
    "sample_sum",
]
CELL = ["interval_start", "skill_id", *METRICS]
SAMPLE = "time_to_first_agent_message_ms"
COLUMNS = ["skill_id", "end_time", "user_type", "outcome", "abandoned_in_queue", SAMPLE]

OURS = "skillscope"
# What else skillscope is asked for.
WHAT = {"again": "planned before", "json": "with JSON", "plan": "planning alone"}


@dataclasses.dataclass
class Shape:
    title: str
    minutes: int
    by_interval: bool = True
    skills: tuple = ()
    user_type: str | None = None

    @property
    def start(self):
        return NOW - self.minutes * 60_000


SHAPES = {
    "a": Shape("all skills by 5 minutes, 24 hours", 1440),
    "b": Shape("all skills, 24 hours", 1440, by_interval=False),
    "c": Shape("two skills, human, the last hour by 5 minutes", 60, skills=(7, 12), user_type="human"),
}


# The peers. Each loads a file of segments when it is made, and answers a shape with columns of its own kind, which
# `table` turns into an Arrow table for comparison. Instants are integers, as they are in skillscope: DuckDB takes twice
# as long when it has to convert timestamps, and the others do not mind.


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def words(values):
    return ", ".join(map(quoted, values))


def condition(shape):
    """Which segments a shape counts, in the SQL of every peer."""
    parts = [f"end_time >= {shape.start}", f"end_time < {NOW}"]
    if shape.skills:
        parts.append(f"skill_id in ({', '.join(map(str, shape.skills))})")
    if shape.user_type:
        parts.append(f"user_type = {quoted(shape.user_type)}")
    return " and ".join(parts)


def counts(count):
    """The columns of numbers that have a condition; `count` is how a peer counts the rows that meet one."""
    # ClickHouse would take the bare name for that of the column in the answer.
    conditions = {"abandoned_in_queue": "segments.abandoned_in_queue"}
    conditions |= {outcome: f"outcome = {quoted(outcome)}" for outcome in OUTCOMES}
    return ", ".join(f"{count.format(condition)} as {name}" for name, condition in conditions.items())


class DuckDb:
    """Sorted by skill rather than by time: shapes a, b and c take 0.9, 0.5 and 0.5 of the time (10 million rows)."""

    def __init__(self, path, scratch):
        import duckdb

        self.connection = duckdb.connect(config={"threads": THREADS, "temp_directory": str(scratch)})
        self.connection.execute(f"create type user_type as enum ({words(USER_TYPES)})")
        self.connection.execute(f"create type outcome as enum ({words(OUTCOMES)})")
        self.connection.execute(
            f"""
            create table segments as
            select skill_id, epoch_ms(end_time) as end_time, user_type::user_type as user_type,
                outcome::outcome as outcome, abandoned_in_queue, {SAMPLE}
            from read_parquet({quoted(path)})
            order by skill_id, user_type, end_time
            """
        )

    def answer(self, shape):
        # A narrow number of the interval makes the group's key narrow. `countif` is faster than `count` with `filter`,
        # but it and `sum` give integers of 128 bits.
        interval = f"((end_time - {shape.start}) // {INTERVAL})::usmallint as interval," if shape.by_interval else ""
        return self.connection.sql(
            f"""
            select {interval} skill_id,
                count(*) as total, {counts("countif({})::bigint")},
                count({SAMPLE}) as samples, sum({SAMPLE})::bigint as sample_sum
            from segments
            where {condition(shape)}
            group by all
            """
        ).to_arrow_table()

    def table(self, answer):
        return answer


class Polars:
    """Sorted by time, so that the timeframe is a slice. The streaming engine takes half the time of the other one.

    Sorted by skill, shape b takes half the time, but a takes 1.2 times as long and c four times (10 million rows).
    """

    def __init__(self, path, scratch):
        os.environ["POLARS_MAX_THREADS"] = str(THREADS)
        import polars

        self.polars = polars
        column = polars.col
        self.segments = (
            polars.scan_parquet(path)
            .select(COLUMNS)
            .with_columns(
                column("end_time").dt.epoch("ms"),
                column("user_type").cast(polars.Enum(USER_TYPES)),
                column("outcome").cast(polars.Enum(OUTCOMES)),
            )
            .sort("end_time")
            .collect(engine="streaming")
            .rechunk()
        )

    def answer(self, shape):
        column = self.polars.col
        first, end = (self.segments["end_time"].search_sorted(instant, "left") for instant in (shape.start, NOW))
        segments = self.segments[first:end].lazy()
        if shape.skills:
            segments = segments.filter(column("skill_id").is_in(shape.skills), column("user_type") == shape.user_type)
        keys = [column("skill_id")]
        if shape.by_interval:
            interval = (column("end_time") - shape.start) // INTERVAL
            keys.append(interval.cast(self.polars.UInt16).alias("interval"))
        return (
            segments.group_by(keys)
            .agg(
                self.polars.len().alias("total"),
                column("abandoned_in_queue").sum(),
                *((column("outcome") == outcome).sum().alias(outcome) for outcome in OUTCOMES),
                column(SAMPLE).count().alias("samples"),
                column(SAMPLE).sum().alias("sample_sum"),
            )
            .collect(engine="streaming")
        )

    def table(self, answer):
        return answer.to_arrow()


class ClickHouse:
    """Sorted by skill, uncompressed, aggregated in order.

    Shapes a, b and c take 0.5, 0.35 and 0.35 of the time that they take of a table that is sorted by time and has the
    default codec (10 million rows); each of the three has its part in that.
    """

    def __init__(self, path, scratch):
        from chdb import session

        self.session = session.Session(str(scratch))
        # The condition cache would know the granules of a request that came before; real requests never come again.
        settings = {"max_threads": THREADS, "optimize_aggregation_in_order": 1, "use_query_condition_cache": 0}
        for name, value in settings.items():
            self.session.query(f"set {name} = {value}")
        enums = {
            name: f"Enum8({', '.join(f'{quoted(value)} = {number}' for number, value in enumerate(values))})"
            for name, values in [("user_type", USER_TYPES), ("outcome", OUTCOMES)]
        }
        self.session.query("create database peers")
        self.session.query(
            f"""
            create table peers.segments (
                skill_id Int64 codec(NONE),
                end_time Int64 codec(NONE),
                user_type {enums["user_type"]} codec(NONE),
                outcome {enums["outcome"]} codec(NONE),
                abandoned_in_queue Bool codec(NONE),
                {SAMPLE} Nullable(Int64) codec(NONE)
            ) engine = MergeTree order by (skill_id, user_type, end_time)
            """
        )
        self.session.query(
            f"""
            insert into peers.segments
            select skill_id, toUnixTimestamp64Milli(end_time), user_type, outcome, abandoned_in_queue, {SAMPLE}
            from file({quoted(path)}, Parquet)
            """
        )
        self.session.query("optimize table peers.segments final")

    def answer(self, shape):
        interval = f"toUInt16(intDiv(end_time - {shape.start}, {INTERVAL})) as interval," if shape.by_interval else ""
        return self.session.query(
            f"""
            select {interval} skill_id,
                count() as total, {counts("countIf({})")},
                count({SAMPLE}) as samples, sum({SAMPLE}) as sample_sum
            from peers.segments
            where {condition(shape)}
            group by {"interval, " if interval else ""} skill_id
            """,
            "ArrowTable",
        )

    def table(self, answer):
        return answer


class DataFusion:
    """Batches of 32,768 rows, dealt to the partitions in turns, so that the last hour is in all of them.

    Its table in memory has no statistics by which to leave batches out: sorting by skill or by time gains nothing.
    """

    BATCH = 1 << 15

    def __init__(self, path, scratch):
        import datafusion
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        # Comparing small numbers is faster than comparing strings or views of strings.
        def dictionary(column, values):
            indices = pc.index_in(column, value_set=pa.array(values)).cast(pa.int8())
            return pa.DictionaryArray.from_arrays(indices, pa.array(values))

        def compact(batch):
            skill_id, end_time, user_type, outcome, abandoned_in_queue, sample = map(batch.column, COLUMNS)
            columns = [
                skill_id,
                end_time.cast(pa.int64()),
                dictionary(user_type, USER_TYPES),
                dictionary(outcome, OUTCOMES),
                abandoned_in_queue,
                sample,
            ]
            return pa.record_batch(columns, names=COLUMNS)

        batches = [compact(batch) for batch in pq.ParquetFile(path).iter_batches(self.BATCH, columns=COLUMNS)]
        partitions = [batches[first::THREADS] for first in range(THREADS)]
        options = {"datafusion.execution.batch_size": str(self.BATCH)}
        configuration = datafusion.SessionConfig(options).with_target_partitions(THREADS)
        self.context = datafusion.SessionContext(configuration)
        self.context.register_record_batches("segments", [partition for partition in partitions if partition])

    def answer(self, shape):
        interval = f"(end_time - {shape.start}) / {INTERVAL} as interval," if shape.by_interval else ""
        return self.context.sql(
            f"""
            select {interval} skill_id,
                count(*) as total, {counts("count(*) filter (where {})")},
                count({SAMPLE}) as samples, sum({SAMPLE}) as sample_sum
            from segments
            where {condition(shape)}
            group by {"1, 2" if interval else "1"}
            """
        ).collect()

    def table(self, answer):
        import pyarrow as pa

        return pa.Table.from_batches(answer)


PEERS = {"DuckDB": DuckDb, "Polars": Polars, "ClickHouse (chDB)": ClickHouse, "DataFusion": DataFusion}


def cells(shape, table):
    """The rows of an answer in the form and order in which engines are compared; a sum of no samples is 0."""
    columns = [table[name].to_pylist() for name in ["skill_id", *METRICS]]
    columns[-1] = [value or 0 for value in columns[-1]]
    if shape.by_interval:
        starts = [shape.start + INTERVAL * number for number in table["interval"].to_pylist()]
    else:
        starts = [None] * table.num_rows
    return sorted(map(list, zip(starts, *columns)))


def serve(name, path, scratch):
    """A peer's process: `ready` once it is loaded, then one line of JSON for each line of standard input."""
    # Ctrl-C reaches every process; only the one that started them says something about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = PEERS[name](path, pathlib.Path(scratch))
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            return
        what, key = line.split()
        shape = SHAPES[key]
        started = time.perf_counter_ns()
        answer = engine.answer(shape)
        taken = time.perf_counter_ns() - started
        table = engine.table(answer)
        reply = cells(shape, table) if what == "cells" else {"ns": taken, "rows": table.num_rows}
        print(json.dumps(reply), flush=True)


# The processes.


class Engine:
    """A process that holds the segments of one file, and answers a line at a time."""

    def __init__(self, name, command):
        self.name = name
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            if (line := self._receive()) != "ready":
                raise RuntimeError(f"{name} said {line[:200]!r} instead of `ready`")
        except BaseException:
            self.kill()
            raise
        progress(f"{name} has loaded, {time.perf_counter() - started:.1f} s, {self.resident_bytes() / 1e6:,.0f} MB")

    def _receive(self):
        line = self.process.stdout.readline()
        if not line.endswith("\n"):
            raise RuntimeError(f"{self.name} has ended, with exit code {self.process.wait()}")
        return line.strip()

    def ask(self, what, shape):
        self.process.stdin.write(f"{what} {shape}\n")
        self.process.stdin.flush()
        return json.loads(self._receive())

    def cells(self, shape):
        return self.ask("cells", shape)

    def milliseconds(self, what, shape):
        return self.ask(what, shape)["ns"] / 1e6

    def totals(self):
        """The number of segments, and the memory that running totals of them take."""
        return self.ask("totals", "a")

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def quit(self):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self.process.stdin.write("quit\n")
            self.process.stdin.flush()
            self.process.wait(30)
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()


@contextlib.contextmanager
def running(name, ours, path, directory):
    """An engine with the segments of a file; `directory` is where it can keep files of its own meanwhile."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="engine-", dir=directory))
    try:
        peer = [sys.executable, __file__, "--serve", name, path, scratch]
        engine = Engine(name, [ours, path] if name == OURS else peer)
        try:
            yield engine
        finally:
            engine.quit()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


# Measuring.


class Difference(Exception):
    """Two engines gave different cells."""


def describe(cell):
    return "no such cell" if cell is None else ", ".join(map(str, cell))


def check_same(rows, shape, name, found, reference_name, reference):
    if found == reference:
        return
    mine, others = ({tuple(cell[:2]): cell for cell in side} for side in (found, reference))
    keys = sorted(key for key in mine.keys() | others.keys() if mine.get(key) != others.get(key))
    lines = [f"shape {shape} over {rows:,} rows: {name} and {reference_name} differ in {len(keys):,} cells"]
    lines.append(f"({', '.join(CELL)})")
    for key in keys[:5]:
        lines.append(f"{name}: {describe(mine.get(key))}")
        lines.append(f"{reference_name}: {describe(others.get(key))}")
    if not keys:
        lines.append("the cells are the same, but one of them has some twice or in another order")
    raise Difference("\n".join(lines))


def check_cells(rows, engine, references):
    """Compares an engine's cells with those of the first one that was asked, which `references` keeps by shape."""
    if engine.name == OURS:
        totals = engine.totals()
        progress(f"its running totals take {totals['bytes'] / totals['rows']:.1f} bytes a segment")
    for shape in SHAPES:
        found = engine.cells(shape)
        if not found:
            raise Difference(f"shape {shape} over {rows:,} rows: {engine.name} gives no cells")
        check_same(rows, shape, engine.name, found, *references.setdefault(shape, (engine.name, found)))


def turns(engines):
    """Who is asked for what in a round: with peers, skillscope always comes after one that has used the caches."""
    ours = [engine for engine in engines if engine.name == OURS]
    peers = [engine for engine in engines if engine.name != OURS]
    asked = [(engine, what) for engine in ours for what in ["arrow", "json", "again", "plan"]]
    between = itertools.zip_longest([(engine, "arrow") for engine in peers], asked)
    return [turn for pair in between for turn in pair if turn]


def measure(engines, samples, times):
    """Asks each engine once for each shape in every round, and appends to `times`, by what, shape and engine."""
    order = turns(engines)
    for number in range(-WARM_UP_ROUNDS, samples):
        # Everyone comes after everyone else at some time.
        first = 2 * number % len(order)
        for shape in SHAPES:
            for engine, what in order[first:] + order[:first]:
                taken = engine.milliseconds(what, shape)
                if number >= 0:
                    times.setdefault((what, shape, engine.name), []).append(taken)


def measure_together(names, ours, path, directory, rows, samples):
    references, times = {}, {}
    with contextlib.ExitStack() as stack:
        engines = [stack.enter_context(running(name, ours, path, directory)) for name in names]
        for engine in engines:
            check_cells(rows, engine, references)
        progress(f"all {len(engines)} engines give the same cells; measuring")
        measure(engines, samples, times)
    return references, times


def measure_alone(names, ours, path, directory, rows, samples):
    references, times = {}, {}
    for name in names:
        with running(name, ours, path, directory) as engine:
            check_cells(rows, engine, references)
            progress("its cells are right; measuring")
            measure([engine], samples, times)
    return references, times


def generate(binary, directory, rows):
    path = directory / f"segments-{rows}.parquet"
    if not path.exists():
        progress(f"generating {rows:,} segments")
        partial = directory / f"partial-{rows}.parquet"
        generated.file(binary, partial, rows=rows, skills=SKILLS, hours=HOURS, end=NOW_AS_TEXT, seed=1)
        # Only a whole file has the name by which it is used again.
        partial.rename(path)
    return path


# Output.


def milliseconds(value):
    """Three digits, or as many as stand before the point."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(max(value, 0.001))))}f} ms"


def print_times(rows, alone, references, times):
    medians = {key: statistics.median(values) for key, values in times.items()}
    table = []
    for shape, description in SHAPES.items():
        ours = {what: medians[what, shape, OURS] for what in ["arrow", "json", "again", "plan"]}
        _, reference = references[shape]
        progress(f"shape {shape}, {description.title}: {len(reference):,} cells")
        for name in [OURS, *PEERS]:
            samples, median = times["arrow", shape, name], medians["arrow", shape, name]
            table.append(
                [
                    shape,
                    name,
                    milliseconds(median),
                    f"{milliseconds(min(samples))} to {milliseconds(max(samples))}",
                    *("" if name == OURS else f"{median / ours[what]:.1f}" for what in ["arrow", "again", "json"]),
                ]
            )
        for what, title in WHAT.items():
            samples = times[what, shape, OURS]
            spread = f"{milliseconds(min(samples))} to {milliseconds(max(samples))}"
            table.append([shape, f"{OURS}, {title}", milliseconds(ours[what]), spread, "", "", ""])
    print_table(
        f"{rows:,} segments, {'one engine after the other' if alone else 'engines in turns'}",
        ["shape", "engine", "median", "from … to", "skillscope is … times as fast", "planned before", "with JSON"],
        table,
    )


def plot(path, medians):
    """Time against rows, both as powers, for shape a: `medians` has milliseconds by engine and then rows."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for name, by_rows in medians.items():
        sizes = sorted(by_rows)
        style = {"linewidth": 3, "zorder": 3, "color": "black"} if name == OURS else {"linewidth": 1.5}
        axes.loglog(sizes, [by_rows[rows] for rows in sizes], marker="o", label=name, **style)
    axes.set_title(f"Shape a: {SHAPES['a'].title}")
    axes.set_xlabel("segments")
    axes.set_ylabel("median time to answer, ms")
    axes.grid(True, which="both", linewidth=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    progress(f"plotted to {path}")


def print_setting(binary):
    print_machine(f"engines have {len(os.sched_getaffinity(0))} processors")
    ours = subprocess.run([binary, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    packages = {"DuckDB": "duckdb", "Polars": "polars", "chDB": "chdb", "ClickHouse": "chdb-core"}
    packages |= {"DataFusion": "datafusion", "pyarrow": "pyarrow"}
    versions = [f"{name} {importlib.metadata.version(package)}" for name, package in packages.items()]
    print(f"{ours}, {', '.join(versions)}, Python {platform.python_version()}")


# The virtual environment.


def default_venv():
    target = os.environ.get("CARGO_TARGET_DIR") or HERE.parents[1] / "target"
    return pathlib.Path(target) / "peers-venv"


def enter_venv(venv):
    """Goes on within the virtual environment, which is made, or brought up to date, before."""
    if pathlib.Path(sys.prefix).resolve() == venv.resolve():
        return
    python = venv / "bin" / "python"
    # What was installed last; it is written at the very end, so that half an installation is made again.
    installed = venv / "installed.txt"
    if not installed.exists() or installed.read_text() != REQUIREMENTS.read_text():
        progress(f"installing {REQUIREMENTS.name} into {venv}")
        try:
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, stdout=sys.stderr)
            install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)]
            subprocess.run(install, check=True, stdout=sys.stderr)
        except (OSError, subprocess.CalledProcessError):
            sys.exit(f"error: {REQUIREMENTS.name} could not be installed into {venv}: it needs PyPI, so not offline")
        installed.write_text(REQUIREMENTS.read_text())
    os.execv(python, [str(python), *sys.argv])


def sizes_of(text):
    sizes = [int(part.replace("_", "")) for part in text.split(",")]
    if min(sizes) <= 0:
        raise ValueError
    return sorted(set(sizes))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="skillscope, which generates the segments")
    parser.add_argument("--ours", required=True, help="the benchmark `peers`, which answers for skillscope")
    parser.add_argument(
        "--rows", type=sizes_of, default="1000000,10000000", help="how many segments (1000000,10000000)"
    )
    parser.add_argument("--samples", type=int, default=15, help="rounds that count (15)")
    parser.add_argument(
        "--alone-from", type=int, default=50_000_000, help="from so many on, one engine after the other (50000000)"
    )
    parser.add_argument("--keep", type=pathlib.Path, help="keep the segments here, or use those that are here")
    parser.add_argument(
        "--plot",
        type=pathlib.Path,
        default=HERE / "time-against-rows.png",
        help="where to plot to, if there are two sizes (time-against-rows.png beside this script)",
    )
    parser.add_argument(
        "--venv",
        type=pathlib.Path,
        default=default_venv(),
        help="the virtual environment to use or make (peers-venv in CARGO_TARGET_DIR, or else in target)",
    )
    options = parser.parse_args()
    if options.samples < 1:
        parser.error("--samples must be at least 1")
    return options


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(*sys.argv[2:])
    options = arguments()
    enter_venv(options.venv)
    # Ending the script cleans up, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Engines take the processors that they see, so all of them are given the same ones.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    directory = pathlib.Path(tempfile.mkdtemp(prefix="peers-", dir=".")).absolute()
    try:
        print_setting(options.binary)
        data = options.keep.absolute() if options.keep else directory
        data.mkdir(parents=True, exist_ok=True)
        medians = {}
        for rows in options.rows:
            path = generate(options.binary, data, rows)
            alone = rows >= options.alone_from
            work = measure_alone if alone else measure_together
            found = work([OURS, *PEERS], pathlib.Path(options.ours).absolute(), path, directory, rows, options.samples)
            print_times(rows, alone, *found)
            for name in [OURS, *PEERS]:
                medians.setdefault(name, {})[rows] = statistics.median(found[1]["arrow", "a", name])
            if not options.keep:
                path.unlink()
        if len(options.rows) > 1:
            plot(options.plot, medians)
    except (Difference, RuntimeError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
