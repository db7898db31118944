"""What the checks are made of: requests as bytes on the wire, checks named by requirement, the summary."""

import http.client
import json
import os
import socket
import time
import traceback
import urllib.parse
from collections import Counter, defaultdict


class Headers:
    def __init__(self, pairs):
        self.pairs = [(name.lower(), value) for name, value in pairs]

    def __getitem__(self, name):
        """The header's value, the values of a repeated one joined; an empty text where there is none."""
        return ", ".join(value for known, value in self.pairs if known == name.lower())

    def __contains__(self, name):
        return any(known == name.lower() for known, _ in self.pairs)

    def listed(self, name):
        return [part.strip().lower() for part in self[name].split(",") if part.strip()]


class Answer:
    def __init__(self, status, headers, body, seconds, url):
        self.status, self.headers, self.body, self.seconds, self.url = status, headers, body, seconds, url

    @property
    def type(self):
        return self.headers["content-type"].split(";")[0].strip()

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.type} {self.text[:160]!r} for {self.url[:200]}"


class Server:
    """Speaks HTTP/1.1 as it is told to: paths are sent as given, nothing is followed, unpacked or added."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.url, self.host, self.port = url.rstrip("/"), parts.hostname, parts.port or 80
        self.connection = None
        self.statuses, self.faults, self.slowest = Counter(), [], (0.0, "")

    def ask(self, path, key=None, method="GET", headers=None, body=None, timeout=60):
        path = path[len(self.url):] if path.startswith(self.url) else path
        sent = {"Accept-Encoding": "identity"} | (headers or {})
        if key:
            sent["Authorization"] = "Bearer " + key
        begun = time.perf_counter()
        for last in (False, True):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
                    self.connection._validate_path = lambda path: None
                    self.connection._encode_request = lambda request: request.encode("utf-8")
                self.connection.timeout = timeout
                self.connection.request(method, path, body=body, headers=sent)
                response = self.connection.getresponse()
                answer = Answer(response.status, Headers(response.getheaders()), response.read(),
                                time.perf_counter() - begun, f"{method} {path}")
                break
            except (http.client.HTTPException, OSError):
                self.connection = None
                if last:
                    raise
        self.note(answer)
        return answer

    def note(self, answer):
        self.statuses[answer.status] += 1
        if answer.status >= 500:
            self.faults.append(str(answer))
        if answer.seconds > self.slowest[0]:
            self.slowest = (answer.seconds, answer.url[:120])

    def json(self, path, key=None, **more):
        answer = self.ask(path, key, **more)
        if answer.status != 200:
            raise Wrong(f"not a 200: {answer}")
        return answer.json()

    def raw(self, data, timeout=15, linger=True):
        """Bytes as they are; what came back until the connection closed or nothing came for a while."""
        begun = time.perf_counter()
        with socket.create_connection((self.host, self.port), timeout=timeout) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass
            got = b""
            try:
                while chunk := connection.recv(65536):
                    got += chunk
                    if not linger and b"\r\n\r\n" in got:
                        break
            except OSError:
                pass
        first = got.split(b"\r\n", 1)[0].split()
        status = int(first[1]) if len(first) > 1 and first[1].isdigit() else 0
        head, _, rest = got.partition(b"\r\n\r\n")
        pairs = [line.decode("latin-1").split(": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line]
        answer = Answer(status, Headers(pairs), rest, time.perf_counter() - begun, data[:80].decode("latin-1"))
        if status:
            self.note(answer)
        return answer

    def features(self, collection, key, query=""):
        """Every feature of a selection, page by page along the `next` links, pages of the largest size."""
        url = f"/ogc/collections/{collection}/items?limit=10000" + ("&" + query if query else "")
        found = []
        while url:
            page = self.json(url, key)
            found += page["features"]
            url = link(page, "next")
        return found


class Wrong(Exception):
    """A check cannot go on: said as a failure, without a trace."""


def link(document, rel, type=None):
    """The address of the first link of that relation (and media type)."""
    return next((l["href"] for l in document.get("links", [])
                 if l.get("rel") == rel and (type is None or l.get("type", "").split(";")[0] == type)), None)


def quote(text):
    return urllib.parse.quote(text, safe="")


def query(**parameters):
    return urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)


TESTS = []


def requirement(standard, name, needs=None):
    """Marks a function as a test of a requirement. `needs`: a path that must answer for it to be run; it is skipped only where that is
    of the standard's test data, and they are not at hand."""
    def mark(function):
        TESTS.append((standard, name, needs, function))
        return function
    return mark


class Run:
    """One run of the suite: the server, who asks, what came out."""

    def __init__(self, server, credentials, fixtures, verbose=False):
        self.server, self.credentials, self.fixtures, self.verbose = server, credentials, fixtures, verbose
        self.keys = credentials["keys"]
        self.key = self.keys["civil-affairs"]
        self.counts, self.failures, self.skips = defaultdict(Counter), [], []
        self.standard = self.name = ""

    def check(self, condition, what):
        self.counts[self.standard]["PASS" if condition else "FAIL"] += 1
        if not condition:
            self.failures.append((self.standard, self.name, str(what)))
            print(f"FAIL  {self.standard} · {self.name} · {str(what)[:600]}", flush=True)
        elif self.verbose:
            print(f"PASS  {self.standard} · {self.name} · {str(what)[:100]}", flush=True)
        return bool(condition)

    def skip(self, why):
        self.counts[self.standard]["SKIP"] += 1
        self.skips.append((self.standard, self.name, why))
        print(f"SKIP  {self.standard} · {self.name} · {why}", flush=True)

    def problem(self, answer, statuses=(400,), parameter=None, quick=5.0):
        """A refusal as this server promises it: the status, quickly, a problem document that says what to do next."""
        wanted = statuses if isinstance(statuses, tuple) else (statuses,)
        self.check(answer.status in wanted, f"{answer}, not {wanted}")
        self.check(answer.seconds < quick, f"took {answer.seconds:.1f} s: {answer}")
        if answer.status not in wanted or answer.url.startswith("HEAD"):
            return
        if not self.check(answer.type == "application/problem+json", f"not a problem document: {answer}"):
            return
        said = answer.json()
        missing = [m for m in ("type", "title", "status", "detail", "hint", "request_id") if m not in said]
        self.check(not missing and said["status"] == answer.status, f"a problem without {missing}: {answer}")
        self.check(not leaks(answer.text), f"a problem that tells of the inside: {answer}")
        if parameter:
            self.check(said.get("parameter") == parameter, f"names {said.get('parameter')!r}, not {parameter!r}: {answer}")

    def everything(self, only):
        chosen = [test for test in TESTS if not only or any(o.lower() in f"{test[0]} {test[1]}".lower() for o in only)]
        if not chosen:
            self.standard, self.name = "suite", "--only"
            self.check(False, f"no requirement has {' or '.join(only)} in its name")
        for standard, name, needs, function in chosen:
            self.standard, self.name = standard, name
            if needs and self.server.ask(needs, self.key).status == 404:
                if "cql2-" in needs and not os.path.exists(os.path.join(self.fixtures, "cql2")):
                    self.skip(f"{needs} is not there, nor is its data")
                else:
                    self.check(False, f"{needs} is not there")
                continue
            try:
                function(self)
            except Wrong as wrong:
                self.check(False, wrong)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)
                ours = [f for f in where if "acceptance" in f.filename]
                self.check(False, f"{type(error).__name__}: {error} (line {ours[-1].lineno if ours else '?'} of {ours[-1].filename.rsplit('/', 1)[-1] if ours else '?'})")
        self.standard, self.name = "HTTP", "no answer is a fault of the server"
        for fault in dict.fromkeys(self.server.faults):
            self.check(False, fault)

    def summary(self):
        print()
        total = Counter()
        for standard, counts in self.counts.items():
            total += counts
            print(f"{standard:28} {counts['PASS']:5} passed {counts['FAIL']:4} failed {counts['SKIP']:4} skipped")
        print(f"{'all':28} {total['PASS']:5} passed {total['FAIL']:4} failed {total['SKIP']:4} skipped")
        print(f"slowest answer: {self.server.slowest[0]:.2f} s, {self.server.slowest[1]}")
        return 1 if total["FAIL"] else 0


def leaks(text):
    """Words that only the inside knows."""
    lowered = text.lower()
    return any(word in lowered for word in ("select ", "postgres", "sqlstate", "pg_catalog", "panicked", ".rs:", "/tmp/", "/home/", "data.r1"))
