#!/usr/bin/env python3
"""Twice as many reports as the server can compute, and reports beside analysts and imports.

    cargo build --release --bin skillscope
    python3 benches/overload.py [--binary target/release/skillscope] [--seconds 10] [--rows 1000000]

Clients are of the same machine and have its processors, too. In an open loop a request is sent when it is due, whatever
has become of those before it, and its time counts from then on. The first seconds of each measurement, in which
connections are made and a backlog shows itself to be none of a burst, are not counted. Exits with 1 where a goal is
missed.
"""

import argparse
import asyncio
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import generated
from output import print_machine, print_table, progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
END = "2026-11-01T12:00:00Z"
PATH = "/operations/api/account/account-1/msgskillsegments?v=1&timeframe=1440"
LARGE, SMALL = PATH + "&interval=60", PATH.replace("1440", "60") + "&interval=5&skillIds=7,12&userType=human"
WARM_UP, DRAIN = 2.0, 5.0
CONNECTIONS = 1500


class Server:
    def __init__(self, binary, directory):
        command = [binary, "serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--now", END, "--log", "error"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        host, port = self.process.stdout.readline().strip().split("//")[1].split(":")
        self.address = host, int(port)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Connection:
    """One connection at a time asks one thing at a time."""

    def __init__(self, address):
        self.address, self.streams = address, None

    async def ask(self, path, body=None, content_type="application/json"):
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection(*self.address, limit=1 << 20)
            reader, writer = self.streams
            head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
            if body is not None:
                head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"\r\n" + (body or b""))
            answer = await reader.readuntil(b"\r\n\r\n")
            headers = dict(line.split(b": ", 1) for line in answer.split(b"\r\n")[1:] if line)
            if b"content-length" in headers:
                await reader.readexactly(int(headers[b"content-length"]))
            else:
                while size := int(await reader.readline(), 16):
                    await reader.readexactly(size + 2)
                await reader.readline()
            return int(answer.split(b" ", 2)[1])
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self.close()
            return None

    def close(self):
        if self.streams:
            self.streams[1].close()
        self.streams = None


def percentile(times, part):
    return sorted(times)[min(int(len(times) * part), len(times) - 1)] * 1000 if times else float("nan")


async def closed_loop(address, path, clients, seconds):
    """The times of what was answered with 200, by clients that ask again as soon as they have their answer."""
    begin = time.perf_counter() + WARM_UP
    times, statuses = [], {}

    async def client():
        connection = Connection(address)
        while (asked := time.perf_counter()) < begin + seconds:
            status = await connection.ask(path)
            if asked >= begin:
                statuses[status] = statuses.get(status, 0) + 1
                if status == 200:
                    times.append(time.perf_counter() - asked)
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return times, statuses


async def open_loop(address, path, rate, seconds):
    """The same of requests that come at `rate` a second, and how many in a second were answered within the time."""
    free, tasks, statuses, times = [], set(), {}, []
    begin = time.perf_counter()
    counted = begin + WARM_UP, begin + WARM_UP + seconds
    connections, answered = 0, 0

    async def one(due, connection):
        nonlocal answered
        status = await connection.ask(path)
        done = time.perf_counter()
        free.append(connection)
        if counted[0] <= due < counted[1]:
            statuses[status] = statuses.get(status, 0) + 1
            if status == 200:
                times.append(done - due)
        if status == 200 and counted[0] <= done < counted[1]:
            answered += 1

    due = begin
    while due < counted[1]:
        due += random.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if not free and connections < CONNECTIONS:
            connections += 1
            free.append(Connection(address))
        if not free:
            statuses["no connection"] = statuses.get("no connection", 0) + 1
            continue
        task = asyncio.create_task(one(due, free.pop()))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=DRAIN)
    for task in tasks:
        task.cancel()
    statuses["no answer"] = len(tasks)
    return times, statuses, answered / seconds


def told(statuses):
    return ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items(), key=str) if number)


async def overload(address, path, seconds, rows):
    """Asks for the same report more and more often. Returns whether the goals are met."""
    idle, _ = await closed_loop(address, path, 1, min(seconds, 5))
    saturated, statuses = await closed_loop(address, path, 12, seconds)
    peak, best = len(saturated) / seconds, percentile(idle, 0.99)
    rows.append(["one client", f"{len(idle) / min(seconds, 5):.0f}", f"{percentile(idle, 0.5):.1f}", f"{best:.1f}", ""])
    rows.append(["12 clients: the peak", f"{peak:.0f}", f"{percentile(saturated, 0.5):.1f}",
                 f"{percentile(saturated, 0.99):.1f}", told(statuses)])
    is_good = True
    for times in (0.5, 2):
        taken, statuses, goodput = await open_loop(address, path, peak * times, seconds)
        tail = percentile(taken, 0.99)
        rows.append([f"{times} × the peak is asked for", f"{goodput:.0f}", f"{percentile(taken, 0.5):.1f}", f"{tail:.1f}",
                     told(statuses)])
        if times > 1:
            is_good = goodput >= 0.8 * peak and tail < 10 * best
            rows.append(["", f"{100 * goodput / peak:.0f} % of the peak, goal 80", "", f"{tail / best:.1f} × one client's, goal 10", ""])
    return is_good


async def beside(address, seconds, rows):
    """Small reports while analysts ask and imports run."""
    over = time.perf_counter() + WARM_UP + seconds
    statement = json.dumps({"query": "select conversation_id, count(*) from segments group by 1 order by 2 desc"}).encode()

    def segment(number):
        return json.dumps({
            "conversation_id": f"new-{number}-{random.random()}", "segment_index": 0, "skill_id": 7, "start_time": END,
            "end_time": END, "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none",
            "outcome": "abandoned", "abandoned_in_queue": True, "agent_messages": 0, "consumer_messages": 1})

    async def repeat(path, body, content_type):
        connection = Connection(address)
        while time.perf_counter() < over:
            await connection.ask(path, body(), content_type)
        connection.close()

    def records():
        return "\n".join(segment(number) for number in range(200)).encode()

    alone, _ = await closed_loop(address, SMALL, 1, min(seconds, 5))
    work = [repeat("/v1/sql", lambda: statement, "application/json") for _ in range(16)]
    work += [repeat("/v1/accounts/bulk/segments", records, "application/x-ndjson") for _ in range(4)]
    over = time.perf_counter() + WARM_UP + seconds
    tasks = [asyncio.create_task(one) for one in work]
    times, statuses = await closed_loop(address, SMALL, 1, seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for what, these in (("alone", alone), ("beside 16 analysts and 4 imports", times)):
        rows.append([what, len(these), f"{percentile(these, 0.5):.2f}", f"{percentile(these, 0.99):.2f}"])
    return set(statuses) == {200}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/skillscope")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--data", type=pathlib.Path, help="a folder for the data, which is used again")
    arguments = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.data or pathlib.Path(temporary)
        directory = generated.data_directory(arguments.binary, folder / f"overload-{arguments.rows}", rows=arguments.rows,
                                             skills=200, hours=24, end=END, seed=1)
        server = Server(arguments.binary, directory)
        try:
            reports, lanes = [], []
            progress("reports, more and more often")
            is_good = asyncio.run(overload(server.address, LARGE, arguments.seconds, reports))
            progress("reports beside others")
            is_good &= asyncio.run(beside(server.address, arguments.seconds, lanes))
        finally:
            server.stop()
    print_table("Reports of 200 skills by hours", ["", "answered a second", "median, ms", "p99, ms", "statuses"], reports)
    print_table("Small reports", ["", "answered", "median, ms", "p99, ms"], lanes)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
