#!/usr/bin/env python3
"""Checks a running onemap as an independent judge would: from the standards, over HTTP, by clients that others use.

    python3 tests/acceptance/conformance.py [--url http://127.0.0.1:8080] [--credentials .onemap/demo-credentials.json] [--only WORD ...] [-v]

`make conformance` starts a demo city with the standard's test data and runs it. See README.md.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kit import Run, Server

import common  # the order of the report
import http_details
import tiling
import filters
import editing
import sharing
import services
import ows
import exports
import desktop
import hostile


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url")
    parser.add_argument("--credentials", default=os.path.join(root, ".onemap", "demo-credentials.json"))
    parser.add_argument("--fixtures", default=os.path.join(root, "..", "shared", "data", "fixtures"))
    parser.add_argument("--only", nargs="*", help="words of the standard or the requirement")
    parser.add_argument("-v", "--verbose", action="store_true")
    arguments = parser.parse_args()
    credentials = json.load(open(arguments.credentials))
    run = Run(Server(arguments.url or credentials["url"]), credentials, arguments.fixtures, arguments.verbose)
    run.everything(arguments.only)
    return run.summary()


if __name__ == "__main__":
    sys.exit(main())
