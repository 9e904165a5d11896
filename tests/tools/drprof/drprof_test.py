#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""drprof's counts, contexts and formats. drprof_test.py CLAIM BIN DIRECTORY-OF-PROGRAMS runs one claim."""
import collections, glob, gzip, json, os, re, shutil, signal, subprocess, sys, tempfile, time

binaries, programs = sys.argv[2:4]
work = tempfile.mkdtemp(prefix="drprof-test.")
drprof = os.path.join(binaries, "drprof")
SKIP = 77


def program(name):
    return os.path.join(programs, "drprof_" + name)


def run(*words, status=0, cwd=work):
    p = subprocess.run([drprof, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=cwd)
    assert p.returncode == status, f"status {p.returncode}, not {status}: {p.stderr.decode()}"
    return p


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {got}, not {wanted}"


def profile(command, *options, status=0):
    path = os.path.join(work, "profile.json")
    run("-quiet", *options, "-format", "json", "-o", path, "--", *command, status=status)
    with open(path) as f:
        p = json.load(f)
    check_sums(p)
    return p


def check_sums(p):
    """What must hold in any profile: a node's inclusive cost is its own and its children's, and all sums agree."""
    inclusive = [n[3] for n in p["nodes"]]
    for i in range(len(p["nodes"]) - 1, 0, -1):
        inclusive[p["nodes"][i][0]] += inclusive[i]
    equal([n[4] for n in p["nodes"]], inclusive, "inclusive costs of contexts")
    for what, total in (("functions", sum(f["self"] for f in p["functions"])), ("lines", sum(l["self"] for l in p["lines"])),
                        ("blocks", sum(b[2] * b[3] for b in p["blocks"])), ("threads", sum(t["total"] for t in p["threads"]))):
        equal(total, p["total"], f"sum over {what}")


def by_name(p, key="self"):
    c = collections.Counter()
    for f in p["functions"]:
        c[f["name"]] += f[key]
    return c


def contexts(p, name):
    """Calls of a function by the names of its callers, outermost first, from main on."""
    found = collections.Counter()
    names = [f["name"] for f in p["functions"]]
    for n in p["nodes"]:
        if n[1] >= 0 and names[n[1]] == name:
            path, at = [], n[0]
            while at > 0:
                path.append(names[p["nodes"][at][1]])
                at = p["nodes"][at][0]
            path = path[::-1]
            found[";".join(path[path.index("main") + 1:] if "main" in path else path)] += n[2]
    return found


def callgrind_counts(path):
    """Self cost by function of a callgrind file; recursion levels and clones are one."""
    c, names, now, call = collections.Counter(), {}, None, False
    for line in open(path):
        m = re.match(r"(c?fn)=\((\d+)\)(?: (.*))?", line)
        if m:
            if m[3]:
                names[m[2]] = re.sub(r"(\.(part|constprop|isra|cold)[.\d]*)*('\d+)?$", "", m[3])
            if m[1] == "fn":
                now = names[m[2]]
        elif line.startswith("calls="):
            call = True
        elif re.match(r"[\d+*-]", line):
            if not call:
                c[now] += int(line.split()[1])
            call = False
    return c


def under_callgrind(command):
    if not shutil.which("valgrind"):
        print("skipped: no valgrind")
        sys.exit(SKIP)
    out = os.path.join(work, "cg.out")
    subprocess.run(["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + out, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return callgrind_counts(out)


# ---- counts ----

def counts_equal_callgrind_without_a_c_library():
    for name, status in (("fixed", 7),):
        theirs = under_callgrind([program(name)])
        ours = by_name(profile([program(name)], status=status))
        # Callgrind calls the entry "(below main)", and leaves out the block whose system call ends the process.
        ours.pop("_start"), theirs.pop("(below main)")
        equal({n: c for n, c in ours.items() if c}, dict(theirs), name)
        calls = by_name(profile([program(name)], status=status), "calls")
        equal([calls[f] for f in ("fib", "even", "odd", "mul", "add", "machine")], [1973 + 200 * 5 - 1386, 501, 501, 1950, 2687, 1], "calls")


def counts_are_within_a_thousandth_of_callgrinds():
    source, command = os.path.join(work, "o.c"), [os.path.join(work, "o")]
    with open(source, "w") as f:
        f.write("""#include <stdlib.h>
#include <stdio.h>
static int cmp(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(void) {
    static int v[20000]; unsigned s = 1; double d = 0; char text[64];
    for (int i = 0; i < 20000; i++) v[i] = rand_r(&s) % 10007;
    qsort(v, 20000, sizeof *v, cmp);
    for (int i = 0; i < 2000; i++) { snprintf(text, sizeof text, "%d %x %s", v[i], i, "x"); d += strtod(text, NULL); free(malloc(i)); }
    return d < 0; }""")
    subprocess.run(["cc", "-O2", "-g", "-o", *command, source], check=True)
    theirs, p = under_callgrind(command), profile(command)
    ours = by_name(p)
    # The loader has Valgrind's own libraries to link as well; string functions are chosen by the processor, and Valgrind's is another.
    compared = {n: c for n, c in theirs.items() if n in ours and c > 1000 and not re.search(r"_dl_|^dl_|lookup|tunable|check_match|mem|str|cpu|hwcap|intel|cache", n)}
    wrong = {n: (ours[n], c) for n, c in compared.items() if abs(ours[n] - c) > c / 1000}
    assert not wrong, f"(ours, callgrind's): {wrong}"
    assert len(compared) >= 8 and sum(compared.values()) > p["total"] / 4, compared


def blocks_equal_bbcount():
    out = os.path.join(work, "bb.json")
    subprocess.run([os.path.join(binaries, "drrun"), "-quiet", "-t", "bbcount", "-json", out, "--", program("fixed")], check=False)
    with open(out) as f:
        theirs = json.load(f)
    p = profile([program("fixed")], status=7)
    equal(p["total"], theirs["instructions"], "instructions")
    equal(sum(b[3] for b in p["blocks"]), theirs["blocks"], "blocks")


# ---- contexts ----

def longjmp_signals_and_stacks_keep_the_context():
    p = profile([program("contexts")])
    equal(contexts(p, "after_longjmp"), {"with_longjmp": 100}, "after longjmp")
    equal(contexts(p, "after_signal"), {"with_signals": 100, "with_faults": 30}, "after signals")
    handled = contexts(p, "handled")
    equal(sum(handled.values()), 130, "handlers")
    assert all(re.match(r"with_(signals;.*;(jumping_)?handler|faults;jumping_handler)$", c) for c in handled), handled
    equal(sum(n for c, n in handled.items() if c.startswith("with_faults")), 30, "handlers of faults")
    calls = by_name(p, "calls")
    equal([calls[f] for f in ("leaf", "on_other_stack", "inner", "resumes")], [100 + 260 + 120 + 126 + 1, 120, 60, 63], "calls")
    assert {c.split(";")[-1] for c in contexts(p, "on_other_stack")} == {"inner"}, contexts(p, "on_other_stack")
    equal({c for c in contexts(p, "leaf") if c == "" or c == "with_stacks;resumes"}, {"", "with_stacks;resumes"}, "leaf in main and in resumes")
    equal(contexts(p, "leaf")["with_stacks;resumes"], 126, "leaf in resumes")


def exceptions_keep_the_context():
    p = profile([program("exceptions")])
    equal(contexts(p, "after_catch"), {"catcher": 100}, "after a catch")
    equal(contexts(p, "catcher"), {"": 100}, "in main")
    equal(contexts(p, "leaf")[""], 1, "at the end")
    equal(by_name(p, "calls")["leaf"], 100 + 1 + 25 * (1 + 2 + 3 + 4), "calls of leaf")


def timer_signals_change_no_count():
    quiet, noisy = (by_name(profile([program("contexts"), "x"])) for _ in range(2))
    for name in ("with_timer",):
        equal(quiet[name], noisy[name], name)
    equal(noisy["leaf"] - quiet["leaf"], 0, "leaf")


def a_million_frames_are_bounded():
    raw = os.path.join(work, "deep")
    path = os.path.join(work, "deep.json")
    run("-quiet", "-raw", raw, "-format", "json", "-o", path, "--", program("deep"))
    with open(path) as f:
        p = json.load(f)
    check_sums(p)
    calls = by_name(p, "calls")
    equal((calls["down"], calls["bottom"], calls["after"]), (2000002, 4, 2), "calls")
    assert len(p["nodes"]) < 5000, len(p["nodes"])
    equal({c.split(";")[-1] for c in contexts(p, "after")}, {"run"}, "after the return from all of them")
    equal(by_name(p, "inclusive")["down"] > by_name(p)["down"], True, "what bottom costs is within down")
    raws = glob.glob(raw + ".*.raw")
    equal(len(raws), 1, "raw files")
    assert os.stat(raws[0]).st_blocks * 512 < 64 << 20, os.stat(raws[0])


def a_hundred_thousand_functions_are_bounded():
    p = profile([program("many")])
    calls = by_name(p, "calls")
    equal((len([f for f in calls if re.match(r"f\d+$", f)]), sum(c for f, c in calls.items() if re.match(r"f\d+$", f))), (100000, 400000), "functions, calls")
    assert p["total"] == 100000 * 25 + 900004, p["total"]


# ---- threads and processes ----

def threads_and_children_have_profiles_of_their_own():
    path = os.path.join(work, "t.json")
    run("-quiet", "-format", "json", "-o", path, "--", program("threads"), "child", "exec")
    with open(path) as f:
        root = json.load(f)
    others = []
    for _ in range(100):                  # a child's report may be written a moment after the program has ended
        try:
            others = [json.load(open(o)) for o in glob.glob(path + ".*")]
        except ValueError:
            others = []
        if len(others) == 2:
            break
        time.sleep(0.1)
    equal(len(others), 2, "profiles of children")
    loop = by_name(root)["work"]
    equal(loop, 5 * 1000000 + 24, "work in the parent")
    per_thread = sorted(t["total"] for t in root["threads"])
    equal([round(t / 500000) for t in per_thread[:3]], [0, 1, 2] if per_thread[0] < 250000 else [1, 2, 3], "threads")
    forked = [o for o in others if by_name(o)["work"] == 5 * 777777 + 6]
    equal(len(forked), 1, "work in the child of fork")
    equal(forked[0]["parent"], root["pid"], "its parent")
    equal(sorted(by_name(o)["work"] for o in others)[1], 5 * 1000000 + 24, "work after execve")


def a_killed_program_leaves_its_profile():
    path = os.path.join(work, "k.json")
    p = subprocess.Popen([drprof, "-quiet", "-format", "json", "-o", path, "--", "/bin/sh", "-c", "while :; do :; done"], cwd=work)
    time.sleep(1.5)
    p.send_signal(signal.SIGKILL)
    p.wait()
    for _ in range(100):
        if os.path.exists(path) and os.path.getsize(path) and not subprocess.run(["python3", "-m", "json.tool", path, os.devnull], stderr=subprocess.DEVNULL).returncode:
            break
        time.sleep(0.1)
    with open(path) as f:
        killed = json.load(f)
    check_sums(killed)
    assert killed["total"] > 1000000 and not killed["ended"], (killed["total"], killed["ended"])


# ---- windows ----

def start_and_stop_limit_what_is_counted():
    p = profile([program("contexts")], "-start_at", "with_stacks", "-stop_at", "with_faults")
    calls = by_name(p, "calls")
    equal((calls["resumes"], calls["after_longjmp"], calls["with_faults"]), (63, 0, 1), "calls")
    equal(by_name(p)["with_faults"], 0, "instructions behind the end")


def requests_start_stop_zero_and_dump():
    path = os.path.join(work, "r.json")
    run("-quiet", "-format", "json", "-o", path, "--", program("requests"))
    parts = {}
    for part in glob.glob(path + ".*"):
        with open(part) as f:
            p = json.load(f)
        check_sums(p)
        parts[p["part"]] = by_name(p, "calls")["work"]
    with open(path) as f:
        p = json.load(f)
    equal((parts, by_name(p, "calls")["work"]), ({1: 10, 2: 30}, 1000), "calls of work in each part, and at the end")


def a_nudge_dumps_while_the_program_runs_on():
    path = os.path.join(work, "n.json")
    p = subprocess.Popen([drprof, "-quiet", "-format", "json", "-o", path, "--", program("requests"), "loop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=work)
    p.stdout.readline()
    totals = []
    for n in (1, 2):
        subprocess.run([drprof, "-nudge", str(p.pid)], check=True)
        part = f"{path}.{p.pid}.{n}"
        for _ in range(200):
            time.sleep(0.05)
            try:
                with open(part) as f:
                    totals.append(json.load(f)["total"])
                break
            except (OSError, ValueError):
                pass
        equal(p.poll(), None, "the program")
    p.communicate(b"x")
    equal(p.returncode, 0, "status")
    with open(path) as f:
        totals.append(json.load(f)["total"])
    assert len(totals) == 3 and 0 < totals[0] < totals[1] < totals[2], totals


# ---- formats ----

def callgrind_annotate_accepts_the_file():
    if not shutil.which("callgrind_annotate"):
        sys.exit(SKIP)
    run("-quiet", "--", program("fixed"), status=7)
    out, = glob.glob(os.path.join(work, "callgrind.out.*"))
    for option in ("--inclusive=no", "--inclusive=yes"):
        p = subprocess.run(["callgrind_annotate", option, "--tree=both", "--auto=no", "--threshold=100", out], capture_output=True, text=True)
        equal((p.returncode, p.stderr), (0, ""), "callgrind_annotate")
        assert re.search(r"fixed\.c:indirect", p.stdout), p.stdout
    equal(dict(callgrind_counts(out)), {n: c for n, c in by_name(profile([program("fixed")], status=7)).items() if c}, "self costs in the file")
    inclusive = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", out], capture_output=True, text=True).stdout
    ours = by_name(profile([program("fixed")], status=7), "inclusive")
    for name in ("indirect", "machine", "calls_in_loop", "_start"):
        got = int(re.search(rf"^ *([\d,]+) .*:{name} ", inclusive, re.M)[1].replace(",", ""))
        equal(got, ours[name], f"inclusive cost of {name}")


def fields(data):
    """The fields of a protocol buffer message: (number, value)."""
    at = 0

    def varint():
        nonlocal at
        v = shift = 0
        while True:
            b = data[at]
            at += 1
            v |= (b & 127) << shift
            shift += 7
            if b < 128:
                return v
    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 == 2, key
            n = varint()
            yield key >> 3, data[at:at + n]
            at += n
            assert at <= len(data)


def numbers(data):
    return [v for _, v in fields(b"".join(b"\x08" + bytes(part) for part in split_varints(data)))]


def split_varints(data):
    start = 0
    for i, b in enumerate(data):
        if b < 128:
            yield data[start:i + 1]
            start = i + 1


def pprof_can_be_read():
    path = os.path.join(work, "p.pb.gz")
    run("-quiet", "-format", "pprof", "-o", path, "--", program("fixed"), status=7)
    with gzip.open(path) as f:
        top = list(fields(f.read()))
    strings = [v.decode() for n, v in top if n == 6]
    equal(strings[0], "", "the first string")
    functions = {}
    for f in (dict(fields(v)) for n, v in top if n == 5):
        functions[f[1]] = (strings[f[2]], strings[f.get(4, 0)])
    locations = {}
    for v in (v for n, v in top if n == 4):
        lines = [dict(fields(x)) for k, x in fields(v) if k == 4]
        locations[dict(fields(v))[1]] = [(functions[l[1]][0], l.get(2, 0)) for l in lines]
    self_cost, total = collections.Counter(), 0
    for s in (list(fields(v)) for n, v in top if n == 2):
        ids, value = numbers(dict(s)[1]), numbers(dict(s)[2])[0]
        self_cost[locations[ids[0]][-1][0]] += value
        total += value
        assert all(i in locations for i in ids)
    p = profile([program("fixed")], status=7)
    equal(total, p["total"], "total")
    equal(dict(self_cost), {n: c for n, c in by_name(p).items() if c}, "self costs")
    mappings = [dict(fields(v)) for n, v in top if n == 3]
    assert strings[mappings[0][5]].endswith("drprof_fixed"), "the program's mapping is the first"
    equal(strings[dict(fields(next(v for n, v in top if n == 1)))[1]], "instructions", "sample type")


def flame_graph_formats_agree():
    folded, scope = os.path.join(work, "f.txt"), os.path.join(work, "s.json")
    run("-quiet", "-format", "collapsed", "-o", folded, "-format", "speedscope", "-o", scope, "--", program("fixed"), status=7)
    stacks = {}
    for line in open(folded):
        stack, count = line.rsplit(" ", 1)
        assert stack not in stacks, stack
        stacks[stack] = int(count)
    p = profile([program("fixed")], status=7)
    equal(sum(stacks.values()), p["total"], "total of the stacks")
    assert "_start;calls_in_loop;fib;fib" in stacks and "_start;indirect;mul" in stacks, stacks
    equal(stacks["_start;indirect;sub"], by_name(p)["sub"], "sub in indirect")
    with open(scope) as f:
        s = json.load(f)
    equal(s["$schema"], "https://www.speedscope.app/file-format-schema.json", "schema")
    one, = s["profiles"]
    joined = collections.Counter()
    for stack, weight in zip(one["samples"], one["weights"], strict=True):
        joined[";".join(s["shared"]["frames"][i]["name"] for i in stack)] += weight
    equal(dict(joined), stacks, "stacks")
    equal((one["type"], one["endValue"]), ("sampled", p["total"]), "profile")


def html_needs_nothing_else():
    path = os.path.join(work, "h.html")
    run("-quiet", "-format", "html", "-o", path, "--", program("fixed"), status=7)
    with open(path) as f:
        page = f.read()
    assert not re.search(r"(src|href)=|https?://", page), "it refers to something outside"
    assert page.count("<script>") == 1 and "calls_in_loop" in page and "fixed.c" in page
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium:
        p = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "file://" + path], capture_output=True, text=True, timeout=60)
        assert re.search(r'<div[^>]*title="indirect', p.stdout), "the flame graph was drawn"
        assert re.search(r"<td[^>]*>indirect</td>", p.stdout), "the table was filled"


def annotated_source_has_counts():
    text = run("-annotate", "--", program("fixed"), status=7).stderr.decode()
    assert re.search(r"^ +[\d,]+ +\d+\.\d% +\d+  .*fib\(n - 1\) \+ fib\(n - 2\)", text, re.M), text
    p = profile([program("fixed")], status=7)
    line = max((l for l in p["lines"] if l["file"] and l["file"].endswith("fixed.c")), key=lambda l: l["self"])
    assert f"{line['self']:,}" in text, line


def differences_are_found():
    a, b, page = (os.path.join(work, n) for n in ("a.out", "b.out", "d.html"))
    run("-quiet", "-o", a, "--", program("fixed"), status=7)
    run("-quiet", "-o", b, "--", program("contexts"))
    assert "no function's cost has changed" in run("-diff", a, a).stdout.decode()
    text = run("-format", "html", "-o", page, "-diff", a, b).stdout.decode()
    assert re.search(r"^ +(\d+) +0 +-\1  machine  \(gone\)$", text, re.M), text
    assert re.search(r" 0 +\d+ +\+\d+  with_longjmp  \(new\)$", text, re.M) or "leaf  (new)" in text, text
    assert "<td>machine" in open(page).read()
    run("-diff", a, "/etc/passwd", status=2)


def raw_profiles_are_converted():
    raw, one, two = (os.path.join(work, n) for n in ("raw", "1.json", "2.json"))
    run("-quiet", "-raw", raw, "-format", "json", "-o", one, "--", program("fixed"), status=7)
    file, = glob.glob(raw + ".*.raw")
    run("-quiet", "-format", "json", "-o", two, "-convert", file)
    equal(json.load(open(two)), json.load(open(one)), "the converted profile")
    with open(file, "r+b") as f:
        f.truncate(300000)
    run("-quiet", "-format", "json", "-o", two, "-convert", file)       # gives less, without a crash
    run("-convert", "/etc/passwd", status=2)


def nothing_is_left_behind():
    before = set(glob.glob("/dev/shm/drprof.*") + glob.glob("/tmp/drprof.*"))
    p = run("--", program("fixed"), status=7)
    assert p.stderr.decode().startswith("drprof: "), p.stderr
    equal(p.stdout, b"", "standard output")
    equal(len(os.listdir(work)), 1, "files in the folder")
    mine = set(glob.glob("/dev/shm/drprof.*") + glob.glob("/tmp/drprof.*")) - before
    assert not [m for m in mine if not os.listdir(m)], mine


def the_documented_example_is_true():
    """Same functions, calls and order; the compiler may differ, so that instructions are compared roughly."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/drprof.md")) as f:
        shown = re.search(r"^    \$ drprof -top 3 -- \./words\n(.*?)\n\n", f.read(), re.M | re.S)[1]

    def rows(text):
        return re.findall(r"^ +([\d.]+)% +[\d,]+ +([\d.]+)% +[\d,]+ +([\d,]+)  (\w+)  (\w+\.c)", text, re.M)
    ours = rows(run("-top", "3", "--", program("words")).stderr.decode())
    equal([r[2:] for r in ours], [r[2:] for r in rows(shown)], "calls and functions")
    for got, wanted in zip(ours, rows(shown)):
        assert abs(float(got[0]) - float(wanted[0])) < 12 and abs(float(got[1]) - float(wanted[1])) < 12, (got, wanted)


def bad_options_are_status_2():
    for options in (["-format", "nonsense"], ["-o", "/nowhere/x"], ["-top", "x"], ["-memory", "1K"], ["-nonsense"]):
        equal(run(*options, "--", "/bin/echo", "ran", status=2).stdout, b"", "output")


try:
    globals()[sys.argv[1]]()
finally:
    shutil.rmtree(work, ignore_errors=True)
