#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""memtrace. memtrace_test.py CLAIM DRRUN DIRECTORY-OF-PROGRAMS runs one claim."""
import glob, json, os, random, re, shutil, signal, subprocess, sys, tempfile

drrun, built = sys.argv[2:4]
work = tempfile.mkdtemp()
walks, threads = (os.path.join(built, "../cachesim/cachesim_" + n) for n in ("walks", "threads"))


small = os.path.join(built, "memtrace_walks")


def program(name):
    return os.path.join(built, "memtrace_" + name)


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def trace(command, *options, status=0):
    """The path of the program's own trace; all of them in traces()."""
    p = subprocess.run([drrun, "-t", "memtrace", "-outdir", work, *options, "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == status, f"status {p.returncode}: {p.stderr.decode()}"
    return re.search(r"tracing into (\S+)", p.stderr.decode())[1], p.stderr.decode()


def show(path, *options, status=0):
    p = subprocess.run([drrun, "-t", "memtrace", *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == status, f"status {p.returncode}: {p.stderr.decode()}"
    return p.stdout.decode() if status == 0 else p.stderr.decode()


def view(path):
    return json.loads(show(path, "-json", "-view"))


def references(path):
    return [l for l in show(path, "-list").splitlines() if not l.startswith("#")]


def lackeys(command):
    if not shutil.which("valgrind"):
        skip("no valgrind")
    log = os.path.join(work, "lackey")
    subprocess.run(["valgrind", "--tool=lackey", "--trace-mem=yes", "--log-file=" + log, *command], check=True)
    return [re.sub("^I  *", "I  ", l) for l in open(log).read().splitlines() if re.match("(I | L| S| M)", l)]


def references_equal_lackeys():
    path, _ = trace([small])
    got, wanted = references(path), lackeys([small])
    for i, (g, w) in enumerate(zip(got, wanted)):
        equal(g, w, f"reference {i}")
    equal(len(got), len(wanted))


def string_instructions_equal_lackeys():
    """Data only: lackey has an instruction for every element. It reads cmps's second operand first."""
    path, _ = trace([program("strings")])
    got, wanted = ([r for r in refs if r[0] != "I"] for refs in (references(path), lackeys([program("strings")])))
    equal(sorted(got), sorted(wanted))
    no_bytes_read = lambda refs: [r for r in refs if not re.match(" L .*,1$", r)]
    equal(no_bytes_read(got), no_bytes_read(wanted))


def threads_keep_their_order():
    path, _ = trace([threads])
    by_thread = re.split(r"# thread \d+\n", show(path, "-list"))[1:]
    equal(len(by_thread), 5)
    for text in by_thread[1:]:
        lines = text.splitlines()
        assert lines[0].startswith("# thread starts") and lines[-1].startswith("# thread exits"), (lines[0], lines[-1])
        stores = [int(l.split()[1].split(",")[0], 16) for l in lines if l[:2] in (" S", " M") and l.endswith(",1")]
        stores = [a for i, a in enumerate(stores) if not i or a != stores[i - 1]]
        runs = best = 0
        for a, b in zip(stores, stores[1:]):
            runs = runs + 1 if b == a + 64 else 0
            best = max(best, runs)
        equal(best, 1023, "longest run of stores 64 bytes apart")


def faults_and_signals_count_as_they_ran():
    faults = os.path.join(built, "../tools/bbcount/bbcount_faults")
    p = subprocess.run([drrun, "-t", "bbcount", "-top", "0", "--", faults], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    instructions = int(re.search(r"(\d+) instructions", p.stderr.decode())[1])
    path, _ = trace([faults], status=p.returncode)
    v = view(path)
    equal(v["totals"]["instructions"], instructions)
    assert v["totals"]["signals"] > 0, v


def killed_programs_leave_their_traces():
    p = subprocess.Popen([drrun, "-t", "memtrace", "-outdir", work, "--", program("forever")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal(p.stdout.readline(), b"ready\n")
    p.send_signal(signal.SIGKILL)
    p.wait()
    v = view(glob.glob(work + "/*.trace")[0])
    assert not v["complete"] and v["totals"]["instructions"] > 10_000_000, v
    assert v["damaged"] <= 1, v


def damage_costs_the_damaged_chunks_only():
    path, _ = trace([small])
    whole = view(path)
    data = open(path, "rb").read()
    rng = random.Random(1)
    bad = os.path.join(work, "bad")
    for n in range(60):
        d = bytearray(data)
        way = n % 3
        if way == 0:
            d = d[:rng.randrange(len(d))]
        elif way == 1:
            for _ in range(3):
                d[rng.randrange(len(d))] ^= 1 << rng.randrange(8)
        else:
            at = rng.randrange(len(d))
            d[at:at + rng.randrange(5000)] = bytes(rng.randrange(256) for _ in range(rng.randrange(5000)))
        open(bad, "wb").write(d)
        p = subprocess.run([drrun, "-t", "memtrace", "-json", "-view", bad], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert p.returncode in (0, 2), (n, p.returncode)
        if p.returncode == 0:
            assert json.loads(p.stdout)["totals"]["instructions"] <= whole["totals"]["instructions"], n
        else:
            assert b"is no trace" in p.stderr, p.stderr
    d = bytearray(data)
    d[len(d) // 2] ^= 1
    open(bad, "wb").write(d)
    v = view(bad)
    assert v["damaged"] == 1 and v["totals"]["instructions"] > whole["totals"]["instructions"] // 2, v


def forged_payloads_do_no_harm():
    """Checksums put right, so that what is inside is looked at."""
    import struct, zlib
    path, _ = trace([program("strings")])
    data = open(path, "rb").read()
    rng = random.Random(2)
    bad = os.path.join(work, "bad")
    for n in range(150):
        out, at = bytearray(), 0
        while at < len(data):
            head = bytearray(data[at:at + 40])
            raw, stored = struct.unpack_from("<II", head, 12)
            payload = data[at + 40:at + 40 + stored]
            if head[4] in (3, 4):
                body = bytearray(payload if raw == stored else zlib.decompress(payload))
                for _ in range(rng.randrange(4)):
                    body[rng.randrange(len(body))] = rng.randrange(256)
                payload = bytes(body)
                struct.pack_into("<II", head, 12, len(body), len(body))
            struct.pack_into("<II", head, 20, zlib.crc32(payload), 0)
            struct.pack_into("<I", head, 24, zlib.crc32(bytes(head)))
            out += head + payload
            at += 40 + stored
        open(bad, "wb").write(out)
        p = subprocess.run(f"'{drrun}' -t memtrace -list '{bad}' | head -c 1000000 >/dev/null; exit ${{PIPESTATUS[0]}}", shell=True,
                           executable="/bin/bash", stderr=subprocess.PIPE, timeout=20)
        assert p.returncode in (0, 2, 141), (n, p.returncode, p.stderr)


def windows_hold_what_they_say():
    path, _ = trace([small])
    all_of_it = [r for r in references(path) if r.startswith("I")]
    path, _ = trace([small], "-trace_after_instrs", "5000", "-trace_for_instrs", "1000")
    some = [r for r in references(path) if r.startswith("I")]
    at = next(i for i in range(5000, 5200) if all_of_it[i:i + len(some)] == some)
    assert 5000 <= at < 5100 and 900 < len(some) <= 1100, (at, len(some))


def size_limits_end_the_trace_and_not_the_program():
    path, err = trace([small], "-max_trace_size", "20000")
    assert "-max_trace_size" in err and os.path.getsize(path) <= 20000 + 40, err
    assert view(path)["totals"]["instructions"] > 1000


def children_have_traces_of_their_own():
    trace(["/bin/sh", "-c", "/bin/true; (exit 0) & wait"])
    paths = glob.glob(work + "/*.trace")
    assert len(paths) >= 3, paths
    for p in paths:
        v = view(p)
        assert v["damaged"] == 0 and v["totals"]["instructions"] > 100, (p, v["totals"])


def the_library_reads_what_view_counts():
    path, _ = trace([walks])
    t = view(path)["totals"]
    out = subprocess.run([program("reader"), path], check=True, stdout=subprocess.PIPE).stdout.decode().split()
    equal(out, [str(t["instructions"] + t["reads"] + t["writes"] + t["modifies"]), str(t["blocks"]), "1"])


def bad_files_and_options_are_status_2():
    show("/dev/null", "-view", status=2)
    show("/no/such/file", "-view", status=2)
    p = subprocess.run([drrun, "-t", "memtrace", "-outdir", "/no/such/folder", "--", "/bin/true"], stderr=subprocess.PIPE)
    equal(p.returncode, 2)


def the_documents_example_is_true():
    doc = open(os.path.join(os.path.dirname(__file__), "../../docs/memtrace.md")).read()
    example = re.search(r"\$ drrun -t memtrace -view (\S+)\n(.*?)```", doc, re.S)[2]
    path, _ = trace([walks])
    got = show(path, "-view").replace(walks, "walks").replace(os.path.realpath(walks), "walks")
    forget = lambda s: re.sub(r"0\.\d+ bytes of file", "BYTES of file", re.sub(r"Trace of .*walks:", "Trace of walks:", s))
    equal(forget(got), forget(example))


globals()[sys.argv[1]]()
shutil.rmtree(work)
