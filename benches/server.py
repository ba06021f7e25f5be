"""A server under test, and a client that takes little of the machine."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.parse

from output import progress

ACCOUNT = "account-1"
# What a server that has started is asked first.
REPORT_PATH = (
    f"/operations/api/account/{ACCOUNT}/msgskillsegments"
    "?timeframe=60&interval=5&skillIds=7,12&userType=human&v=1"
)
NDJSON = "application/x-ndjson"
SETTLING_LIMIT_SECONDS = 180

# The client: HTTP/1.1 with keep-alive and nothing more than a benchmark needs.


def http_request(method, path, body=b"", content_type=None):
    """The bytes of a request, all prepared before the clock runs."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    if content_type:
        head += f"Content-Type: {content_type}\r\n"
    return head.encode() + b"\r\n" + body


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def exchange(self, request):
        """Sends a request and gives the answer's status and body."""
        self.socket.sendall(request)
        answer = self._receive()
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._receive()
        head, body = answer[:end], answer[end + 4 :]
        missing = content_length(head) - len(body)
        if missing > 0:
            parts = [body]
            while missing > 0:
                parts.append(self._receive())
                missing -= len(parts[-1])
            body = b"".join(parts)
        return int(head[9:12]), body

    def ok(self, request):
        """Like `exchange`, but any answer other than 200 is an error."""
        status, body = self.exchange(request)
        if status != 200:
            raise RuntimeError(f"{request[:200]!r} was answered with {status}: {body[:1000]!r}")
        return body

    def _receive(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise RuntimeError("the server closed the connection")
        return data


def content_length(head):
    name = b"\r\ncontent-length:"
    at = head.lower().find(name)
    if at < 0:
        raise RuntimeError(f"an answer without Content-Length: {head!r}")
    return int(head[at + len(name) :].split(b"\r\n", 1)[0])


def query(connection, sql):
    body = json.dumps({"query": sql}).encode()
    return json.loads(connection.ok(http_request("POST", "/v1/sql", body, "application/json")))


# The server.


class Server:
    """A server process on a data directory; `seconds` says how long its start took, step by step."""

    def __init__(self, binary, directory):
        self.log_path = pathlib.Path(f"{directory}.log")
        started = time.perf_counter()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--data-dir", str(directory), "--listen", "127.0.0.1:0", "--log", "warn"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            url = urllib.parse.urlsplit(self.process.stdout.readline().strip())
            if not url.port:
                raise RuntimeError(f"the server did not start: {self.log_path.read_text()[-2000:]}")
            self.address = (url.hostname, url.port)
            self.seconds = {"URL printed": time.perf_counter() - started}
            self._await("/readyz")
            self.seconds["`/readyz` answers 200"] = time.perf_counter() - started
            self._await(REPORT_PATH)
            self.seconds["first report answered"] = time.perf_counter() - started
        except BaseException:
            self.kill()
            raise

    def _await(self, path):
        with contextlib.closing(self.connect()) as connection:
            while connection.exchange(http_request("GET", path))[0] != 200:
                time.sleep(0.005)

    def connect(self):
        return Connection(self.address)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        # The name of the command, which may have spaces, ends at the last parenthesis.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")


@contextlib.contextmanager
def serving(binary, directory):
    server = Server(binary, directory)
    try:
        yield server
    finally:
        server.stop()


def wait_until_idle(server, limit=SETTLING_LIMIT_SECONDS):
    """Until the server has used less than a tenth of a core for three seconds."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        before = server.cpu_seconds()
        time.sleep(3)
        if server.cpu_seconds() - before < 0.3:
            return
    progress("the server is still at work")
