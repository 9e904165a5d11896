#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs a soak program and measures the memory of its process after the first and after the last tenth of its work.

  soak.py --growth PERCENT COMMAND [ARG...]

The program says when by a byte on a pipe and waits for the answer (soak.h). Compared are the bytes of dirty memory
and of address space: neither may be more than PERCENT, or SLACK if that is more, larger at the end. Page-cache pages are
left out, since the kernel drops them as it likes; transparent huge pages are off, since they come 2 MiB at a time.
Exit status: the program's own if it is not 0; 1 when memory grew or the program did not say when.
"""
import argparse, ctypes, os, re, subprocess, sys

PR_SET_THP_DISABLE = 41
SLACK = 512    # KiB: the indirect-branch table of a thread, which may grow once at any time


def measure(pid):
    """-> {name: KiB} of the process"""
    rollup = open(f'/proc/{pid}/smaps_rollup').read()
    status = open(f'/proc/{pid}/status').read()
    number = lambda text, name: int(re.search(rf'^{name}:\s+(\d+) kB', text, re.M).group(1))
    dirty = sum(number(rollup, name) for name in ('Private_Dirty', 'Shared_Dirty', 'Swap'))
    return {'dirty': dirty, 'space': number(status, 'VmSize')}


def run(command):
    """-> exit status, [measurements]"""
    says, wakes = os.pipe(), os.pipe()       # the program writes to the first, reads from the second
    fds = (wakes[0], says[1])
    env = dict(os.environ, SOAK_FDS='%d,%d' % fds)
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    program = subprocess.Popen(command, env=env, pass_fds=fds)
    for fd in fds:
        os.close(fd)
    taken = []
    while os.read(says[0], 1):
        taken.append(measure(program.pid))
        os.write(wakes[1], b'.')
    return program.wait(), taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--growth', type=float, required=True)
    parser.add_argument('command', nargs=argparse.REMAINDER)
    a = parser.parse_args()
    status, taken = run(a.command)
    if status:
        print(f'exit status {status}')
        return status if status > 0 else 128 - status
    if len(taken) != 2:
        print(f'measured {len(taken)} times, not twice')
        return 1
    grew = False
    for name, first in taken[0].items():
        last = taken[1][name]
        print(f'{name}: {first} KiB after the first tenth, {last} after the last: {100 * (last - first) / first:+.2f} %')
        grew |= last > first + max(SLACK, first * a.growth / 100)
    return 1 if grew else 0


if __name__ == '__main__':
    sys.exit(main())
