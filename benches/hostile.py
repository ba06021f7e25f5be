#!/usr/bin/env python3
"""Hostile input, kind by kind: how long another account's report takes meanwhile, and how much memory stays behind.

    cargo build --release --bin skillscope
    python3 -m venv venv && venv/bin/pip install pyarrow==26.0.1
    venv/bin/python benches/hostile.py [--seconds 10] [NAME…]

One server takes all of it in turn. The other account's report is asked for every 5 ms on one connection that stays open.
"""

import argparse
import contextlib
import gzip
import http.client
import io
import json
import multiprocessing
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPORT = "/operations/api/account/{}/msgskillsegments?v=1&timeframe=60"
SEGMENTS = "/v1/accounts/{}/segments"
NDJSON, PARQUET = "application/x-ndjson", "application/vnd.apache.parquet"


class Server:
    def __init__(self, binary, folder):
        command = [binary, "serve", "--data-dir", folder, "--listen", "127.0.0.1:0", "--pg-listen", "127.0.0.1:0",
                   "--sql-memory", "200000000", "--log", "error"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.http, self.postgresql = (self.read_address() for _ in range(2))

    def read_address(self):
        host, port = self.process.stdout.readline().strip().split("//")[1].split(":")
        return host, int(port)

    def megabytes(self, what="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what)) // 1024

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(*self.http, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None, b""
        finally:
            connection.close()

    def post(self, account, body, kind=NDJSON, **headers):
        return self.ask("POST", SEGMENTS.format(account), body, content_type=kind, **headers)

    def sql(self, query):
        return self.ask("POST", "/v1/sql", json.dumps({"query": query}), content_type="application/json")

    def send(self, text, address=None):
        """A connection that has sent this and reads nothing."""
        connection = socket.create_connection(address or self.http, timeout=5)
        try:
            connection.sendall(text if isinstance(text, bytes) else text.encode())
        except OSError:
            pass
        return connection


def segment(conversation, skill, end):
    return {"conversation_id": conversation, "segment_index": 0, "skill_id": skill, "start_time": end, "end_time": end,
            "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none",
            "outcome": "abandoned", "abandoned_in_queue": True, "agent_messages": 0, "consumer_messages": 1}


def segments(skills, each, step=60_000):
    now = int(time.time() * 1000)
    rows = (segment(f"c-{skill}-{n}", skill, now - n * step - 1000) for skill in range(skills) for n in range(each))
    return "\n".join(map(json.dumps, rows))


def parquet(columns, **options):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd", **options)
    return out.getvalue()


def unfolding():
    """Small files of large texts, and of very many rows that are alike."""
    row = segment("c", 1, int(time.time() * 1000))
    many = {name: pa.array([value]).take(pa.array([0] * 2_000_000)) for name, value in row.items()}
    large = {name: pa.array([value] * 10_000) for name, value in row.items() if name != "conversation_id"}
    large["conversation_id"] = pa.array(["x" * 100_000] * 10_000).dictionary_encode()
    return parquet(many), parquet(large, store_schema=False)


def message(kind, body):
    return kind + struct.pack(">i", 4 + len(body)) + body


PARAMETERS = b"user\0a\0database\0hostile\0\0"
START = struct.pack(">ii", 8 + len(PARAMETERS), 3 << 16) + PARAMETERS
BIND = (message(b"P", b"\0select $1\0" + struct.pack(">Hi", 1, 1007))
        + message(b"B", b"\0\0" + struct.pack(">HHHi", 1, 1, 1, 20) + struct.pack(">iiiii", 1, 0, 23, 0x7FFFFFFF, 1)
                  + struct.pack(">HH", 1, 1))
        + message(b"E", b"\0" + struct.pack(">i", 0x7FFFFFFF)) + message(b"S", b""))


def statements(*queries):
    """Four clients that ask these in turn."""
    def attack(server, until):
        def client(first):
            turn = first
            while time.monotonic() < until:
                server.sql(queries[turn % len(queries)])
                turn += 1
        in_threads(client, 4)
    return attack


def in_threads(work, number):
    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def left_open(number, text, address=lambda server: server.http):
    """So many connections that have sent this, and are left as they are."""
    def attack(server, until):
        connections = []
        try:
            for _ in range(number):
                connections.append(server.send(text, address(server)))
        except OSError:
            pass
        time.sleep(max(0, until - time.monotonic()))
        for connection in connections:
            connection.close()
    return attack


def repeated(clients, call):
    def attack(server, until):
        def client(_):
            while time.monotonic() < until:
                call(server)
        in_threads(client, clients)
    return attack


def slow_bodies(server, until):
    body = b"\n" * (62 << 20)
    head = f"POST {SEGMENTS.format('hostile')} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NDJSON}\r\n"
    head = f"{head}Content-Length: {len(body) + (1 << 20)}\r\n\r\n".encode()
    connections = []

    def begin(_):
        connection = server.send(head)
        connections.append(connection)
        with contextlib.suppress(OSError):
            connection.sendall(body)

    in_threads(begin, 50)
    time.sleep(max(0, until - time.monotonic()))
    for connection in connections:
        connection.close()


def request(method, path, body=""):
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")


def prepared(server, until):
    names = b"".join(message(b"P", b"s%d\0select * from segments where skill_id = $1\0\0\0" % n) for n in range(1000))
    left_open(5, START + names + message(b"S", b""), lambda server: server.postgresql)(server, until)


def attacks():
    many, large = unfolding()
    endless = "select a.value from generate_series(1, 100000000) a, generate_series(1, 1000) b"
    impossible = gzip.compress("\n".join(json.dumps(
        {"conversation_id": f"x-{n}", "sequence": 5, "time": 1, "type": "closed", "by": "consumer"}
    ) for n in range(50_000)).encode())
    post = lambda body, kind, **headers: repeated(2, lambda server: server.post("hostile", body, kind, **headers))
    return {
        "nothing": lambda _, until: time.sleep(max(0, until - time.monotonic())),
        "texts that grow": statements(
            "select repeat('x', 1000000000)", "select max(length(repeat(conversation_id, 100000))) from segments",
            "select array_agg(repeat(conversation_id, 300)) from segments",
            "select string_agg(repeat(conversation_id, 300), ',') from segments"),
        "deep types": statements(
            "select arrow_cast(null, 'FixedSizeList(65536, FixedSizeList(65536, Int64))')",
            f"select arrow_cast(1, '{'List(' * 3000}Int8{')' * 3000}')", f"select {'(' * 200_000}1{')' * 200_000}"),
        "long plans": statements(
            "select count(*) from segments group by cube(account_id, conversation_id, segment_index, skill_id, start_time,"
            " end_time, outcome, user_type, start_reason)", f"select {'+'.join(['1'] * 4900)}"),
        "cross joins": statements("select count(*) from segments a, segments b, segments c, segments d, segments e"),
        "large sorts": statements(
            "select conversation_id, repeat(conversation_id, 30) r from segments order by r desc",
            "select percentile_cont(0.5) within group (order by value) from generate_series(1, 50000000)"),
        "binds of 2³¹ values": left_open(50, START + BIND, lambda server: server.postgresql),
        "1,000 prepared statements, five times": prepared,
        "200 idle sessions": left_open(200, START, lambda server: server.postgresql),
        "300 half-sent headers": left_open(300, "GET /healthz HTTP/1.1\r\nHos"),
        "50 slow bodies": slow_bodies,
        "20 stalled readers": left_open(20, request("POST", "/v1/sql", json.dumps({"query": endless}))),
        "20 backups that nobody reads": left_open(20, request("POST", "/v1/backup")),
        "four reports of 20,000 skills": repeated(4, lambda server: server.ask("GET", REPORT.format("hostile"))),
        "20 of them that nobody reads": left_open(20, request("GET", REPORT.format("hostile"))),
        "Parquet of two million rows alike": post(many, PARQUET),
        "Parquet of large texts": post(large, PARQUET),
        "gzip of a gibibyte": post(gzip.compress(b"\n" * (1 << 30)), NDJSON, content_encoding="gzip"),
        "impossible events": repeated(2, lambda server: server.ask(
            "POST", "/v1/accounts/hostile/events", impossible, content_type=NDJSON, content_encoding="gzip")),
    }


def probe(address, until):
    """Milliseconds that each report took."""
    connection, times = http.client.HTTPConnection(*address, timeout=30), []
    while time.monotonic() < until:
        begun = time.perf_counter()
        connection.request("GET", REPORT.format("quiet"))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the other account's report is {answer.status}")
        times.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.005)
    return sorted(times)


def settled(server, before):
    """The memory once it is back within 100 MiB of before, or after a minute."""
    for _ in range(60):
        if server.megabytes() < before + 100:
            break
        time.sleep(1)
    return server.megabytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--binary", default=str(ROOT / "target" / "release" / "skillscope"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.binary, folder)
        try:
            server.post("quiet", segments(skills=3, each=10))
            server.post("hostile", segments(skills=20_000, each=4, step=600_000))
            print(f"{'':38}{'reports':>8}{'p50':>8}{'p99':>8}{'max ms':>8}{'MiB':>8}{'peak':>8}{'after':>8}")
            for name, attack in attacks().items():
                if not options.names or name in options.names:
                    measure(server, name, attack, options.seconds)
        finally:
            server.process.terminate()
            server.process.wait(60)


def measure(server, name, attack, seconds):
    before, until = server.megabytes(), time.monotonic() + seconds
    server.forget_peak()
    # In a process of its own, that no attacker's threads hold up.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as reader:
        reports = reader.submit(probe, server.http, until)
        attacker = threading.Thread(target=attack, args=(server, until), daemon=True)
        attacker.start()
        times = reports.result()
    attacker.join(60)
    peak = server.megabytes("VmHWM")
    after = settled(server, before)
    p50, p99 = (times[int(len(times) * part)] for part in (0.5, 0.99))
    print(f"{name:38}{len(times):8}{p50:8.2f}{p99:8.2f}{times[-1]:8.1f}{before:8}{peak:8}{after:8}", flush=True)


if __name__ == "__main__":
    main()
