#!/usr/bin/env python3
"""What a token costs: shape c over HTTP on one connection, with a token and without.

    cargo build --release --bin skillscope
    python3 benches/tokens.py [--binary target/release/skillscope] [--rows 1000000] [--rounds 100]

Two servers have equal data, and one of them has a token. They are asked in turns, a hundred requests at a time, so that
whatever else the machine does meets both. Exits with 1 where the goal is missed.
"""

import argparse
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import generated
from output import print_machine, print_table, progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
END = "2026-11-01T12:00:00Z"
PATH = "/operations/api/account/account-1/msgskillsegments?v=1&timeframe=60&interval=5&skillIds=7,12&userType=human"
IN_A_ROW = 100
GOAL = 1.1


class Server:
    def __init__(self, binary, directory, token=None):
        command = [binary, "serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--now", END, "--log", "error"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        host, port = self.process.stdout.readline().strip().split("//")[1].split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        shown = f"Authorization: Bearer {token}\r\n" if token else ""
        self.request = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n{shown}\r\n".encode()
        self.times = []

    def ask(self):
        """Seconds until the whole answer is there."""
        begun = time.perf_counter()
        self.socket.sendall(self.request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(1 << 16)
        head, body = answer.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"the server answers {head.decode(errors='replace')}")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        left = int(fields[b"content-length"]) - len(body)
        while left > 0:
            left -= len(self.socket.recv(1 << 16))
        return time.perf_counter() - begun

    def stop(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()


def measure(servers, rounds):
    for turn in range(rounds + 1):
        for server in servers:
            times = [server.ask() for _ in range(IN_A_ROW)]
            # The first round opens files and fills caches.
            server.times += times if turn else []
        if turn % 20 == 0:
            progress(f"{turn} of {rounds} rounds")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", default=ROOT / "target/release/skillscope", type=pathlib.Path)
    arguments.add_argument("--rows", default=1_000_000, type=int)
    arguments.add_argument("--rounds", default=100, type=int)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        open_directory = generated.data_directory(
            options.binary, pathlib.Path(work) / "open", rows=options.rows, skills=200, hours=24, end=END
        )
        with_token = pathlib.Path(work) / "token"
        shutil.copytree(open_directory, with_token)
        add = [options.binary, "token", "add", "--data-dir", with_token, "--account", "account-1"]
        add += ["--scopes", "report", "--name", "wallboard"]
        token = subprocess.run(add, check=True, capture_output=True, text=True).stdout.strip()
        servers = [Server(options.binary, open_directory), Server(options.binary, with_token, token)]
        try:
            measure(servers, options.rounds)
        finally:
            for server in servers:
                server.stop()
    print_machine()
    medians = [statistics.median(server.times) for server in servers]
    rows = []
    for name, server, median in zip(("without a token", "with a token"), servers, medians):
        p99 = statistics.quantiles(server.times, n=100)[98]
        rows.append([name, f"{median * 1e6:,.0f}", f"{p99 * 1e6:,.0f}"])
    print_table("A token over HTTP", ["shape c", "median, µs", "p99, µs"], rows)
    ratio = medians[1] / medians[0]
    print(f"\nwith a token {ratio:.3f} times as long; goal: {GOAL} times at most")
    sys.exit(ratio > GOAL)


if __name__ == "__main__":
    main()
