#!/usr/bin/env python3
"""Keeps a server busy for a while: readers, writers, analysts, slow clients and broken ones, all on this machine.

    python3 benches/soak.py --binary target/release/skillscope --seconds 600

It needs nothing but Python. It fails where a client is answered with anything but what is documented (200, 4xx to those who
are wrong, 503 or 429 with Retry-After), where memory grows by more than 50 MiB after the first minute (or the first half of a
shorter run), and where descriptors are not back to the start once all clients have gone.
"""
import argparse, asyncio, base64, collections, hashlib, hmac, json, os, random, re, signal, struct, subprocess, sys, tempfile, time

MIB = 1 << 20
ALLOWED_GROWTH = 50 * MIB
ACCOUNT = "soak"
REPORT = f"/operations/api/account/{ACCOUNT}/msgskillsegments?v=1&"
STATEMENTS = [
    "select skill_id, count(*) as n from segments group by skill_id order by n desc limit 10",
    "select outcome, avg(agent_messages) as m from segments where end_time > now() - interval '1 hour' group by outcome",
    "select count(distinct conversation_id) as n from segments",
    "select * from segments order by end_time desc limit 1000",
    "select * from system.queries",
    "select * from system.partitions",
    "selec 1",
    "select nope from segments",
]


class Outcomes:
    """What clients were answered, and what should not have been."""

    def __init__(self):
        self.statuses = collections.Counter()
        self.latencies = collections.defaultdict(list)
        self.wrong = []

    def note(self, who, status, headers, expected, begun):
        self.statuses[who, status] += 1
        self.latencies[who].append(time.monotonic() - begun)
        is_told_to_wait = status in (429, 503) and "retry-after" in headers
        if status not in expected and not is_told_to_wait:
            self.wrong.append(f"{who}: {status}")


class Server:
    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory
        self.token = self.make_token("all", "report,ingest,sql,admin")
        command = [binary, "serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--pg-listen", "127.0.0.1:0", "--log", "error",
                   "--header-timeout", "5", "--answer-timeout", "5", "--body-timeout", "5"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.postgresql = int(re.search(r":(\d+)", self.process.stdout.readline().split("//", 1)[1]).group(1))

    def make_token(self, name, scopes):
        command = [self.binary, "token", "add", "--data-dir", self.directory, "--name", name, "--account", "*", "--scopes", scopes]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            # Pages of the program itself come in as it is used, and go when others need the memory.
            return int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None


class Connection:
    """A connection of HTTP that is kept."""

    def __init__(self, server):
        self.server, self.reader, self.writer = server, None, None

    async def ask(self, method, path, body=b"", content_type="application/json", token=None):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.server.port}\r\nauthorization: Bearer {token or self.server.token}\r\n"
        if body:
            head += f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        await self.writer.drain()
        status, headers = await self.read_head()
        body = await self.read_body(headers)
        if headers.get("connection") == "close":
            self.close()
        return status, headers, body

    async def read_head(self):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), headers

    async def read_body(self, headers):
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        pieces = []
        while size := int(await self.reader.readline(), 16):
            pieces.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return b"".join(pieces)

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def reader(server, outcomes, end):
    connection = Connection(server)
    shapes = ["timeframe=1440&interval=5", "timeframe=1440", "timeframe=60&interval=5&skillIds=1,2&userType=human"]
    while time.monotonic() < end:
        begun = time.monotonic()
        status, headers, body = await connection.ask("GET", REPORT + random.choice(shapes))
        outcomes.note("report", status, headers, {200}, begun)
        if status == 200:
            json.loads(body)
        await asyncio.sleep(0.02)
    connection.close()


def segment(number, now):
    return json.dumps({
        "conversation_id": f"c-{number}", "segment_index": 0, "skill_id": number % 20, "start_time": now - 60000, "end_time": now,
        "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none", "outcome": "abandoned",
        "abandoned_in_queue": True, "agent_messages": 0, "consumer_messages": 1,
    })


async def writer(server, outcomes, end, number):
    connection, count = Connection(server), 0
    while time.monotonic() < end:
        begun, now = time.monotonic(), int(time.time() * 1000)
        lines = "\n".join(segment(number * 10**9 + count + i, now) for i in range(10))
        status, headers, _ = await connection.ask("POST", f"/v1/accounts/{ACCOUNT}/segments", lines.encode(), "application/x-ndjson")
        outcomes.note("segments", status, headers, {200}, begun)
        count += 10
        await asyncio.sleep(0.2)
    connection.close()


async def analyst(server, outcomes, end):
    connection = Connection(server)
    while time.monotonic() < end:
        begun, statement = time.monotonic(), random.choice(STATEMENTS)
        status, headers, _ = await connection.ask("POST", "/v1/sql", json.dumps({"query": statement}).encode())
        outcomes.note("sql", status, headers, {400} if statement in STATEMENTS[-2:] else {200}, begun)
        await asyncio.sleep(0.1)
    connection.close()


class PostgreSql:
    """As much of a client as it takes to enter and to ask."""

    def __init__(self, server):
        self.server = server

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.server.postgresql)
        self.writer.write(self.packed(None, b"\0\3\0\0user\0all\0database\0soak\0\0"))
        await self.expect(b"R")
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        message = f"n,,{first}".encode()
        self.writer.write(self.packed(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(message)) + message))
        challenge = (await self.expect(b"R"))[4:].decode()
        parts = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.server.token.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
        digest = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()
        client_key = digest(salted, b"Client Key")
        last = f"c=biws,r={parts['r']}"
        signature = digest(hashlib.sha256(client_key).digest(), f"{first},{challenge},{last}".encode())
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.writer.write(self.packed(b"p", f"{last},p={base64.b64encode(proof).decode()}".encode()))
        await self.until_ready()
        return self

    @staticmethod
    def packed(kind, body):
        return (kind or b"") + struct.pack("!i", len(body) + 4) + body

    async def next(self):
        kind, length = struct.unpack("!ci", await self.reader.readexactly(5))
        return kind, await self.reader.readexactly(length - 4)

    async def expect(self, wanted):
        kind, body = await self.next()
        if kind != wanted:
            raise RuntimeError(f"PostgreSQL answers {kind} {body}")
        return body

    async def until_ready(self):
        kinds = set()
        while True:
            kind, body = await self.next()
            kinds.add(kind)
            if kind == b"Z":
                return kinds

    async def ask(self, text):
        self.writer.write(self.packed(b"Q", text.encode() + b"\0"))
        return await self.until_ready()


async def session(server, outcomes, end):
    while time.monotonic() < end:
        client = await PostgreSql(server).open()
        for _ in range(20):
            begun, statement = time.monotonic(), random.choice(STATEMENTS)
            kinds = await client.ask(statement)
            failed, should = b"E" in kinds, statement in STATEMENTS[-2:]
            outcomes.note("postgresql", 400 if failed else 200, {}, {400} if should else {200}, begun)
            await asyncio.sleep(0.1)
        client.writer.close()


async def slow(server, end):
    """Sends a request byte by byte, or reads its answer so."""
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            request = f"GET {REPORT}timeframe=1440&interval=5 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {server.token}\r\n\r\n".encode()
            if random.random() < 0.5:
                for byte in request:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.1)
            else:
                writer.write(request)
                while await asyncio.wait_for(reader.read(1000), 10):
                    await asyncio.sleep(0.5)
                    if time.monotonic() > end:
                        break
            writer.close()
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.1)


async def broken(server, outcomes, end):
    """Sends what nobody should, and goes away in the middle."""
    attempts = [
        b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n", b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n", os.urandom(200),
        f"POST /v1/accounts/{ACCOUNT}/segments HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {server.token}\r\ncontent-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\nhalf".encode(),
        f"GET {REPORT}timeframe=1440&interval=5 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {server.token}\r\n\r\n".encode(),
        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    ]
    connection = Connection(server)
    while time.monotonic() < end:
        port = random.choice([server.port, server.port, server.postgresql])
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(random.choice(attempts))
            await asyncio.sleep(random.random() / 10)
            writer.transport.abort()
            begun = time.monotonic()
            asked = [("GET", REPORT + "timeframe=0", 400, None), ("GET", "/nothing", 404, None), ("GET", REPORT + "timeframe=60", 401, "skt_wrong"),
                     ("POST", f"/v1/accounts/{ACCOUNT}/segments", 415, None)]
            method, path, status, token = random.choice(asked)
            answered, headers, _ = await connection.ask(method, path, b"{}" if method == "POST" else b"", "text/plain", token)
            outcomes.note("wrong requests", answered, headers, {status}, begun)
        except (OSError, asyncio.IncompleteReadError):
            connection.close()
        await asyncio.sleep(0.1)
    connection.close()


async def watch(server, seconds, samples, end):
    while time.monotonic() < end:
        samples.append(server.memory())
        await asyncio.sleep(1)


async def soak(server, seconds):
    outcomes, samples, end = Outcomes(), [], time.monotonic() + seconds
    tasks = [reader(server, outcomes, end) for _ in range(6)]
    tasks += [writer(server, outcomes, end, number) for number in range(1, 4)]
    tasks += [analyst(server, outcomes, end) for _ in range(2)] + [session(server, outcomes, end)]
    tasks += [slow(server, end) for _ in range(6)] + [broken(server, outcomes, end) for _ in range(4)]
    await asyncio.gather(watch(server, seconds, samples, end), *tasks)
    return outcomes, samples


def report(outcomes, samples, growth, before, after):
    for (who, status), count in sorted(outcomes.statuses.items()):
        print(f"{who:>16}  {status}  {count:>8}")
    for who, latencies in sorted(outcomes.latencies.items()):
        latencies.sort()
        p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
        print(f"{who:>16}  p50 {p50 * 1000:8.2f} ms  p99 {p99 * 1000:8.2f} ms")
    print(f"memory: {samples[0] / MIB:.0f} MiB first, {max(samples) / MIB:.0f} MiB at most, {growth / MIB:+.1f} MiB after the first part")
    print("most of each minute, MiB:", *(f"{max(samples[begin:begin + 60]) / MIB:.0f}" for begin in range(0, len(samples), 60)))
    print(f"descriptors: {before} before, {after} after")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seconds", type=int, default=600)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skillscope-soak-") as directory:
        server = Server(arguments.binary, directory)
        try:
            asyncio.run(soak(server, 1))
            time.sleep(1)
            before = server.descriptors()
            outcomes, samples = asyncio.run(soak(server, arguments.seconds))
            warm = min(60, len(samples) // 2)
            growth = max(samples[warm:]) - max(samples[max(0, warm - 5):warm])
            deadline = time.monotonic() + 20
            while (after := server.descriptors()) > before and time.monotonic() < deadline:
                time.sleep(0.5)
        finally:
            code = server.stop()
    report(outcomes, samples, growth, before, after)
    failures = [f"answers that nobody documented: {collections.Counter(outcomes.wrong).most_common(10)}"] if outcomes.wrong else []
    failures += [f"memory grew by {growth / MIB:.1f} MiB"] if growth > ALLOWED_GROWTH else []
    failures += [f"{after - before} descriptors are left"] if after > before else []
    failures += [f"the server ended with {code}"] if code != 0 else []
    print("\n".join(failures) or "nothing was wrong")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
