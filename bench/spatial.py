"""Points against 161 districts of 4,400 vertices: the crate beside PostGIS's join, both on one core, in one run, with the same
result: `bench/spatial.py BINARY`. The binary serves for its PostGIS alone."""

import os
import subprocess
import sys
import tempfile
import time

import machine
from server import Database, Server, command

POINTS = 300_000
ROUNDS = 3


def example(*arguments):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    run = ['cargo', 'run', '--release', '-q', '-p', 'onemap-spatial', '--example', 'points', '--', *arguments]
    return subprocess.run(run, cwd=root, check=True, capture_output=True, text=True).stdout


def loaded(database, folder):
    address = ['psql', '-qAtX', '-v', 'ON_ERROR_STOP=1', *database.address]
    sql = f'''
        create schema if not exists bench;
        drop table if exists bench.district, bench.point;
        create table bench.district (id serial, g geometry(Polygon, 4490));
        create table bench.point (id serial, g geometry(Point, 4490));
        create temp table w (t text);
        \\copy w from '{folder}/districts.wkt' (delimiter E'\\x01')
        insert into bench.district (g) select st_geomfromtext(t, 4490) from w;
        create temp table p (x float8, y float8);
        \\copy p from '{folder}/points.tsv'
        insert into bench.point (g) select st_setsrid(st_makepoint(x, y), 4490) from p;
        create index on bench.district using gist (g);
        create index on bench.point using gist (g);
        analyze bench.district; analyze bench.point;
    '''
    subprocess.run(address, input=sql, check=True, text=True)


def joined(database):
    """Pairs and seconds of the join on one core, without sending a row."""
    database.run('set max_parallel_workers_per_gather = 0; set statement_timeout = 0')
    begun = time.perf_counter()
    pairs = database.one('select count(*) from bench.point p join bench.district d on st_intersects(d.g, p.g)')
    return int(pairs), time.perf_counter() - begun


def main():
    binary = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        example('write', folder, str(POINTS))
        data = os.path.join(folder, 'data')
        command(binary, data, 'migrate')
        with Server(binary, data, os.path.join(folder, 'server.log')):
            database = Database(data)
            loaded(database, folder)
            ours, theirs = [], []
            for _ in range(ROUNDS):
                pairs, count, seconds, prepared = example('time', folder).split()
                ours.append(float(seconds))
                found, spent = joined(database)
                theirs.append(spent)
                if found != int(pairs):
                    raise RuntimeError(f'PostGIS finds {found} pairs, the crate {pairs}')
            best, theirs_best = min(ours), min(theirs)
            print(f'{POINTS:,} points, 161 districts, {found:,} pairs alike; load {machine.load():.1f}')
            print(f'crate    {POINTS / best:12,.0f} points/s/core  (prepared in {float(prepared):.2f} s)')
            print(f'PostGIS  {POINTS / theirs_best:12,.0f} points/s/core')
            print(f'ratio    {theirs_best / best:12.1f}')


if __name__ == '__main__':
    main()
