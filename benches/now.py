#!/usr/bin/env python3
"""Benchmark of what is open right now: answers, memory, and what keeping them ready costs ingestion.

    cargo build --release --bin skillscope
    python3 benches/now.py --binary target/release/skillscope [--peer OLD/skillscope]

Parts, chosen with `--parts` (all by default); each prints a Markdown table:

answers    `--conversations` are opened in 200 skills: of ten, four wait, four are with a human whom the consumer has
           written to, and two with a bot that has written. Then `now` and `msgqueuehealth/current` are asked
           `--requests` times, for all skills and for two, over one connection, one after the other; and statements over
           `open_conversations`, twenty times each. Times count from sending to the whole answer.
memory     Resident memory of that server before and after they were opened, and after SIGKILL and a new start.
ingestion  The events of `--rows` segments in requests of 1,000 from one client, with nothing else open and with
           `--conversations` open beforehand, by `--binary` and by `--peer`, a build of before, in turns: each
           measurement begins with an empty data directory, and who goes first changes from round to round. Left out
           without `--peer`.

Everything is kept in one temporary directory within the current one, and removed at the end. Exits with 1 where a goal
is missed: under 1 ms for the median `now` of all skills, at most 500 bytes a conversation, and ingestion at most 5 %
slower than the peer's.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
import uuid

import generated
from output import print_machine, print_table, progress
from server import ACCOUNT, NDJSON, Server, http_request, query, serving, wait_until_idle

PARTS = ["answers", "memory", "ingestion"]
SKILLS = 200
EVENTS_PATH = f"/v1/accounts/{ACCOUNT}/events"
NOW_PATH = f"/v1/accounts/{ACCOUNT}/now"
QUEUE_HEALTH_PATH = f"/operations/api/account/{ACCOUNT}/msgqueuehealth/current?v=1"

# Open conversations are older than any event that is measured, and began within an hour.
OPENED_HOURS_AGO = 27
EVENT_HOURS = 24
# A body of these has some 5 MB: what a server needs for larger ones would show in its memory.
CONVERSATIONS_A_BODY = 10_000
EVENTS_A_REQUEST = 1_000
STATEMENTS = 20

NOW_GOAL_MS = 1
MEMORY_GOAL_BYTES = 500
INGESTION_GOAL = 0.95

QUESTIONS = [
    ("`now`, all skills", NOW_PATH),
    ("`now`, two skills", f"{NOW_PATH}?skillIds=7,12"),
    ("`msgqueuehealth/current`, all skills", QUEUE_HEALTH_PATH),
    ("`msgqueuehealth/current`, two skills", f"{QUEUE_HEALTH_PATH}&skillIds=7,12"),
]
SQL = [
    "select count(*) from open_conversations",
    "select skill_id, count(*), min(waiting_since) from open_conversations group by skill_id",
    "select count(*) from open_conversations where skill_id = 7",
    "select * from open_conversations where waiting_since is not null order by waiting_since limit 10",
]


# Open conversations.


def happenings(number, start, chance):
    """What has happened in a conversation: the time of each event, and its fields as JSON."""
    yield start, f'"conversation_started","skill_id":{chance.randint(1, SKILLS)},"source":"WEB"'
    if number % 10 < 4:
        return
    kind = "human" if number % 10 < 8 else "bot"
    yield start + 20_000, f'"agent_assigned","agent_id":"agent-{chance.randint(1, 999)}","user_type":"{kind}"'
    yield start + 30_000, f'"message","sender":"{"consumer" if kind == "human" else "agent"}"'


def opening_bodies(count):
    """Bodies of events that open so many conversations, each with its number of events; but for the time, always alike."""
    chance = random.Random(1)
    begun = int(time.time() * 1000) - OPENED_HOURS_AGO * 3_600_000
    for first in range(0, count, CONVERSATIONS_A_BODY):
        events = []
        for number in range(first, min(first + CONVERSATIONS_A_BODY, count)):
            conversation = uuid.UUID(int=chance.getrandbits(128))
            start = begun + number * 3_600_000 // count
            for sequence, (time_ms, fields) in enumerate(happenings(number, start, chance)):
                head = f'"conversation_id":"{conversation}","sequence":{sequence},"time":{time_ms}'
                events.append(f'{{{head},"type":{fields}}}\n')
        yield "".join(events).encode(), len(events)


def open_conversations(server, count):
    progress(f"opening {count:,} conversations")
    with contextlib.closing(server.connect()) as connection:
        for body, events in opening_bodies(count):
            post(connection, http_request("POST", EVENTS_PATH, body, NDJSON), events)
    wait_until_idle(server)


def post(connection, request, events):
    answer = json.loads(connection.ok(request))
    if (answer["accepted"], answer["duplicates"], answer["rejected_count"]) != (events, 0, 0):
        raise RuntimeError(f"of {events} events: {answer}")


def check_open(server, count):
    with contextlib.closing(server.connect()) as connection:
        total = json.loads(connection.ok(http_request("GET", NOW_PATH)))["metricsTotal"]
        [row] = query(connection, "select count(*) as n from open_conversations")
    if total["openConversations"] != count or row["n"] != count:
        raise RuntimeError(f"{count} conversations are open; now tells {total}, SQL {row}")


# Answers.


def milliseconds(ask, times):
    """How long each of so many requests takes; ten more go before, which are not counted."""
    taken = []
    for _ in range(times + 10):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken[10:])


def row_of(name, taken, size, goal=""):
    p99 = taken[min(len(taken) - 1, len(taken) * 99 // 100)]
    times = [f"{value:.3f}" for value in (statistics.median(taken), p99, taken[-1])]
    return [name, f"{len(taken):,}", *times, f"{size:,}", goal]


def measure_answers(server, requests, conversations):
    """Prints the table, and tells whether the goal is met."""
    rows, medians = [], []
    with contextlib.closing(server.connect()) as connection:
        for name, path in QUESTIONS:
            progress(name)
            request = http_request("GET", path)
            taken = milliseconds(lambda: connection.ok(request), requests)
            medians.append(statistics.median(taken))
            rows.append(row_of(name, taken, len(connection.ok(request)), "" if rows else f"{NOW_GOAL_MS} ms"))
        for statement in SQL:
            progress(statement)
            taken = milliseconds(lambda: query(connection, statement), STATEMENTS)
            rows.append(row_of(f"`{statement}`", taken, len(json.dumps(query(connection, statement)))))
    print_table(
        f"Answers over {conversations:,} open conversations in {SKILLS} skills",
        ["question", "times", "p50, ms", "p99, ms", "longest, ms", "bytes", "goal of the median"],
        rows,
    )
    return medians[0] < NOW_GOAL_MS


# Memory.


def print_memory(empty, opened, restarted, count):
    """Prints the table, and tells whether the goal is met."""

    def row(name, size):
        return [name, f"{size / 1e6:,.0f} MB", f"{(size - empty) / count:,.0f}", f"{MEMORY_GOAL_BYTES}"]

    print_table(
        f"Memory of {count:,} open conversations",
        ["resident", "size", "more than without any, bytes a conversation", "goal"],
        [
            ["without any", f"{empty / 1e6:,.0f} MB", "", ""],
            row("with them", opened),
            row("after SIGKILL and a new start", restarted),
        ],
    )
    return (opened - empty) / count <= MEMORY_GOAL_BYTES


def measure_open(options, directory):
    """Answers and memory, of the same server."""
    data, is_met = directory / "open", True
    server = Server(options.binary, data)
    try:
        wait_until_idle(server)
        empty = server.resident_bytes()
        open_conversations(server, options.conversations)
        # Answers take memory, too, which the conversations do not.
        opened = server.resident_bytes()
        check_open(server, options.conversations)
        if "answers" in options.parts:
            is_met &= measure_answers(server, options.requests, options.conversations)
        if "memory" in options.parts:
            progress("killing and starting again")
            server.kill()
            server = Server(options.binary, data)
            wait_until_idle(server)
            restarted = server.resident_bytes()
            check_open(server, options.conversations)
            is_met &= print_memory(empty, opened, restarted, options.conversations)
    finally:
        server.kill()
    shutil.rmtree(data)
    return is_met


# Ingestion, in turns.


@dataclasses.dataclass
class Events:
    requests: list
    total: int

    @classmethod
    def generate(cls, options, directory, seed):
        path, end = directory / "events.ndjson", int(time.time() * 1000)
        generated.file(
            options.binary, path, "events", rows=options.rows, skills=SKILLS, hours=EVENT_HOURS, end=end, seed=seed
        )
        lines = path.read_bytes().splitlines(keepends=True)
        path.unlink()
        bodies = [lines[first : first + EVENTS_A_REQUEST] for first in range(0, len(lines), EVENTS_A_REQUEST)]
        requests = [(http_request("POST", EVENTS_PATH, b"".join(body), NDJSON), len(body)) for body in bodies]
        return cls(requests, len(lines))


def events_a_second(binary, data, events, others_open):
    """The rate over the whole, and the seconds of processor time that the server took for it."""
    with serving(binary, data) as server:
        if others_open:
            open_conversations(server, others_open)
        os.sync()
        with contextlib.closing(server.connect()) as connection:
            cpu, started = server.cpu_seconds(), time.perf_counter()
            for request, count in events.requests:
                post(connection, request, count)
            rate = events.total / (time.perf_counter() - started)
            cpu = server.cpu_seconds() - cpu
    shutil.rmtree(data)
    return rate, cpu


def measure_ingestion(options, directory):
    """Prints the table, and tells whether the goal is met."""
    binaries = [("this", options.binary), ("peer", options.peer)]
    ways = [0, options.conversations]
    rates = {(name, way): [] for way in ways for name, _ in binaries}
    cpus = {key: [] for key in rates}
    for round_ in range(options.rounds):
        events = Events.generate(options, directory, seed=round_ + 1)
        for way in ways:
            for name, binary in binaries if round_ % 2 == 0 else reversed(binaries):
                rate, cpu = events_a_second(binary, directory / "ingestion", events, way)
                rates[name, way].append(rate)
                cpus[name, way].append(cpu)
                progress(f"round {round_ + 1}, {way:,} others open, {name}: {rate:,.0f} events/s")
    medians = {key: statistics.median(values) for key, values in rates.items()}
    rows = []
    for (name, way), median in medians.items():
        rows.append([
            f"{way:,}",
            name,
            f"{median:,.0f}",
            " / ".join(f"{rate / 1000:,.0f}" for rate in rates[name, way]),
            f"{sum(cpus[name, way]):.1f} s",
            f"{median / medians['peer', way]:.3f}" if name == "this" else "",
            f"{INGESTION_GOAL}" if name == "this" else "",
        ])
    print_table(
        f"Durable ingestion of the events of {options.rows:,} segments, in turns",
        ["others open", "build", "events/s", "rounds, 1,000 events/s", "engine's CPU", "of the peer's", "goal"],
        rows,
    )
    return all(medians["this", way] >= INGESTION_GOAL * medians["peer", way] for way in ways)


def parts_of(text):
    parts = text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return parts


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the binary to measure, built for release")
    parser.add_argument("--peer", help="a binary of before, for ingestion in turns")
    parser.add_argument("--conversations", type=int, default=1_000_000, help="how many to open (1,000,000)")
    parser.add_argument("--requests", type=int, default=5_000, help="how often each question is asked (5,000)")
    parser.add_argument("--rows", type=int, default=300_000, help="segments of the events (300,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of ingestion (5)")
    parser.add_argument("--parts", type=parts_of, default=PARTS, help="some of answers,memory,ingestion (all)")
    return parser.parse_args()


def main():
    options = arguments()
    # Ending the script cleans up, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="now-", dir=".")).absolute()
    is_met = True
    try:
        print_machine()
        if {"answers", "memory"} & set(options.parts):
            is_met &= measure_open(options, directory)
        if options.peer and "ingestion" in options.parts:
            is_met &= measure_ingestion(options, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(not is_met)


if __name__ == "__main__":
    main()
