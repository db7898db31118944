#!/usr/bin/env python3
"""Requests that schemathesis makes from the two OpenAPI documents, as everybody who has a part in them: none may be a fault of the server, or
an answer of another kind than described.

    scripts/fuzz-api target/debug/onemap [--seconds 120] [--roles auditor key ...] [--documents api ogc] [--seed 7]
"""

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from xml.etree import ElementTree

DEPARTMENT = "civil-affairs"
PERSONS = ["platform_administrator", "department_administrator", "publisher", "approver", "user", "auditor"]
ROLES = PERSONS + ["key", "nobody"]
DOCUMENTS = {"api": ("/api/openapi.json", ""), "ogc": ("/ogc/api", "/ogc")}
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
# The tool's words for them.
KINDS = {"ST101": "server error:", "ST103": "status that is not described:", "ST105": "media type that is not described:", "ST106": "body of another shape:"}
# Streams have no end, and whoever signs out is nobody from then on.
LEFT_OUT = ["--exclude-path-regex", "/events$", "--exclude-operation-id", "DELETE /api/v1/session"]


class Caller:
    """One role: how it asks, and what it knows of."""

    def __init__(self, arguments, role):
        self.url, self.role, self.headers, self.login = arguments.url, role, {}, None
        credentials = json.load(open(os.path.join(arguments.data, "demo-credentials.json")))
        if role == "key":
            self.headers["Authorization"] = "Bearer " + credentials["keys"][DEPARTMENT]
        elif role != "nobody":
            self.headers["Cookie"] = self.signed_in(arguments, role)

    def signed_in(self, arguments, role):
        self.login = login = f"{role}-{secrets.token_hex(3)}"
        command = [arguments.binary, "admin", "create-user", login, "--data", arguments.data, "--department", DEPARTMENT, "--role", role]
        password = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
        body = json.dumps({"user": login, "password": password}).encode()
        request = urllib.request.Request(self.url + "/api/v1/session", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.headers["Set-Cookie"].split(";")[0]

    def get(self, path):
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=self.headers), timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            return {}

    def known(self):
        """What stands in the places of a path's parameters: things that are there, and one that is not."""
        found = {
            "layer": [one["id"] for one in self.get("/api/v1/layers").get("layers", [])][:12],
            "job": [one["id"] for one in self.get("/api/v1/jobs").get("jobs", [])][:5],
            "request": [one["id"] for one in self.get("/api/v1/requests").get("requests", [])][:5],
            "grant": [str(one["id"]) for one in self.get("/api/v1/grants").get("given", [])][:5],
            "code": [one["code"] for one in self.get("/api/v1/catalogue?limit=5").get("records", [])],
            # Who bars oneself is nobody from then on.
            "person": [one["id"] for one in self.get("/api/v1/people").get("people", []) if one["login"] != self.login][:5],
            "style": [one["id"] for one in self.get("/ogc/styles?f=json").get("styles", [])][:8],
            "process": [one["id"] for one in self.get("/ogc/processes").get("processes", [])],
        }
        return {name: [*(str(value) for value in values), "nothing"] for name, values in found.items()}


def prepared(caller, path):
    """The document as the caller sees it, with what the caller knows of in the paths."""
    document, known = caller.get(path), caller.known()
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []) if isinstance(operation, dict) else []:
                if parameter.get("in") == "path" and parameter["name"] in known and parameter["schema"].get("type") == "string":
                    parameter["schema"] = {"type": "string", "enum": known[parameter["name"]]}
    return document


def run(arguments, caller, name):
    path, base = DOCUMENTS[name]
    folder = os.path.join(arguments.reports, f"{caller.role}-{name}")
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, "openapi.json")
    with open(file, "w") as out:
        json.dump(prepared(caller, path), out)
    program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    command = [program, "run", file, "--url", caller.url + base, "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
               "--max-examples", str(arguments.examples), "--max-time", str(arguments.seconds), "--seed", str(arguments.seed), "--no-shrink",
               "--continue-on-failure", "--request-timeout", "30", "--generation-database", "none", "--suppress-health-check", "all",
               "--no-color", "--warnings", "off", "--report", "junit", "--report-junit-path", os.path.join(folder, "junit.xml"), *LEFT_OUT]
    for header, value in caller.headers.items():
        command += ["--header", f"{header}: {value}"]
    with open(os.path.join(folder, "output.txt"), "w") as out:
        subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    return Outcome(folder)


class Outcome:
    """What a run came to, from the tool's report."""

    def __init__(self, folder):
        output = open(os.path.join(folder, "output.txt")).read()
        requests = re.search(r"(\d+) generated", output)
        self.requests = int(requests[1]) if requests else 0
        self.operations, self.faults = 0, []
        report = os.path.join(folder, "junit.xml")
        for case in ElementTree.parse(report).getroot().iter("testcase") if os.path.exists(report) else []:
            self.operations += 1
            for failure in case.iter("failure"):
                for told in re.split(r"\d+\. Test Case ID", failure.text or ""):
                    status, received = re.search(r"^\[(\d+)\]", told, re.M), re.search(r"Received: (.*)", told)
                    for code in re.findall(r"^- (ST\d+)", told, re.M):
                        more = received[1] if received and code != "ST101" else status[1] if status else ""
                        self.faults.append((case.get("name"), KINDS.get(code, code), more))
            for error in case.iter("error"):
                self.faults.append((case.get("name"), "not asked:", (error.text or "").strip().splitlines()[0][:100]))
        self.faults = sorted(set(self.faults))
        if not self.requests:
            self.faults.append(("everything", "not asked", output.strip()[-200:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--url", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--reports", required=True)
    parser.add_argument("--roles", nargs="*", default=ROLES, choices=ROLES)
    parser.add_argument("--documents", nargs="*", default=list(DOCUMENTS), choices=list(DOCUMENTS))
    parser.add_argument("--seconds", type=int, default=120, help="for each role and document")
    parser.add_argument("--examples", type=int, default=30, help="for each operation")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    failed = False
    print(f"{'as':24}{'document':10}{'operations':>10}{'requests':>10}{'faults':>8}")
    for role in arguments.roles:
        for name in arguments.documents:
            outcome = run(arguments, Caller(arguments, role), name)
            failed |= bool(outcome.faults)
            print(f"{role:24}{name:10}{outcome.operations:10}{outcome.requests:10}{len(outcome.faults):8}", flush=True)
            for operation, kind, received in outcome.faults:
                print(f"    {operation}: {kind} {received}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
