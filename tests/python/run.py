#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Python's own test suite under a tool: every single test must end as it does natively, skips and their reasons included.

  run.py --cmd "drrun -quiet --" [--set quick|all] [--only GLOB]... [--tries 3] [--results FILE] [-v]

The modules are those of modules.txt; the suite is Debian's libpython3.11-testsuite. Each module runs as
`python3 -m test MODULE` in a folder of its own, natively and under the command; the results of both are compared test by test.
Tests whose native result varies are not held against the tool: when results differ, both sides run again, up to
--tries times, and a difference counts that no pair of runs resolves. What differed once is printed in any case.
Exit status: 0 equal, 1 different, 77 the suite is not installed.
"""
import argparse, collections, fnmatch, os, shlex, shutil, signal, subprocess, sys, tempfile, time
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = '/usr/bin/python3'
LIMIT = 1200         # seconds for one run of one module

Run = collections.namedtuple('Run', 'results end seconds output')


def modules(which):
    for line in open(os.path.join(HERE, 'modules.txt')):
        name, _, marks = line.partition('#')[0].strip().partition(' ')
        if name and (which == 'all' or which in marks.split()):
            yield [name] + ['--ignore=' + mark[7:] for mark in marks.split() if mark.startswith('ignore=')]


def result(case):
    """One word, or with the reason of a skip."""
    for child in case:
        if child.tag == 'skipped':
            return 'skipped: ' + (child.text or '').strip()
        if child.tag in ('failure', 'error'):
            return child.tag
    return case.get('result')


def read_results(path):
    """-> {test: sorted results}"""
    results = collections.defaultdict(list)
    try:
        for case in xml.parse(path).iter('testcase'):
            results[case.get('name')].append(result(case))
    except (OSError, xml.ParseError):
        pass
    return {name: sorted(found) for name, found in results.items()}


def end_session(leader):
    """Kills what a run left behind in its session."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            if int(open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[3]) == leader:
                os.kill(int(pid), signal.SIGKILL)
        except (OSError, IndexError, ValueError):
            pass


def run(command, module):
    """`module`: its name, and options of regrtest."""
    top = tempfile.mkdtemp(prefix='pytest.')
    log, report = os.path.join(top, 'log'), os.path.join(top, 'results.xml')
    env = {k: v for k, v in os.environ.items() if not k.startswith(('PYTHON', 'PYENV', 'LC_', 'LANG'))}
    env.update(TMPDIR=top, HOME=top, LANG='C.UTF-8', PATH='/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin')
    begun = time.monotonic()
    with open(log, 'wb') as out:
        process = subprocess.Popen(command + [PYTHON, '-m', 'test', '--junit-xml', report] + module, cwd=top, env=env,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            end = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            end = 'no end'
        end_session(process.pid)
        process.wait()
    made = Run(read_results(report), end, time.monotonic() - begun, open(log, errors='replace').read())
    shutil.rmtree(top, ignore_errors=True)
    return made


def differences(native, tool):
    """-> {test: (native's result, tool's)}"""
    found = {}
    if native.end != tool.end:
        found['(exit status)'] = (native.end, tool.end)
    for name in sorted(native.results.keys() | tool.results.keys()):
        pair = (native.results.get(name), tool.results.get(name))
        if pair[0] != pair[1]:
            found[name] = pair
    return found


class Comparison:
    """All runs of one module."""

    def __init__(self, module, command, tries):
        self.natives, self.tools, self.once = [], [], {}
        for _ in range(tries):
            self.natives.append(run([], module))
            self.tools.append(run(command, module))
            self.once.update(differences(self.natives[-1], self.tools[-1]))
            self.left = self.unresolved()
            if not self.left:
                break

    def unresolved(self):
        """What differs between every native run and every run under the tool."""
        common = None
        for native in self.natives:
            for tool in self.tools:
                found = differences(native, tool)
                common = found if common is None else {k: v for k, v in common.items() if k in found}
        return common


def show(text):
    return ' + '.join(text) if isinstance(text, list) else 'missing' if text is None else str(text)


def report(module, c, verbose, out):
    native, tool = c.natives[-1], c.tools[-1]
    verdict = 'DIFFERENT' if c.left else 'equal'
    print(f'{module[0]}: {verdict}, {len(native.results)} tests, {native.seconds:.1f} s natively, {tool.seconds:.1f} s', flush=True)
    for name, (want, got) in c.once.items():
        kind = 'different' if name in c.left else 'differed once'
        print(f'  {kind}: {name}: natively {show(want)}, under the tool {show(got)}', flush=True)
        if out:
            out.write(f'{module[0]}\t{kind}\t{name}\t{show(want)}\t{show(got)}\n')
    if c.left and verbose:
        print('  --- the end of what it printed under the tool ---\n' + tool.output[-4000:], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cmd', required=True)
    parser.add_argument('--set', default='all', choices=['quick', 'all'])
    parser.add_argument('--only', action='append', default=[])
    parser.add_argument('--tries', type=int, default=3)
    parser.add_argument('--results')
    parser.add_argument('-v', '--verbose', action='store_true')
    a = parser.parse_args()
    if subprocess.run([PYTHON, '-c', 'import test.test_signal, test.libregrtest'], stdin=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode:
        print('skipped: the package libpython3.11-testsuite is not installed')
        return 77
    out = open(a.results, 'w') if a.results else None
    tests = different = 0
    for module in modules(a.set):
        if a.only and not any(fnmatch.fnmatch(module[0], glob) for glob in a.only):
            continue
        c = Comparison(module, shlex.split(a.cmd), a.tries)
        report(module, c, a.verbose, out)
        tests += len(c.natives[-1].results)
        different += len(c.left)
    print(f'{tests} tests compared, {different} different')
    return 1 if different else 0


if __name__ == '__main__':
    sys.exit(main())
