"""onemap's figures on this machine, beside Martin's where it runs: `scripts/bench BINARY`. See README.md of this folder."""

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import time

import city
import machine
import measure
import peers
from city import say
from report import Report
from server import Database, Server

# In this order, on a server each: with its cache, without it, and without the measured layers' tile indexes.
CACHED, UNCACHED, ANEW = ('start', 'cached', 'edits'), ('uncached', 'low', 'grant', 'filter', 'items'), ('index',)
SECTIONS = CACHED + UNCACHED + ANEW


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('binary', help='the release build: target/release/onemap')
    parser.add_argument('--seconds', type=int, default=3, help='of load per figure and round (default 3)')
    parser.add_argument('--only', default=','.join(SECTIONS), help='some of ' + ','.join(SECTIONS))
    parser.add_argument('--write', metavar='FILE', help='the report as Markdown, beside the one in the folder')
    asked = parser.parse_args()
    asked.only = asked.only.split(',')
    unknown = set(asked.only) - set(SECTIONS)
    if unknown:
        parser.error(f'no section {", ".join(unknown)}')
    if not os.access(asked.binary, os.X_OK):
        parser.error(f'{asked.binary} is not there: build it by `cargo build --release`')
    asked.binary = os.path.abspath(asked.binary)
    for program in ('wrk', 'psql'):
        if not shutil.which(program):
            parser.error(f'{program} is missing: scripts/setup --test')
    return asked


def conditions(facts, martin):
    found = machine.conditions()
    here = os.path.dirname(os.path.abspath(__file__))
    commit = subprocess.run(['git', '-C', here, 'log', '-1', '--format=%h %s'], capture_output=True, text=True)
    found['commit'] = commit.stdout.strip()
    found['city'] = facts['city']
    found['peer'] = martin.version() if martin else 'none installed'
    return found


def main():
    asked = arguments()
    begun = time.monotonic()
    facts = city.loaded(asked.binary)
    martin = peers.martin('martin', 3111)
    report = Report(conditions(facts, martin))
    say(', '.join(f'{name} {value}' for name, value in report.conditions.items()))
    log = os.path.join(city.FOLDER, 'server.log')
    for settings, sections in (({}, CACHED), ({'tile_cache': 0}, UNCACHED), ({}, ANEW)):
        sections = [s for s in sections if s in asked.only]
        if not sections:
            continue
        if sections == list(ANEW):
            city.forget_indexes(asked.binary, facts, log)
        with Server(asked.binary, city.DATA, log, **settings) as server, Database(city.DATA) as database:
            bench = measure.Bench(server, database, facts, report, asked.seconds, martin, wait=sections != list(ANEW))
            for section in sections:
                say(f'{section} ({time.monotonic() - begun:.0f} s so far, load {machine.load():.1f})')
                getattr(bench, section)()
    report.conditions['load_after'] = round(machine.load(), 2)
    report.conditions['took_seconds'] = round(time.monotonic() - begun)
    stamp = datetime.datetime.now().strftime('%Y%m%d-%H%M%S')
    target = os.path.join(city.FOLDER, f'figures-{stamp}')
    report.write(f'{target}.md', f'{target}.json')
    if asked.write:
        shutil.copyfile(f'{target}.md', asked.write)
    print('\n' + report.markdown())
    say(f'written to {target}.md and .json')


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
