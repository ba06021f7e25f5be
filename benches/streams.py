#!/usr/bin/env python3
"""What it costs to push a wallboard: 10,000 streams of one report at 5 s, beside the sending itself.

    cargo build --release --bin skillscope
    python3 benches/streams.py [--binary target/release/skillscope] [--streams 10000] [--seconds 60] [--processes 4]

Processes of their own follow the report over loopback, and read all that comes. The processor time of the server from the
first second to the last is compared with that of a plain program which writes the same bytes to as many sockets at the same
times. Each stream takes a file on either side: `ulimit -n` is raised to the hard limit. Exits with 1 where the goal is
missed, or where a stream has missed a report.
"""

import argparse
import asyncio
import multiprocessing
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

import generated
from output import print_machine, print_table, progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
END = "2026-11-01T12:00:00Z"
# Shape c: a wallboard of two skills.
PATH = "/operations/api/account/account-1/msgskillsegments?v=1&timeframe=60&interval=5&skillIds=7,12&userType=human"
EVERY = 5
GOAL = 15
# So many connections are made at a time, so that none is refused by a full backlog.
AT_A_TIME = 50


def cpu_seconds(process):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raise_limit():
    """Lets a process have as many files as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Reader(asyncio.Protocol):
    """One stream. It counts events by their first line, wherever the pieces are cut."""

    def __init__(self, request, started):
        self.request, self.started, self.events, self.tail, self.bytes = request, started, 0, b"", 0

    def connection_made(self, transport):
        transport.write(self.request)

    def data_received(self, data):
        self.bytes += len(data)
        seen = self.tail + data
        self.events += seen.count(b"event: report\n")
        self.tail = seen[-len(b"event: report\n") + 1 :]
        if not self.started.done() and self.events:
            self.started.set_result(None)

    def connection_lost(self, error):
        if not self.started.done():
            self.started.set_exception(error or ConnectionError("the stream ended before its first event"))


async def follow(address, streams, shown, stop):
    """Follows so many streams until it is told to stop; answers events and bytes of each interval of observation."""
    loop = asyncio.get_running_loop()
    request = f"GET {PATH}&every={EVERY} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode()
    readers = []
    for first in range(0, streams, AT_A_TIME):
        batch = [Reader(request, loop.create_future()) for _ in range(min(AT_A_TIME, streams - first))]
        await asyncio.gather(*(loop.create_connection(lambda reader=reader: reader, *address) for reader in batch))
        await asyncio.gather(*(reader.started for reader in batch))
        readers += batch
    shown.send("ready")
    await loop.run_in_executor(None, stop.recv)
    before = [(reader.events, reader.bytes) for reader in readers]
    shown.send("measuring")
    await loop.run_in_executor(None, stop.recv)
    events = [reader.events - count for reader, (count, _) in zip(readers, before)]
    shown.send((min(events), max(events), sum(reader.bytes - size for reader, (_, size) in zip(readers, before))))


def follower(address, streams, shown, stop):
    raise_limit()
    asyncio.run(follow(address, streams, shown, stop))


class Followers:
    """Processes that follow streams."""

    def __init__(self, address, streams, processes):
        self.pipes, self.processes = [], []
        for part in range(processes):
            ours, theirs = multiprocessing.Pipe()
            mine = streams // processes + (part < streams % processes)
            process = multiprocessing.Process(target=follower, args=(address, mine, theirs, theirs), daemon=True)
            process.start()
            self.pipes.append(ours)
            self.processes.append(process)
        self.answers()

    def answers(self):
        answers = []
        for pipe, process in zip(self.pipes, self.processes):
            while not pipe.poll(1):
                if not process.is_alive():
                    sys.exit("a process that follows streams has ended; its message is above")
            answers.append(pipe.recv())
        return answers

    def tell(self):
        for pipe in self.pipes:
            pipe.send("on")
        return self.answers()

    def end(self):
        for process in self.processes:
            process.terminate()
            process.join()


def write_alone(listener, bytes_of_an_event):
    """The least that pushing costs: the same bytes to every connection, every so many seconds, and nothing else."""
    raise_limit()
    listener.setblocking(False)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    event = b"event: report\n" + b"x" * max(bytes_of_an_event - len(b"event: report\n"), 0)
    poll, open_ones, due = select.poll(), [], time.monotonic() + EVERY
    poll.register(listener, select.POLLIN)
    while True:
        poll.poll(max(due - time.monotonic(), 0) * 1000)
        try:
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # Whoever comes is told at once.
                connection.sendall(head + event)
                open_ones.append(connection)
        except BlockingIOError:
            pass
        if time.monotonic() >= due:
            due += EVERY
            for connection in open_ones:
                connection.sendall(event)


def measure(name, address, process, options):
    followers = Followers(address, options.streams, options.processes)
    progress(f"{name}: {options.streams} streams are open")
    # Whole rounds: each stream gets the same number of events.
    rounds = max(options.seconds // EVERY, 1)
    time.sleep(EVERY / 2)
    followers.tell()
    begun, used = time.monotonic(), cpu_seconds(process)
    time.sleep(rounds * EVERY)
    used, took = cpu_seconds(process) - used, time.monotonic() - begun
    answers = followers.tell()
    followers.end()
    least, most = min(answer[0] for answer in answers), max(answer[1] for answer in answers)
    sent = sum(answer[2] for answer in answers)
    return {"share": 100 * used / took, "least": least, "most": most, "bytes": sent, "rounds": rounds}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", default=ROOT / "target/release/skillscope", type=pathlib.Path)
    arguments.add_argument("--rows", default=1_000_000, type=int)
    arguments.add_argument("--streams", default=10_000, type=int)
    arguments.add_argument("--seconds", default=60, type=int)
    arguments.add_argument("--processes", default=4, type=int)
    options = arguments.parse_args()
    raise_limit()
    with tempfile.TemporaryDirectory() as work:
        directory = generated.data_directory(
            options.binary, pathlib.Path(work) / "data", rows=options.rows, skills=200, hours=24, end=END
        )
        command = [options.binary, "serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--now", END]
        command += ["--log", "error", "--http-connections", str(options.streams + 100)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            host, port = server.stdout.readline().strip().split("//")[1].split(":")
            ours = measure("skillscope", (host, int(port)), server.pid, options)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    an_event = ours["bytes"] // max(options.streams * ours["rounds"], 1)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    writer = multiprocessing.Process(target=write_alone, args=(listener, an_event), daemon=True)
    writer.start()
    try:
        bare = measure("writing alone", listener.getsockname(), writer.pid, options)
    finally:
        writer.terminate()
        writer.join()
    print_machine(f"{options.streams:,} streams, an event of {an_event:,} bytes each {EVERY} s")
    rows = []
    for name, one in (("skillscope", ours), ("writing the same bytes alone", bare)):
        rows.append([name, f"{one['share']:.1f}", f"{one['least']} to {one['most']}", f"{one['bytes'] / 1e6:,.1f}"])
    print_table("Streams", ["", "of one core, %", "events of a stream", "MB"], rows)
    beside = ours["share"] - bare["share"]
    print(f"\nbeside the sending: {beside:.1f} % of one core; goal: {GOAL} % at most")
    # One round may fall on either side of each end.
    has_missed = ours["least"] < ours["rounds"] - 1
    if has_missed:
        print(f"a stream has had {ours['least']} events in {ours['rounds']} rounds")
    sys.exit(beside > GOAL or has_missed)


if __name__ == "__main__":
    main()
