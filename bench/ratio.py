#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Slowdown of a tool against native, and against a peer, on the same work in one run.

    ratio.py --tool "build/bin/drrun --" [--peer "valgrind -q --tool=none"] [--only GLOB] [-n RUNS] [--json OUT]

Every workload in workloads.tsv runs natively, under --tool and under --peer in turn (N T P N T P ...), so that a
machine whose speed drifts slows all three alike. The figure of a run is user+system CPU seconds of the whole
process tree (wall with --wall: use it for the threaded and the start-up workloads). Reported per workload:
median native seconds, median tool/native and peer/native, and the geometric mean of each column by class.
A workload whose output under the tool differs from native is FAILED and has no ratio: a fast wrong run is no run.
Inputs are generated once, deterministically, into --work (default: a folder below the system's temp dir).
"""
import argparse, fnmatch, hashlib, json, math, os, random, resource, shlex, shutil, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))


def generate(work):
    """Deterministic inputs; names are what workloads.tsv uses as {name}."""
    os.makedirs(work, exist_ok=True)
    stamp = os.path.join(work, ".done-2")
    if os.path.exists(stamp):
        return
    rnd = random.Random(20261122)
    words = ["".join(rnd.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rnd.randint(2, 11))) for _ in range(6000)]
    with open(os.path.join(work, "text.txt"), "w") as f:
        for _ in range(60000):
            f.write(" ".join(rnd.choice(words) for _ in range(rnd.randint(3, 14))) + "\n")
    with open(os.path.join(work, "data.json"), "w") as f:
        json.dump([{"id": i, "name": rnd.choice(words), "tags": rnd.sample(words, 4), "v": rnd.random()} for i in range(30000)], f)
    with open(os.path.join(work, "blob.bin"), "wb") as f:
        f.write(bytes(rnd.getrandbits(8) for _ in range(4 << 20)) * 12)
    with open(os.path.join(work, "big.c"), "w") as f:
        f.write("extern void *memset(void *, int, unsigned long);\n")
        for i in range(700):
            f.write(f"struct s{i} {{ int a; char b[{i % 13 + 1}]; double d; }};\n"
                    f"static int f{i}(struct s{i} *p, int n) {{ int s = {i}; for (int i = 0; i < n; i++) {{ s = s * 31 + p[i].a;"
                    f" if (s & {1 << (i % 7)}) p[i].d += s * 0.5; else memset(p[i].b, s, sizeof p[i].b); switch (s % 5) {{ case 0: s ^= {i}; break;"
                    f" case 1: s += p[i].b[0]; break; case 3: s -= n; break; default: s--; }} }} return s; }}\n"
                    f"int g{i}(void *v, int n) {{ return f{i}(v, n) + n * {i}; }}\n")
        f.write("int main(void) { return 0; }\n")
    shutil.copy(os.path.join(HERE, "kernels.c"), os.path.join(work, "kernels.c"))
    for name, opt in (("kernels", "-O2"), ("kernels0", "-O0")):
        subprocess.run(["gcc", opt, "-g", "-pthread", "-o", os.path.join(work, name), os.path.join(work, "kernels.c"), "-lm"], check=True)
    with open(os.path.join(work, "pi.bc"), "w") as f:
        f.write("scale=900\na(1)*4\nscale=60\nfor(i=1;i<900;i++){ s+=sqrt(i)/l(i+1) }\ns\nquit\n")
    open(stamp, "w").close()


def run(argv, cwd, limit):
    """(cpu seconds, wall seconds, exit code, digest of stdout) of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    t0 = time.monotonic()
    try:
        p = subprocess.run(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=limit)
        code, out = p.returncode, p.stdout
    except subprocess.TimeoutExpired:
        code, out = "timeout", b""
    wall = time.monotonic() - t0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu, wall, code, hashlib.sha256(out).hexdigest()


def geomean(xs):
    return math.exp(sum(map(math.log, xs)) / len(xs)) if xs else float("nan")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--tool", required=True, help='prefix command, e.g. "build/bin/drmemory -quiet --"')
    ap.add_argument("--peer", help="a second prefix command measured in the same run")
    ap.add_argument("--only", default="*", help="glob on name or class; several, comma-separated")
    ap.add_argument("--list", action="append", help="workload file(s) instead of workloads.tsv")
    ap.add_argument("-n", type=int, default=3)
    ap.add_argument("--wall", action="store_true")
    ap.add_argument("--loose", action="store_true", help="compare exit status only, for a tool that prints its result on stdout")
    ap.add_argument("--limit", type=float, default=300)
    ap.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "bench-work"))
    ap.add_argument("--json")
    a = ap.parse_args()
    a.work = os.path.abspath(a.work)
    generate(a.work)
    rows = []
    for lst in a.list or [os.path.join(HERE, "workloads.tsv")]:
        for line in open(lst):
            if line.strip() and not line.startswith("#"):
                name, cls, cmd = line.rstrip("\n").split("\t", 2)
                if any(fnmatch.fnmatch(x, g) for g in a.only.split(",") for x in (name, cls)):
                    rows.append((name, cls, cmd.replace("{work}", a.work).replace("{here}", os.path.dirname(os.path.abspath(lst)))))
    tool = [os.path.abspath(x) if i == 0 and "/" in x else x for i, x in enumerate(shlex.split(a.tool))]
    peer = shlex.split(a.peer) if a.peer else None
    results, ratios = [], {}
    print(f"{'workload':<16}{'class':<10}{'native s':>9}{'tool x':>8}{'min..max':>14}" + (f"{'peer x':>8}{'peer/tool':>10}" if peer else ""))
    for name, cls, cmd in rows:
        argv = shlex.split(cmd)
        argv[0] = shutil.which(argv[0]) or argv[0]
        if not os.path.exists(argv[0]):
            print(f"{name:<16}{cls:<10}   FAILED: {argv[0]} is not installed")
            results.append(dict(name=name, cls=cls, failed="not installed"))
            continue
        wall = a.wall or cls in ("threads", "startup")
        pick = 1 if wall else 0
        nat, tl, pr, bad = [], [], [], None
        run(argv, a.work, a.limit)  # warm the file cache
        for _ in range(a.n):
            n = run(argv, a.work, a.limit)
            t = run(tool + argv, a.work, a.limit)
            nat.append(n[pick]); tl.append(t[pick])
            if n[2] != 0:
                bad = f"exits {n[2]} natively: the workload itself is broken here"
                break
            if n[2] != t[2] or (n[3] != t[3] and not a.loose):
                bad = f"native exit {n[2]}, tool exit {t[2]}" + ("" if n[3] == t[3] else ", output differs")
                break
            if peer:
                pr.append(run(peer + argv, a.work, a.limit)[pick])
        if bad:
            print(f"{name:<16}{cls:<10}   FAILED: {bad}")
            results.append(dict(name=name, cls=cls, failed=bad))
            continue
        r = [t / max(n, 1e-4) for n, t in zip(nat, tl)]
        m = statistics.median(r)
        row = dict(name=name, cls=cls, native_s=statistics.median(nat), tool_x=m, wall=wall)
        text = f"{name:<16}{cls:<10}{row['native_s']:>9.3f}{m:>8.2f}{min(r):>7.2f}..{max(r):<5.2f}"
        ratios.setdefault(cls, []).append((m, None))
        if peer:
            row["peer_x"] = statistics.median(p / max(n, 1e-4) for n, p in zip(nat, pr))
            ratios[cls][-1] = (m, row["peer_x"])
            text += f"{row['peer_x']:>8.2f}{row['peer_x'] / m:>10.2f}"
        print(text, flush=True)
        results.append(row)
    print("--- geometric means")
    every = [x for c, v in ratios.items() if c != "startup" for x in v]
    for cls, v in list(ratios.items()) + [("all-but-startup", every)]:
        g = geomean([x[0] for x in v])
        text = f"{cls:<26}{'':>9}{g:>8.2f}{'':>14}"
        if peer and v:
            gp = geomean([x[1] for x in v]); text += f"{gp:>8.2f}{gp / g:>10.2f}"
        print(text)
    failed = sum("failed" in r for r in results)
    print(f"{len(results) - failed} measured, {failed} failed")
    if a.json:
        json.dump(results, open(a.json, "w"), indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
