#!/usr/bin/env python3
"""Benchmark of ingestion: throughput, of segments and of events, the report's latency meanwhile, memory and restart.

    cargo build --release
    pip install duckdb pyarrow
    python3 benches/ingestion.py --binary target/release/skillscope

Parts, chosen with `--parts` (all by default); each prints a Markdown table:

throughput  Rows a second that are durable when they are acknowledged: skillscope over HTTP, as NDJSON and as an Arrow
            stream, in batches of 1,000 from one client and of 10 from 64 clients at once; beside it DuckDB and SQLite
            inside this process, which commit the same rows of the same files in batches of the same size. Every
            measurement starts with an empty data directory or database, takes `--seconds` or until the prepared rows
            run out, and is made once a round: every engine in round 1, then every engine in round 2 and so on. The
            table has the median over the `--rounds`.
events      Conversation events a second that are durable when they are acknowledged: all events of `--rows-events`
            segments, about nine times as many, in order of time over HTTP as NDJSON, in batches of 1,000 and of 10,000
            from one client and of 1,000 from 4 clients at once, each of which has whole conversations; in batches of
            1,000 with `--open-conversations` opened beforehand; and all of them by `import events`, which takes them
            from their file into a directory without a server, until it ends. Every measurement starts with an empty
            data directory, and is made once a round; the table has the median over the `--rounds`.
            A second table has the resident memory of a server before and after `--open-conversations` are opened, each
            by its start, an agent and a message of the consumer, and after SIGKILL and a new start.
latency     The report of two skills over the last hour by 5 minutes, asked every 10 ms of a server that holds
            `--rows-latency` rows of 24 hours: while nothing else happens, while another process ingests 50,000 rows a
            second, and after that, with the rows that have come in. Times count from sending; the last column counts
            from when a request was due, so that a slow answer counts for those that it held up, too.
memory      Resident memory of that server once its files no longer change, and how long a start takes after SIGKILL.

Everything is kept in one temporary directory within the current one, so that it is on the same disk, and removed at the
end. The whole takes some twenty-five minutes, 5 GB of disk and 6 GB of memory. Keep the machine idle meanwhile.
"""

import argparse
import contextlib
import dataclasses
import itertools
import json
import math
import multiprocessing
import os
import pathlib
import platform
import random
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa

import generated
from output import print_machine, print_table, progress
from server import (
    ACCOUNT,
    NDJSON,
    REPORT_PATH,
    SETTLING_LIMIT_SECONDS,
    Connection,
    Server,
    http_request,
    query,
    serving,
    wait_until_idle,
)

PARTS = ["throughput", "events", "latency", "memory"]
SKILLS = 200
SEGMENTS_PATH = f"/v1/accounts/{ACCOUNT}/segments"
EVENTS_PATH = f"/v1/accounts/{ACCOUNT}/events"
ARROW = "application/vnd.apache.arrow.stream"

LARGE_BATCH = 1_000
SMALL_BATCH = 10
CLIENTS = 64

# How many rows are prepared for each second of a measurement: more than an engine is expected to take.
NDJSON_ROWS_A_SECOND = 200_000
ARROW_ROWS_A_SECOND = 500_000
SQLITE_ROWS_A_SECOND = 120_000
SQLITE_SMALL_ROWS_A_SECOND = 60_000
DUCKDB_SMALL_ROWS_A_SECOND = 10_000

LARGE_EVENT_BATCH = 10_000
EVENT_CLIENTS = 4
EVENT_HOURS = 24
EVENTS_GOAL = "100,000"

# Open conversations are older than any event of the hours above, and have so many events each.
OPENED_HOURS_AGO = 27
OPENING_EVENTS = 3
# A body of these has 5 MB: what a server needs for larger ones would show in its memory.
CONVERSATIONS_A_BODY = 10_000
OPEN_CONVERSATION_GOAL = "500"

# Bodies of the preload; a server takes up to 64 MiB.
PRELOAD_BODY_BYTES = 50_000_000

REPORT_EVERY_SECONDS = 0.010
REPORT_SECONDS = 20
PACED_ROWS_A_SECOND = 50_000
PACED_CONNECTIONS = 4
# How long ingestion runs before the report's latency counts, and how much longer it can go on than that needs.
PACED_LEAD_SECONDS = 2
PACED_SPARE_SECONDS = 3

# Files are settled once their number has been the same for this long.
SETTLED_SECONDS = 15

# The fields of a segment, in the order in which NDJSON has them, with DuckDB's types. Times come as milliseconds.
COLUMNS = {
    "account_id": "VARCHAR",
    "conversation_id": "VARCHAR",
    "segment_index": "UINTEGER",
    "skill_id": "BIGINT",
    "start_time": "TIMESTAMP",
    "end_time": "TIMESTAMP",
    "start_reason": "VARCHAR",
    "end_reason": "VARCHAR",
    "user_type": "VARCHAR",
    "outcome": "VARCHAR",
    "abandoned_in_queue": "BOOLEAN",
    "first_assigned_time": "TIMESTAMP",
    "first_agent_message_time": "TIMESTAMP",
    "time_to_first_agent_message_ms": "BIGINT",
    "agent_messages": "UINTEGER",
    "consumer_messages": "UINTEGER",
    "last_agent_id": "VARCHAR",
    "source": "VARCHAR",
}
PRIMARY_KEY = "primary key (account_id, conversation_id, segment_index)"


# Rows.


def generate(binary, path, rows, hours, seed, what="segments"):
    """Writes rows of one account that end within the last hours, or their events; another seed makes other keys."""
    end = int(time.time() * 1000)
    generated.file(binary, path, what, rows=rows, skills=SKILLS, hours=hours, end=end, seed=seed)


def ndjson_batches(path, size, limit):
    """The first `limit` rows of a file as NDJSON of `size` rows each."""
    with open(path, "rb") as file:
        rows = itertools.islice(file, limit)
        while batch := b"".join(itertools.islice(rows, size)):
            yield batch


def arrow_record_batches(path):
    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as reader:
        yield from reader


def arrow_stream(batches):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def arrow_slices(path, size, limit):
    """Record batches of `size` rows, `limit` rows in all; what is left over of each batch of the file is left out."""
    slices = (
        batch.slice(start, size)
        for batch in arrow_record_batches(path)
        for start in range(0, batch.num_rows - size + 1, size)
    )
    return itertools.islice(slices, limit // size)


def arrow_requests(path, size, limit):
    return [
        (http_request("POST", SEGMENTS_PATH, arrow_stream([part]), ARROW), part.num_rows)
        for part in arrow_slices(path, size, limit)
    ]


def ndjson_requests(path, size, limit):
    return [
        (http_request("POST", SEGMENTS_PATH, batch, NDJSON), batch.count(b"\n"))
        for batch in ndjson_batches(path, size, limit)
    ]


# Throughput.


@dataclasses.dataclass
class Measurement:
    rows: int
    seconds: float
    client_cpu: float
    # None: the engine runs inside the client.
    server_cpu: float | None = None

    @property
    def rate(self):
        return self.rows / self.seconds


@dataclasses.dataclass
class Round:
    """What every engine of one round is given: the same rows, and where to keep them."""

    binary: str
    directory: pathlib.Path
    seconds: float
    ndjson: pathlib.Path
    arrow: pathlib.Path

    def rows(self, a_second):
        return int(a_second * self.seconds)

    def path(self, name):
        return self.directory / name


def own_cpu_seconds(whose=resource.RUSAGE_SELF):
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def repeat(batches, store, seconds):
    """Stores batches one after the other until the time or the batches are over; gives rows and `store`'s answers."""
    # What was written while preparing must not be written back while measuring.
    os.sync()
    answers, rows, cpu, started = [], 0, own_cpu_seconds(), time.perf_counter()
    for batch, count in batches:
        answers.append(store(batch))
        rows += count
        if time.perf_counter() - started >= seconds:
            break
    return Measurement(rows, time.perf_counter() - started, own_cpu_seconds() - cpu), answers


def check_accepted(answers, rows):
    answers = [json.loads(answer) for answer in answers]
    accepted = sum(answer["accepted"] for answer in answers)
    if accepted != rows or any(answer["duplicates"] or answer["rejected_count"] for answer in answers):
        raise RuntimeError(f"{rows} rows were sent, {accepted} accepted; the last answer: {answers[-1]}")


def check_stored(stored, rows):
    if stored != rows:
        raise RuntimeError(f"{rows} rows were inserted, {stored} are there")


def skillscope_alone(round_, requests):
    with serving(round_.binary, round_.path("data")) as server, contextlib.closing(server.connect()) as connection:
        cpu = server.cpu_seconds()
        measurement, answers = repeat(requests, connection.ok, round_.seconds)
        measurement.server_cpu = server.cpu_seconds() - cpu
    check_accepted(answers, measurement.rows)
    return measurement


def skillscope_ndjson(round_):
    return skillscope_alone(round_, ndjson_requests(round_.ndjson, LARGE_BATCH, round_.rows(NDJSON_ROWS_A_SECOND)))


def skillscope_arrow(round_):
    return skillscope_alone(round_, arrow_requests(round_.arrow, LARGE_BATCH, round_.rows(ARROW_ROWS_A_SECOND)))


def skillscope_many_clients(round_):
    requests = ndjson_requests(round_.ndjson, SMALL_BATCH, round_.rows(NDJSON_ROWS_A_SECOND))
    with serving(round_.binary, round_.path("data")) as server:
        return measure_clients(server, [requests[i::CLIENTS] for i in range(CLIENTS)], round_.seconds)


def measure_clients(server, requests_by_client, seconds):
    """A thread a client. They share one interpreter: look at the client's own CPU time before judging the server."""
    go = threading.Event()

    def client(connection, own_requests):
        answers, rows = [], 0
        go.wait()
        for request, count in own_requests:
            answers.append(connection.ok(request))
            rows += count
            if time.perf_counter() >= deadline:
                break
        return answers, rows

    with ThreadPoolExecutor(len(requests_by_client)) as pool:
        connections = [server.connect() for _ in requests_by_client]
        clients = [pool.submit(client, *pair) for pair in zip(connections, requests_by_client)]
        os.sync()
        server_cpu, client_cpu, started = server.cpu_seconds(), own_cpu_seconds(), time.perf_counter()
        deadline = started + seconds
        go.set()
        try:
            results = [client.result() for client in clients]
        finally:
            # Where one has failed, or the script is ended, the others do not go on.
            deadline = 0
        seconds, client_cpu = time.perf_counter() - started, own_cpu_seconds() - client_cpu
        server_cpu = server.cpu_seconds() - server_cpu
        for connection in connections:
            connection.close()
    rows = sum(rows for _, rows in results)
    check_accepted([answer for answers, _ in results for answer in answers], rows)
    return Measurement(rows, seconds, client_cpu, server_cpu)


def duckdb_insert(path, or_ignore):
    """Reads a batch's NDJSON: faster than prepared statements with values, and about as fast as Arrow tables."""
    is_time = {name: type_ == "TIMESTAMP" for name, type_ in COLUMNS.items()}
    values = ", ".join(f"epoch_ms({name})" if is_time[name] else name for name in COLUMNS)
    types = ", ".join(f"{name}: '{'BIGINT' if is_time[name] else type_}'" for name, type_ in COLUMNS.items())
    return (
        f"insert {'or ignore' if or_ignore else ''} into segments select {values} "
        f"from read_json('{path}', format = 'newline_delimited', columns = {{{types}}})"
    )


def duckdb_file(round_, size, a_second, keyed):
    """DuckDB with its defaults: two threads on two cores, and a log that is synced at each commit."""
    folder = round_.path("batches")
    folder.mkdir()
    statements = []
    for number, batch in enumerate(ndjson_batches(round_.ndjson, size, round_.rows(a_second))):
        path = folder / f"{number}.ndjson"
        path.write_bytes(batch)
        statements.append((duckdb_insert(path, or_ignore=keyed), batch.count(b"\n")))
    columns = [f"{name} {type_}" for name, type_ in COLUMNS.items()] + [PRIMARY_KEY] * keyed
    with duckdb.connect(str(round_.path("segments.duckdb"))) as database:
        database.execute(f"create table segments ({', '.join(columns)})")
        # Each statement is a transaction of its own.
        measurement, _ = repeat(statements, database.execute, round_.seconds)
        check_stored(database.execute("select count(*) from segments").fetchone()[0], measurement.rows)
    return measurement


def duckdb_keyed(round_):
    return duckdb_file(round_, LARGE_BATCH, NDJSON_ROWS_A_SECOND, keyed=True)


def duckdb_unkeyed(round_):
    return duckdb_file(round_, LARGE_BATCH, NDJSON_ROWS_A_SECOND, keyed=False)


def duckdb_small(round_):
    return duckdb_file(round_, SMALL_BATCH, DUCKDB_SMALL_ROWS_A_SECOND, keyed=True)


def sqlite_value(value):
    # Half of the values are one of a few words or a common name, of which one copy is enough.
    return sys.intern(value) if isinstance(value, str) else value


def sqlite_rows(batch):
    return [tuple(map(sqlite_value, map(json.loads(line).get, COLUMNS))) for line in batch.splitlines()]


def sqlite_file(round_, size, a_second):
    """SQLite with a log that is synced at each commit. JSON is parsed before the clock runs, which favours SQLite."""
    batches = []
    for batch in ndjson_batches(round_.ndjson, size, round_.rows(a_second)):
        rows = sqlite_rows(batch)
        batches.append((rows, len(rows)))
    integers = {"UINTEGER", "BIGINT", "TIMESTAMP", "BOOLEAN"}
    columns = [f"{name} {'integer' if type_ in integers else 'text'}" for name, type_ in COLUMNS.items()]
    insert = f"insert or ignore into segments values ({', '.join('?' * len(COLUMNS))})"
    # No transactions but those begun here.
    with contextlib.closing(sqlite3.connect(round_.path("segments.sqlite"), isolation_level=None)) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute(f"create table segments ({', '.join(columns)}, {PRIMARY_KEY})")

        def store(rows):
            database.execute("begin")
            database.executemany(insert, rows)
            database.execute("commit")

        measurement, _ = repeat(batches, store, round_.seconds)
        check_stored(database.execute("select count(*) from segments").fetchone()[0], measurement.rows)
    return measurement


def sqlite_large(round_):
    return sqlite_file(round_, LARGE_BATCH, SQLITE_ROWS_A_SECOND)


def sqlite_small(round_):
    return sqlite_file(round_, SMALL_BATCH, SQLITE_SMALL_ROWS_A_SECOND)


# Name, rows of a batch, clients, and how it is measured.
ENGINES = [
    ("skillscope, NDJSON over HTTP", LARGE_BATCH, 1, skillscope_ndjson),
    ("skillscope, Arrow over HTTP", LARGE_BATCH, 1, skillscope_arrow),
    ("DuckDB, NDJSON files, primary key", LARGE_BATCH, 1, duckdb_keyed),
    ("DuckDB, NDJSON files, no key", LARGE_BATCH, 1, duckdb_unkeyed),
    ("SQLite, parsed rows, primary key", LARGE_BATCH, 1, sqlite_large),
    ("skillscope, NDJSON over HTTP", SMALL_BATCH, CLIENTS, skillscope_many_clients),
    ("DuckDB, NDJSON files, primary key", SMALL_BATCH, 1, duckdb_small),
    ("SQLite, parsed rows, primary key", SMALL_BATCH, 1, sqlite_small),
]


def measure_throughput(binary, directory, seconds, rounds):
    measurements = [[] for _ in ENGINES]
    for number in range(1, rounds + 1):
        ndjson, arrow = directory / "rows.ndjson", directory / "rows.arrow"
        generate(binary, ndjson, int(NDJSON_ROWS_A_SECOND * seconds), hours=1, seed=2 * number)
        generate(binary, arrow, int(ARROW_ROWS_A_SECOND * seconds), hours=1, seed=2 * number + 1)
        for (name, size, clients, measure), results in zip(ENGINES, measurements):
            place = directory / "engine"
            place.mkdir()
            results.append(measure(Round(binary, place, seconds, ndjson, arrow)))
            shutil.rmtree(place)
            progress(f"round {number}: {name}, {size} × {clients}: {results[-1].rate:,.0f} rows/s")
    print_throughput(measurements)


def print_throughput(measurements):
    rows = []
    for (name, size, clients, _), results in zip(ENGINES, measurements):
        rows.append([name, f"{size:,}", clients, *throughput_cells(results)])
    print_table(
        "Throughput of durable ingestion",
        ["engine", "batch", "clients", "rows/s", "rounds, 1,000 rows/s", "wall", "client's CPU", "engine's CPU"],
        rows,
    )


def throughput_cells(results):
    in_process = results[0].server_cpu is None
    client_cpu = sum(result.client_cpu for result in results)
    return [
        f"{statistics.median(result.rate for result in results):,.0f}",
        " / ".join(f"{result.rate / 1000:,.1f}" for result in results),
        f"{sum(result.seconds for result in results):.1f} s",
        "in process" if in_process else f"{client_cpu:.1f} s",
        f"{client_cpu if in_process else sum(result.server_cpu for result in results):.1f} s",
    ]


# Events.


@dataclasses.dataclass
class EventsRound:
    """What every way of taking events in is given in one round: the same events, and where to keep what they make."""

    binary: str
    data: pathlib.Path
    # The events of so many segments.
    path: pathlib.Path
    segments: int
    # How many conversations are opened beforehand where there are to be others.
    others_open: int


def conversation_id(event):
    """The conversation of a line as `generate events` writes it."""
    start = event.index(b'"conversation_id":"') + len(b'"conversation_id":"')
    return event[start : event.index(b'"', start)]


def event_requests(path, size, clients):
    """Requests for each client. It has all events of its conversations, so that they come in their order."""
    requests, held = [[] for _ in range(clients)], [[] for _ in range(clients)]
    with open(path, "rb") as events:
        for event in events:
            client = zlib.crc32(conversation_id(event)) % clients
            held[client].append(event)
            if len(held[client]) == size:
                requests[client].append(event_request(held[client]))
                held[client] = []
    for own_requests, rest in zip(requests, held):
        if rest:
            own_requests.append(event_request(rest))
    return requests


def event_request(events):
    return http_request("POST", EVENTS_PATH, b"".join(events), NDJSON), len(events)


def check_segments(server, rows):
    with contextlib.closing(server.connect()) as connection:
        [row] = query(connection, "select count(*) as n from segments")
    check_stored(row["n"], rows)


def events_over_http(round_, size, clients, others_open=0):
    requests = event_requests(round_.path, size, clients)
    with serving(round_.binary, round_.data) as server:
        if others_open:
            open_conversations(server, others_open)
        measurement = measure_clients(server, requests, math.inf)
        check_segments(server, round_.segments)
    return measurement


def events_while_open(round_, size, clients):
    return events_over_http(round_, size, clients, round_.others_open)


def events_import(round_, *_):
    with open(round_.path, "rb") as file:
        events = sum(1 for _ in file)
    arguments = ["import", "events", str(round_.path), "--data-dir", str(round_.data), "--log", "warn"]
    os.sync()
    cpu, started = own_cpu_seconds(resource.RUSAGE_CHILDREN), time.perf_counter()
    imported = subprocess.run([round_.binary, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    seconds, cpu = time.perf_counter() - started, own_cpu_seconds(resource.RUSAGE_CHILDREN) - cpu
    if imported.stdout.strip() != f"accepted {events}, duplicates 0, rejected 0":
        raise RuntimeError(f"of {events} events: {imported.stdout}")
    with serving(round_.binary, round_.data) as server:
        check_segments(server, round_.segments)
    return Measurement(events, seconds, cpu)


def open_conversation_bodies(count):
    """Conversations that have an agent, who has not answered yet; the same ones each time, but for the time."""
    chance = random.Random(1)
    start = int(time.time() * 1000) - OPENED_HOURS_AGO * 3_600_000
    for first in range(0, count, CONVERSATIONS_A_BODY):
        events = []
        for number in range(first, min(first + CONVERSATIONS_A_BODY, count)):
            conversation = uuid.UUID(int=chance.getrandbits(128))
            skill, agent = chance.randint(1, SKILLS), f"agent-{chance.randint(1, 999)}"
            time_ms = start + number * 3_600_000 // count
            happenings = [
                (time_ms, f'"conversation_started","skill_id":{skill},"source":"WEB"'),
                (time_ms + 20_000, f'"agent_assigned","agent_id":"{agent}","user_type":"human"'),
                (time_ms + 30_000, '"message","sender":"consumer"'),
            ]
            head = f'{{"account_id":"{ACCOUNT}","conversation_id":"{conversation}"'
            events += [
                f'{head},"sequence":{sequence},"time":{time_},"type":{kind}}}\n'
                for sequence, (time_, kind) in enumerate(happenings)
            ]
        yield "".join(events).encode()


def open_conversations(server, count):
    progress(f"opening {count:,} conversations")
    with contextlib.closing(server.connect()) as connection:
        answers = [
            connection.ok(http_request("POST", EVENTS_PATH, body, NDJSON)) for body in open_conversation_bodies(count)
        ]
    check_accepted(answers, OPENING_EVENTS * count)
    wait_until_idle(server)


# Name, events of a batch, clients, the goal, and how it is measured.
EVENT_WAYS = [
    ("HTTP", LARGE_BATCH, 1, EVENTS_GOAL, events_over_http),
    ("HTTP", LARGE_EVENT_BATCH, 1, EVENTS_GOAL, events_over_http),
    ("HTTP", LARGE_BATCH, EVENT_CLIENTS, EVENTS_GOAL, events_over_http),
    ("HTTP, {:,} other conversations open", LARGE_BATCH, 1, "", events_while_open),
    ("`import events` into a directory", None, None, "", events_import),
]


def measure_events(binary, directory, rows, others_open, rounds):
    measurements = [[] for _ in EVENT_WAYS]
    path, data = directory / "events.ndjson", directory / "events"
    for number in range(1, rounds + 1):
        generate(binary, path, rows, hours=EVENT_HOURS, seed=number, what="events")
        round_ = EventsRound(binary, data, path, rows, others_open)
        for (name, size, clients, _, measure), results in zip(EVENT_WAYS, measurements):
            results.append(measure(round_, size, clients))
            shutil.rmtree(data)
            batches = f", {size} × {clients}" if size else ""
            progress(f"round {number}: {name.format(others_open)}{batches}: {results[-1].rate:,.0f} events/s")
    path.unlink()
    print_events(measurements, rows, others_open)
    measure_open_conversations(binary, data, others_open)


def print_events(measurements, rows, others_open):
    lines = []
    for (name, size, clients, goal, _), results in zip(EVENT_WAYS, measurements):
        way = [name.format(others_open), f"{size:,}" if size else "", clients or ""]
        lines.append([*way, *throughput_cells(results), goal])
    head = ["way", "batch", "clients", "events/s", "rounds, 1,000 events/s", "wall", "client's CPU", "engine's CPU"]
    print_table(f"Durable ingestion of the events of {rows:,} segments", [*head, "goal"], lines)


def measure_open_conversations(binary, directory, count):
    server = Server(binary, directory)
    try:
        wait_until_idle(server)
        empty = server.resident_bytes()
        open_conversations(server, count)
        opened = server.resident_bytes()
        progress("killing and starting again")
        server.kill()
        server = Server(binary, directory)
        wait_until_idle(server)
        restarted = server.resident_bytes()
        check_followed(server, count)
    finally:
        server.kill()
    shutil.rmtree(directory)
    print_table(
        f"Memory of {count:,} open conversations, and restart",
        ["what", "figure", "more than without any, per conversation", "goal"],
        [
            ["resident memory without any", megabytes(empty), "", ""],
            ["resident memory", *more_memory(opened, empty, count)],
            *(["start after SIGKILL: " + step, f"{seconds:.2f} s", "", ""] for step, seconds in server.seconds.items()),
            ["resident memory after the start", *more_memory(restarted, empty, count)],
        ],
    )


def more_memory(size, empty, count):
    return [megabytes(size), f"{(size - empty) / count:.0f} bytes", f"{OPEN_CONVERSATION_GOAL} bytes"]


def check_followed(server, count):
    """That a server knows the conversations still: what opened them is repeated then."""
    body = next(open_conversation_bodies(count))
    with contextlib.closing(server.connect()) as connection:
        answer = json.loads(connection.ok(http_request("POST", EVENTS_PATH, body, NDJSON)))
    if answer["duplicates"] != body.count(b"\n"):
        raise RuntimeError(f"the start forgot conversations: {answer}")


# Latency, memory and restart: one server, loaded with many rows beforehand.


def preload_bodies(path):
    """The whole file in as few bodies as a server takes."""
    held, held_bytes = [], 0
    for batch in arrow_record_batches(path):
        if held and held_bytes + batch.get_total_buffer_size() > PRELOAD_BODY_BYTES:
            yield arrow_stream(held)
            held, held_bytes = [], 0
        held.append(batch)
        held_bytes += batch.get_total_buffer_size()
    yield arrow_stream(held)


def preload(binary, server, directory, rows):
    progress(f"loading {rows:,} rows")
    path = directory / "preload.arrow"
    generate(binary, path, rows, hours=24, seed=1)
    with contextlib.closing(server.connect()) as connection:
        answers = [
            connection.ok(http_request("POST", SEGMENTS_PATH, body, ARROW)) for body in preload_bodies(path)
        ]
    path.unlink()
    check_accepted(answers, rows)


def report_latencies(server, seconds):
    """Asks for a report every 10 ms; gives the times until the answers in milliseconds, from sending and from due."""
    request = http_request("GET", REPORT_PATH)
    from_sending, from_due = [], []
    with contextlib.closing(server.connect()) as connection:
        for _ in range(100):
            connection.ok(request)
        due = finished = time.perf_counter()
        end = due + seconds
        # Not until as many as were due are asked: the ingestion beside it does not last longer.
        while max(due, finished) < end:
            # Waking up late is this script's fault; a connection that is still busy is not.
            waited = max(0, finished - due)
            time.sleep(max(0, due - time.perf_counter()))
            started = time.perf_counter()
            connection.ok(request)
            finished = time.perf_counter()
            from_sending.append((finished - started) * 1000)
            from_due.append((finished - started + waited) * 1000)
            due += REPORT_EVERY_SECONDS
    return from_sending, from_due


def ingest_paced(address, path, size, rows, ready, go, stop, results):
    """Runs in a process of its own: sends prepared bodies, each when it is due, over a few connections in turn."""
    requests = arrow_requests(path, size, rows)
    numbers = itertools.count()
    ready.set()
    go.wait()
    started = time.perf_counter()

    def client():
        answers, sent = [], 0
        with contextlib.closing(Connection(address)) as connection:
            while not stop.is_set() and (number := next(numbers)) < len(requests):
                request, count = requests[number]
                time.sleep(max(0, started + number * size / PACED_ROWS_A_SECOND - time.perf_counter()))
                answers.append(connection.ok(request))
                sent += count
        return answers, sent

    with ThreadPoolExecutor(PACED_CONNECTIONS) as pool:
        clients = [pool.submit(client) for _ in range(PACED_CONNECTIONS)]
        parts = [client.result() for client in clients]
    seconds = time.perf_counter() - started
    sent = sum(sent for _, sent in parts)
    check_accepted([answer for answers, _ in parts for answer in answers], sent)
    results.put((sent, seconds))


def latencies_under_ingestion(binary, server, directory):
    """The latencies, and how many rows went in within how many seconds."""
    rows = PACED_ROWS_A_SECOND * (PACED_LEAD_SECONDS + REPORT_SECONDS + PACED_SPARE_SECONDS)
    path = directory / "paced.arrow"
    generate(binary, path, rows, hours=1, seed=1_000_000)
    # A new interpreter, which shares neither threads nor the lock of this one.
    processes = multiprocessing.get_context("spawn")
    ready, go, stop, results = processes.Event(), processes.Event(), processes.Event(), processes.SimpleQueue()
    arguments = (server.address, str(path), LARGE_BATCH, rows, ready, go, stop, results)
    process = processes.Process(target=ingest_paced, args=arguments, daemon=True)
    process.start()
    try:
        while not ready.wait(1):
            require_alive(process)
        path.unlink()
        os.sync()
        go.set()
        time.sleep(PACED_LEAD_SECONDS)
        latencies = report_latencies(server, REPORT_SECONDS)
        stop.set()
        while results.empty():
            require_alive(process)
            time.sleep(0.05)
        return latencies, *results.get()
    finally:
        process.terminate()
        process.join()


def require_alive(process):
    if process.exitcode:
        raise RuntimeError("the ingesting process failed")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def latency_row(name, held, ingested, latencies):
    from_sending, from_due = latencies
    median, p99 = percentile(from_sending, 0.5), percentile(from_sending, 0.99)
    times = [f"{value:.2f} ms" for value in (median, p99, max(from_sending), percentile(from_due, 0.99))]
    return [name, held, ingested, f"{len(from_sending):,}", *times]


def measure_latency(binary, server, directory, rows):
    """Prints the table and gives the number of rows that were added."""
    wait_until_idle(server)
    progress("reports, idle")
    idle = report_latencies(server, REPORT_SECONDS)
    progress("reports under ingestion")
    busy, added, seconds = latencies_under_ingestion(binary, server, directory)
    wait_until_idle(server)
    progress("reports, idle again")
    after = report_latencies(server, REPORT_SECONDS)
    print_table(
        "The report of two skills over the last hour by 5 minutes",
        ["server", "rows held", "ingested rows/s", "reports", "p50", "p99", "longest", "p99 from due"],
        [
            latency_row("idle", f"{rows:,}", "0", idle),
            latency_row("ingesting", f"{rows:,} to {rows + added:,}", f"{added / seconds:,.0f}", busy),
            latency_row("idle again", f"{rows + added:,}", "0", after),
        ],
    )
    return added


def settled_files(server):
    """The number of files once it no longer changes, or at the latest after three minutes."""
    deadline = time.monotonic() + SETTLING_LIMIT_SECONDS
    files, since = None, time.monotonic()
    with contextlib.closing(server.connect()) as connection:
        while (now := time.monotonic()) < deadline:
            [row] = query(connection, "select count(*) as n from system.files")
            if row["n"] != files:
                files, since = row["n"], now
            elif now - since >= SETTLED_SECONDS:
                return f"{files:,}"
            time.sleep(1)
    return f"{files:,}, still changing"


def measure_memory(binary, server, directory, rows):
    """Prints the table and gives the server that runs now."""
    progress("waiting for files to settle")
    files = settled_files(server)
    before = server.resident_bytes()
    progress("killing and starting again")
    server.kill()
    # Its files are in the page cache, as they are after any crash that the machine survives.
    server = Server(binary, directory)
    after = server.resident_bytes()
    print_table(
        "Memory and restart",
        ["what", "figure"],
        [
            ["rows", f"{rows:,}"],
            ["files", files],
            ["resident memory", f"{megabytes(before)}, {before / rows:.0f} bytes a row"],
            *(["start after SIGKILL: " + step, f"{seconds:.2f} s"] for step, seconds in server.seconds.items()),
            ["resident memory after the start", f"{megabytes(after)}, {after / rows:.0f} bytes a row"],
        ],
    )
    return server


def megabytes(size):
    return f"{size / 1e6:,.0f} MB"


def measure_loaded(binary, directory, parts, rows):
    data = directory / "loaded"
    server = Server(binary, data)
    try:
        preload(binary, server, directory, rows)
        if "latency" in parts:
            rows += measure_latency(binary, server, directory, rows)
        if "memory" in parts:
            server = measure_memory(binary, server, data, rows)
    finally:
        server.kill()


# Output.


def median_sync_seconds(directory):
    """How long the disk takes to make 4 KiB durable, which bounds the commits of one writer."""
    samples = []
    path = directory / "sync"
    with open(path, "ab", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(4096))
            started = time.perf_counter()
            os.fsync(file.fileno())
            samples.append(time.perf_counter() - started)
    path.unlink()
    return statistics.median(samples)


def print_setting(directory):
    print_machine(f"an fsync of 4 KiB: {median_sync_seconds(directory) * 1000:.2f} ms")
    print(f"DuckDB {duckdb.__version__}, SQLite {sqlite3.sqlite_version}, Python {platform.python_version()}")


def parts_of(text):
    parts = text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return parts


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the binary to measure, built for release")
    parser.add_argument("--seconds", type=float, default=5, help="how long one measurement of throughput takes (5)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of throughput and events (3)")
    parser.add_argument("--rows-events", type=int, default=1_000_000, help="segments of the events (1,000,000)")
    parser.add_argument("--open-conversations", type=int, default=1_000_000, help="how many to open (1,000,000)")
    parser.add_argument("--rows-latency", type=int, default=10_000_000, help="rows to load beforehand (10,000,000)")
    parser.add_argument("--parts", type=parts_of, default=PARTS, help="some of throughput,events,latency,memory (all)")
    return parser.parse_args()


def main():
    options = arguments()
    # Ending the script cleans up, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="ingestion-", dir=".")).absolute()
    try:
        print_setting(directory)
        if "throughput" in options.parts:
            measure_throughput(options.binary, directory, options.seconds, options.rounds)
        if "events" in options.parts:
            measure_events(
                options.binary, directory, options.rows_events, options.open_conversations, options.rounds
            )
        if {"latency", "memory"} & set(options.parts):
            measure_loaded(options.binary, directory, options.parts, options.rows_latency)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
