#!/usr/bin/env python3
"""Requests that schemathesis makes from the two OpenAPI documents: none may be a fault of the server, or an answer of another kind than described.

    python3 tests/acceptance/fuzz.py http://127.0.0.1:8080 KEY [examples per operation]
"""

import subprocess
import sys
import os
import tempfile

DOCUMENTS = ["/ogc/api", "/api/openapi.json"]


def main():
    url, key = sys.argv[1].rstrip("/"), sys.argv[2]
    examples = sys.argv[3] if len(sys.argv) > 3 else "20"
    program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for document in DOCUMENTS:
            print("---", document, flush=True)
            command = [program, "run", url + document, "--header", f"Authorization: Bearer {key}", "--max-examples", examples, "--phases", "examples,fuzzing",
                       "--checks", "not_a_server_error,content_type_conformance", "--exclude-path-regex", r"/events$|/cities|tiles\.pmtiles", "--continue-on-failure",
                       "--request-timeout", "20", "--seed", "7", "--no-color"]
            failed |= subprocess.run(command, cwd=folder).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
