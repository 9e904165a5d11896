#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Transparency judge: is a program under CMD indistinguishable from native?

  judge.py --cmd "CMD" [--filter GLOB] [--jobs 1] DIR          cases of DIR
  judge.py --cmd "CMD" --programs programs.tsv [--filter GLOB]  real programs
  options: --limit SEC     time limit for one run under CMD       (default 60)
           --strip REGEX   stderr lines of the tool to leave out (repeatable)
           --repeat N      run under CMD N times, all must agree with native
           --build DIR     keep built cases there and use them again
           --results FILE  write "id, PASS|FAIL|SKIP, native seconds, tool seconds, why" there, by tabs
           --list          print the ids and stop
           --verbose       on FAIL print both outputs

A case is DIR/GROUP/NAME.{c,cc,S,sh}; its id is GROUP/NAME. Lines "//! key: value"
("#! key: value" in .sh) at its top steer it:
  build:  shell command (lines add up); $SRC $OUT $INC $B (its build folder); default by suffix
  expect: "exit N" or "signal N" natively (default exit 0)
  need:   cpu:FLAG cmd:NAME file:PATH root vsyscall, else the case is skipped
  args:   arguments     env: K=V ...      stdin: text     limit: SEC (under CMD)
  run:    shell line in place of the plain "CMD $OUT args"; $CMD is the tool's command line
PASS: the same stdout, stderr and exit status / terminating signal as native. A case
whose native runs differ from each other (three pairs are tried) or from `expect` is
skipped, not judged.
Exit status: 0 all passed or some skipped, 1 some failed, 77 all skipped, 2 wrong usage.
"""
import argparse, contextlib, fcntl, fnmatch, glob, os, re, shlex, shutil, signal, subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor

DEFBUILD = {
    '.c': 'gcc -O1 -w -I$INC $SRC -o $OUT -lpthread -ldl -lm',
    '.cc': 'g++ -O1 -w -I$INC $SRC -o $OUT -lpthread -ldl',
    '.S': 'gcc -w -nostdlib -static -I$INC $SRC -o $OUT',
    '.sh': 'cp $SRC $OUT; chmod +x $OUT',
}


def meta(path):
    m = {}
    with open(path, errors='replace') as f:
        for line in f:
            line = line.rstrip('\n')
            g = re.match(r'(?://|#|/\*)!\s*([a-z]+):\s*(.*?)(?:\*/)?$', line)
            if g:
                k, v = g.group(1), g.group(2).strip()
                m[k] = m[k] + '\n' + v if k in m else v
            elif line.startswith('#!/') or not line.strip():
                continue
            elif m:
                break
    return m


# "@" before a program's name in programs.tsv is the tool's command line; $@, [@], =@0, @86400 are left alone
ATTOK = re.compile(r'(?<![^\s;|&(){}!])@(?=[A-Za-z./])')

CPU = None


def lacking(needs):
    global CPU
    for n in needs.split():
        k, _, v = n.partition(':')
        if k == 'cpu':
            if CPU is None:
                t = open('/proc/cpuinfo').read()
                CPU = set(re.search(r'^flags\s*: (.*)$', t, re.M).group(1).split())
            if v not in CPU:
                return 'cpu lacks ' + v
        elif k == 'cmd' and not shutil.which(v):
            return 'no command ' + v
        elif k == 'file' and not os.path.exists(v):
            return 'no file ' + v
        elif k == 'root' and os.geteuid() != 0:
            return 'needs root'
        elif k == 'vsyscall' and '[vsyscall]' not in open('/proc/self/maps').read():
            return 'no vsyscall page'
        elif k not in ('cpu', 'cmd', 'file', 'root', 'vsyscall'):
            raise ValueError('unknown need: ' + n)
    return None


def base_env(extra):
    e = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'HOME': '/tmp', 'LANG': 'C', 'LC_ALL': 'C',
         'TZ': 'UTC', 'USER': 'judge'}
    for kv in extra:
        k, _, v = kv.partition('=')
        e[k] = v
    return e


def session_pids(sid):
    out = []
    for p in os.listdir('/proc'):
        if p.isdigit():
            try:
                with open('/proc/%s/stat' % p) as f:
                    s = f.read()
                if int(s.rsplit(')', 1)[1].split()[3]) == sid:
                    out.append(int(p))
            except (OSError, IndexError, ValueError):
                pass
    return out


def run(argv, env, cwd, stdin, limit, outdir):
    """-> (status, stdout, stderr); status 'exit N', 'signal N' or 'timeout'"""
    shutil.rmtree(cwd, ignore_errors=True)
    os.makedirs(cwd)
    so, se = os.path.join(outdir, 'stdout'), os.path.join(outdir, 'stderr')
    with open(so, 'wb') as o, open(se, 'wb') as e:
        if stdin is None:
            si = open('/dev/null', 'rb')
        else:
            p = os.path.join(outdir, 'stdin')
            open(p, 'w').write(stdin)
            si = open(p, 'rb')
        try:
            pr = subprocess.Popen(argv, env=env, cwd=cwd, stdin=si, stdout=o, stderr=e,
                                  start_new_session=True, close_fds=True)
        except OSError as x:
            return ('cannot start: %s' % x, b'', b'')
        try:
            rc = pr.wait(timeout=limit)
            st = 'exit %d' % rc if rc >= 0 else 'signal %d' % -rc
        except subprocess.TimeoutExpired:
            st = 'timeout'
        # whatever this run left behind in its own session is ended
        for _ in range(5):
            left = [p for p in session_pids(pr.pid)]
            if not left:
                break
            for p in left:
                try:
                    os.kill(p, signal.SIGKILL)
                except OSError:
                    pass
            if st == 'timeout':
                try:
                    pr.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    pass
            time.sleep(0.02)
        si.close()
    return (st, open(so, 'rb').read(), open(se, 'rb').read())


def firstdiff(what, a, b):
    al, bl = a.decode('latin1').splitlines(), b.decode('latin1').splitlines()
    for i in range(max(len(al), len(bl))):
        x = al[i] if i < len(al) else '<end>'
        y = bl[i] if i < len(bl) else '<end>'
        if x != y:
            return '%s line %d: native %r, tool %r' % (what, i + 1, x[:90], y[:110])
    return what + ': line ends differ'


def judge(nat, got):
    why = []
    if nat[0] != got[0]:
        why.append('status: native %s, tool %s' % (nat[0], got[0]))
    if nat[1] != got[1]:
        why.append(firstdiff('stdout', nat[1], got[1]))
    if nat[2] != got[2]:
        why.append(firstdiff('stderr', nat[2], got[2]))
    return '; '.join(why)


@contextlib.contextmanager
def locked(path):
    """Other judges that share --build wait."""
    with open(path, 'w') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def build(path, m, out, b, env):
    """Builds the case unless it is up to date. -> what the compiler said if that failed, else ''"""
    stamp = os.path.join(b, '.stamp')
    sources = [path] + glob.glob(os.path.join(env['INC'], '*.h'))
    key = '%s %s' % (max(map(os.path.getmtime, sources)), m.get('build', ''))
    if os.path.exists(out) and os.path.exists(stamp) and open(stamp).read() == key:
        return ''
    p = subprocess.run(['bash', '-ec', m.get('build') or DEFBUILD[os.path.splitext(path)[1]]], env=env, cwd=b,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode or not os.path.exists(out):
        return p.stdout.decode('latin1') or 'no message'
    open(stamp, 'w').write(key)
    return ''


class Judge:
    def __init__(self, a):
        self.a = a
        self.cmd = shlex.split(a.cmd)
        self.strip = [re.compile(s) for s in a.strip]
        self.lock = threading.Lock()
        self.res, self.secs = {}, {}

    def clean(self, r):
        if not self.strip:
            return r
        keep = [l for l in r[2].decode('latin1').splitlines(True) if not any(s.search(l) for s in self.strip)]
        return (r[0], r[1], ''.join(keep).encode('latin1'))

    def report(self, cid, verdict, why='', extra=''):
        with self.lock:
            self.res[cid] = (verdict, why)
            print(verdict, cid + (': ' + why if why else ''), flush=True)
            if extra:
                print(extra, flush=True)

    def one(self, cid, build, nativeargv, toolargv, env, stdin, expect, limit, top, b):
        r = os.path.join(top, 'run')
        for _ in range(3):           # a loaded machine may upset a pair
            t0 = time.time()
            n1 = run(nativeargv, env, r, stdin, 20, top)
            self.secs[cid] = [time.time() - t0, 0]
            n2 = run(nativeargv, env, r, stdin, 20, top)
            if n1 == n2 and not (expect and n1[0] != expect):
                break
        if n1 != n2:
            return self.report(cid, 'SKIP', 'native runs differ: ' + judge(n1, n2))
        if n1[0] == 'timeout':
            return self.report(cid, 'SKIP', 'native runs do not end')
        if expect and n1[0] != expect:
            return self.report(cid, 'SKIP', 'native gave %s, not %s: %r' % (n1[0], expect, n1[1][-200:]))
        if expect == 'exit 0' and re.search(rb'^FAIL', n1[1], re.M):
            return self.report(cid, 'SKIP', 'native self-check failed')
        for i in range(self.a.repeat):
            t0 = time.time()
            g = self.clean(run(toolargv, env, r, stdin, limit, top))
            self.secs[cid][1] = time.time() - t0
            w = judge(n1, g)
            if w:
                x = ''
                if self.a.verbose:
                    x = '--- native %s\n%s%s--- tool %s\n%s%s---' % (
                        n1[0], n1[1].decode('latin1')[:4000], n1[2].decode('latin1')[:2000],
                        g[0], g[1].decode('latin1')[:4000], g[2].decode('latin1')[:4000])
                return self.report(cid, 'FAIL', w + (' (run %d)' % (i + 1) if self.a.repeat > 1 else ''), x)
        self.report(cid, 'PASS')

    def case(self, cid, path):
        try:
            self.case_(cid, path)
        except Exception as x:       # the judge itself failed: never counted as a pass
            self.report(cid, 'FAIL', 'judge: %r' % x)

    def case_(self, cid, path):
        m = meta(path)
        lack = lacking(m.get('need', ''))
        if lack:
            return self.report(cid, 'SKIP', lack)
        name = os.path.basename(cid)
        top = os.path.join(self.top, cid.replace('/', '__'))
        b = os.path.join(self.a.build, cid.replace('/', '__')) if self.a.build else os.path.join(top, 'b')
        os.makedirs(top, exist_ok=True)
        os.makedirs(b, exist_ok=True)
        out = os.path.join(b, name)
        env = base_env(m.get('env', '').split())
        benv = dict(os.environ, SRC=path, OUT=out, INC=os.path.dirname(os.path.dirname(path)), B=b, LC_ALL='C')
        with locked(os.path.join(b, '.lock')):
            err = build(path, m, out, b, benv)
        if err:
            return self.report(cid, 'SKIP', 'does not build: ' + err[-300:].replace('\n', ' | '))
        env['B'] = b
        if 'run' in m:
            env['OUT'] = out
            nenv = lambda c: ['bash', '-c', 'CMD=%s\n%s' % (shlex.quote(' '.join(map(shlex.quote, c))), m['run'])]
            nat, tool = nenv([]), nenv(self.cmd)
        else:
            args = shlex.split(m.get('args', '')) if m.get('args') else []
            nat, tool = [out] + args, self.cmd + [out] + args
        limit = float(m['limit']) if 'limit' in m and float(m['limit']) > self.a.limit else self.a.limit
        self.one(cid, None, nat, tool, env, m.get('stdin'), m.get('expect', 'exit 0'), limit, top, b)
        if not self.a.build:
            shutil.rmtree(top, ignore_errors=True)

    def prog(self, pid, need, setup, line):
        try:
            lack = lacking(need if need != '-' else '')
            if lack:
                return self.report(pid, 'SKIP', lack)
            top = os.path.join(self.top, pid.replace('/', '_'))
            os.makedirs(top)
            pre = '' if setup == '-' else setup + '\n'
            mk = lambda c: ['bash', '-c', '{ %s\n} >/dev/null 2>&1\n%s' % (pre or ':', ATTOK.sub(lambda _: ' '.join(map(shlex.quote, c)) + ' ' if c else '', line))]
            self.one(pid, None, mk([]), mk(self.cmd), base_env(['HOME=' + os.path.join(top, 'run')]), None, None,
                     self.a.limit, top, None)
            shutil.rmtree(top, ignore_errors=True)
        except Exception as x:
            self.report(pid, 'FAIL', 'judge: %r' % x)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--cmd', default='')
    ap.add_argument('--filter', action='append', default=[])
    ap.add_argument('--jobs', type=int, default=1)
    ap.add_argument('--limit', type=float, default=60)
    ap.add_argument('--strip', action='append', default=[])
    ap.add_argument('--repeat', type=int, default=1)
    ap.add_argument('--build')
    ap.add_argument('--results')
    ap.add_argument('--list', action='store_true')
    ap.add_argument('--verbose', '-v', action='store_true')
    ap.add_argument('--programs')
    ap.add_argument('dir', nargs='?')
    a = ap.parse_args()
    # what a background shell leaves ignored is not passed on to the cases
    for sg in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
        signal.signal(sg, signal.default_int_handler if sg == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o022)
    items = []
    if a.programs:
        for l in open(a.programs):
            l = l.rstrip('\n')
            if l and not l.startswith('#'):
                f = l.split('\t')
                if len(f) != 4:
                    ap.error('%s: bad line: %s' % (a.programs, l))
                items.append(('prog/' + f[0], f))
    else:
        if not a.dir:
            ap.error('DIR is missing')
        d = os.path.abspath(a.dir)
        for g in sorted(os.listdir(d)):
            gd = os.path.join(d, g)
            if os.path.isdir(gd):
                for f in sorted(os.listdir(gd)):
                    n, x = os.path.splitext(f)
                    if x in DEFBUILD and not n.startswith('_'):
                        items.append((g + '/' + n, os.path.join(gd, f)))
    if a.filter:
        items = [i for i in items if any(fnmatch.fnmatch(i[0], p) or fnmatch.fnmatch(i[0].split('/')[1], p) for p in a.filter)]
    if a.list:
        print('\n'.join(i[0] for i in items))
        return 0
    if not items:
        ap.error('nothing matches')
    j = Judge(a)
    j.top = tempfile.mkdtemp(prefix='judge.')
    os.chmod(j.top, 0o755)
    try:
        with ThreadPoolExecutor(max(1, a.jobs)) as ex:
            for cid, what in items:
                if a.programs:
                    ex.submit(j.prog, cid, what[1], what[2], what[3])
                else:
                    ex.submit(j.case, cid, what)
    finally:
        shutil.rmtree(j.top, ignore_errors=True)
    n = {k: sum(1 for v in j.res.values() if v[0] == k) for k in ('PASS', 'FAIL', 'SKIP')}
    if a.results:
        with open(a.results, 'w') as f:
            for c in sorted(j.res):
                t = j.secs.get(c, [0, 0])
                f.write('%s\t%s\t%.2f\t%.2f\t%s\n' % (c, j.res[c][0], t[0], t[1], j.res[c][1].replace('\t', ' ').replace('\n', ' ')))
    print('%d passed, %d failed, %d skipped' % (n['PASS'], n['FAIL'], n['SKIP']))
    return 1 if n['FAIL'] else 0 if n['PASS'] else 77


if __name__ == '__main__':
    sys.exit(main())
