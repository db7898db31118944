"""What processes cost, and what machine they ran on. Reads /proc only."""

import datetime
import os
import platform
import time

TICKS = os.sysconf('SC_CLK_TCK')


def _processes():
    """pid → (parent, CPU seconds of itself and of its children that have ended)."""
    found = {}
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
        try:
            with open(f'/proc/{name}/stat') as file:
                fields = file.read().rsplit(')', 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        found[int(name)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICKS)
    return found


def cpu_seconds(*roots):
    """User and system time of these processes and of all below them."""
    processes = _processes()
    wanted = set(roots)
    grew = True
    while grew:
        below = {pid for pid, (parent, _) in processes.items() if parent in wanted}
        grew = not below <= wanted
        wanted |= below
    return sum(processes[pid][1] for pid in wanted if pid in processes)


def rest(*roots, most=30):
    """Waits until the processes have ended what they were at: requests that were given up, the database's housekeeping."""
    begun = time.monotonic()
    while time.monotonic() - begun < most:
        before = cpu_seconds(*roots)
        time.sleep(0.4)
        if cpu_seconds(*roots) - before <= 0.02:
            return


def memory(pid):
    """MiB in memory: all of it, and the part that is not a mapped file (which the kernel may take back at any time)."""
    sizes = {}
    with open(f'/proc/{pid}/status') as file:
        for line in file:
            name, _, value = line.partition(':')
            if name.startswith(('VmRSS', 'Rss')):
                sizes[name] = int(value.split()[0]) / 1024
    return sizes['VmRSS'], sizes['VmRSS'] - sizes['RssFile']


def load():
    return os.getloadavg()[0]


def conditions():
    model = '?'
    with open('/proc/cpuinfo') as file:
        for line in file:
            if line.startswith('model name'):
                model = line.split(':', 1)[1].strip()
                break
    total = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return {
        'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'cores': len(os.sched_getaffinity(0)),
        'processor': model,
        'memory_gib': round(total, 1),
        'kernel': platform.release(),
        'load_before': round(load(), 2),
    }
