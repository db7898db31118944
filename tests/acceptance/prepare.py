#!/usr/bin/env python3
"""Loads what the conformance suite asks for beside the demo city: the CQL2 standard's test data, and features for its examples.

    python3 tests/acceptance/prepare.py target/debug/onemap --data .onemap [--fixtures ../shared/data/fixtures]
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import examples
from data import SETS

OWNER = "civil-affairs"


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--data", required=True)
    parser.add_argument("--fixtures", default=os.path.join(root, "..", "shared", "data", "fixtures"))
    arguments = parser.parse_args()
    package = os.path.join(arguments.fixtures, "cql2", "ne110m4cql2.gpkg")
    if os.path.exists(package):
        for layer, inside in SETS.items():
            load(arguments, package, layer, inside)
    else:
        print(f"the CQL2 test data is not there: {package}")
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "examples.gpkg")
        examples.write(file)
        load(arguments, file, "cql2-examples", "examples")
    credentials = json.load(open(os.path.join(arguments.data, "demo-credentials.json")))
    credentials["editor"] = editor(arguments)
    with open(os.path.join(arguments.data, "conformance-credentials.json"), "w") as out:
        json.dump(credentials, out)


def editor(arguments):
    """A person who publishes for the owner: keys change nothing."""
    login = "editor-" + secrets.token_hex(3)
    command = [arguments.binary, "admin", "create-user", login, "--data", arguments.data, "--department", OWNER, "--role", "publisher", "--name", login]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return {"user": login, "password": printed.splitlines()[-1].split()[-1]}


def load(arguments, file, layer, inside):
    title = layer.replace("-", " ").replace("cql2", "CQL2")
    subprocess.run([arguments.binary, "import", file, "--data", arguments.data, "--department", OWNER, "--layer", layer, "--source-layer", inside,
                    "--title", title, "--title-en", title, "--share-class", "unconditional", "--yes"], check=True)


if __name__ == "__main__":
    main()
