#!/usr/bin/env python3
"""SQL of the release build: the questions of tests/sql/questions against DuckDB over the same files, the report while
analysts ask the heaviest of them, and ten million rows over Flight SQL.

    cargo build --release --bin skillscope
    python3 -m venv venv && venv/bin/pip install duckdb==2.0.0 pyarrow==26.0.1 adbc-driver-flightsql==1.13.0
    venv/bin/python benches/sql.py [questions] [wallboard] [flight]

Data is made in --work (default ./sql-bench) and kept for the next time.
"""

import argparse
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import generated

ROOT = pathlib.Path(__file__).resolve().parent.parent
END = "2018-01-18T08:51:55.679Z"
ROWS = 10_000_000


def questions():
    folder = ROOT / "tests" / "sql" / "questions"
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.sql"))}


class Server:
    """`serve` over a data directory, with its ports."""

    def __init__(self, binary, directory, *options):
        command = [binary, "serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--flight-listen", "127.0.0.1:0",
                   "--log", "warn", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip().removeprefix("http://")
        self.flight = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def connection(self):
        host, port = self.address.split(":")
        return http.client.HTTPConnection(host, int(port))

    def resident(self, what="VmRSS"):
        """Memory in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what)) / 1024


def ask(connection, query):
    body = json.dumps({"query": query})
    headers = {"content-type": "application/json", "accept": "application/vnd.apache.arrow.stream"}
    connection.request("POST", "/v1/sql", body, headers)
    answer = connection.getresponse()
    rows = answer.read()
    if answer.status != 200:
        sys.exit(f"{answer.status}: {rows[:500]}")
    return rows


def data(binary, work, name, hours):
    """A data directory with ten million segments of 200 skills, which ended in so many hours."""
    return generated.data_directory(binary, work / name, rows=ROWS, skills=200, hours=hours, end=END)


def month(binary, work):
    """Archived."""
    return data(binary, work, "month", 720)


def day(binary, work):
    """In memory when the clock stands at their end."""
    return data(binary, work, "day", 24)


def merge(binary, directory):
    """Lets the server merge the files of hours to files of days, as it does with what is imported."""
    count = lambda: len(list(pathlib.Path(directory).glob("archive/*/*/*.parquet")))
    with Server(binary, directory):
        before, after = None, count()
        while before != after:
            time.sleep(5)
            before, after = after, count()


def measure_questions(binary, work, rounds):
    import duckdb

    directory = month(binary, work)
    merge(binary, directory)
    duck = duckdb.connect()
    duck.execute(f"set threads={os.cpu_count()}")
    duck.execute("set TimeZone='UTC'")
    duck.execute(f"create view segments as select * from read_parquet('{directory}/archive/*/*/*.parquet', hive_partitioning=false)")
    ratios = []
    print("| question | skillscope | DuckDB | ratio |\n| --- | ---: | ---: | ---: |")
    with Server(binary, directory) as server:
        connection = server.connection()
        for name, query in questions().items():
            ours, theirs = [], []
            for round in range(rounds + 1):
                start = time.perf_counter()
                ask(connection, query)
                middle = time.perf_counter()
                duck.sql(query).to_arrow_table()
                # The first round reads the files into the system's memory.
                if round > 0:
                    ours.append(middle - start)
                    theirs.append(time.perf_counter() - middle)
            ours, theirs = statistics.median(ours), statistics.median(theirs)
            ratios.append(ours / theirs)
            print(f"| {name} | {ours * 1000:.0f} ms | {theirs * 1000:.0f} ms | {ours / theirs:.2f} |", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}, highest {max(ratios):.2f}")


HEAVIEST = ["bounced_back", "transfers_between_skills", "conversations_per_skill", "handled_by_bots"]
REPORT = "/operations/api/account/account-1/msgskillsegments?timeframe=60&interval=5&skillIds=1,2&v=1"


def latencies(server, seconds):
    connection, times = server.connection(), []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        connection.request("GET", REPORT)
        connection.getresponse().read()
        times.append((time.perf_counter() - start) * 1000)
        # A wallboard looks now and then.
        time.sleep(0.005)
    times.sort()
    quantile = lambda share: times[int(share * (len(times) - 1))]
    return f"p50 {quantile(0.5):.2f} ms, p99 {quantile(0.99):.2f} ms, highest {times[-1]:.1f} ms, of {len(times)}"


def measure_wallboard(binary, work, seconds):
    with Server(binary, day(binary, work), "--now", END) as server:
        latencies(server, 2)
        print("idle:", latencies(server, seconds), flush=True)
        asked, stop = [0], threading.Event()

        def analyst(query):
            connection = server.connection()
            while not stop.is_set():
                ask(connection, query)
                asked[0] += 1

        analysts = [threading.Thread(target=analyst, args=(questions()[name],)) for name in HEAVIEST]
        for thread in analysts:
            thread.start()
        time.sleep(2)
        print(f"with {len(analysts)} analysts:", latencies(server, seconds), flush=True)
        stop.set()
        for thread in analysts:
            thread.join()
        print(f"they were answered {asked[0]} times")


def measure_flight(binary, work, rounds):
    import adbc_driver_flightsql.dbapi as flightsql

    with Server(binary, day(binary, work), "--now", END) as server:
        with flightsql.connect(server.flight) as connection, connection.cursor() as cursor:
            for _ in range(rounds):
                before = server.resident()
                start = time.perf_counter()
                cursor.execute("select * from segments")
                size = rows = 0
                peak = before
                for number, batch in enumerate(cursor.fetch_record_batch()):
                    size += batch.nbytes
                    rows += batch.num_rows
                    if number % 100 == 0:
                        peak = max(peak, server.resident())
                seconds = time.perf_counter() - start
                print(f"{rows} rows, {size / 1e6:.0f} MB in {seconds:.2f} s: {size / 1e6 / seconds:.0f} MB/s; "
                      f"server {before:.0f} MiB before, {peak:.0f} MiB at most", flush=True)
            print("outcome is", cursor.description and [column[1] for column in cursor.description if column[0] == "outcome"][0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["questions", "wallboard", "flight"])
    parser.add_argument("--binary", default=str(ROOT / "target" / "release" / "skillscope"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("sql-bench"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for what in options.what:
        print(f"## {what}")
        if what == "questions":
            measure_questions(options.binary, options.work, options.rounds)
        elif what == "wallboard":
            measure_wallboard(options.binary, options.work, options.seconds)
        elif what == "flight":
            measure_flight(options.binary, options.work, options.rounds)
        else:
            sys.exit(f"there is no benchmark {what}")


main()
