"""The peers, where ../shared/bench/peers_up.sh has installed and started them. Without them onemap is measured alone."""

import os
import urllib.error
import urllib.request

import city

RIG = os.environ.get('RIG', '/tmp/onemap-peers')


class Martin:
    """A running Martin and the PostgreSQL that it asks. `name` is that of its pid file."""

    def __init__(self, name, port):
        self.base = f'http://127.0.0.1:{port}'
        self.pids = [_first_number(f'{RIG}/run/{name}.pid'), _first_number(f'{RIG}/pg/postmaster.pid')]

    def template(self, layer):
        return f'/{layer.removeprefix(city.PREFIX)}/{{z}}/{{x}}/{{y}}'

    def version(self):
        try:
            with open(f'/proc/{self.pids[0]}/cmdline') as file:
                program = file.read().split('\0')[0]
            return os.popen(f'{program} --version').read().strip() or 'martin'
        except OSError:
            return 'martin'


def _first_number(path):
    with open(path) as file:
        return int(file.readline())


def martin(name, port):
    """Martin, if it answers."""
    try:
        found = Martin(name, port)
        urllib.request.urlopen(f'{found.base}/health', timeout=5)
        return found
    except (OSError, ValueError, urllib.error.URLError):
        return None
