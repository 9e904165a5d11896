#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""bbcount's counts, report and options. bbcount_test.py CLAIM DRRUN DIRECTORY-OF-PROGRAMS runs one claim."""
import json, os, re, shutil, struct, subprocess, sys, tempfile, time

drrun, programs = sys.argv[2:4]
work = tempfile.mkdtemp(prefix="bbcount-test.")
json_file = os.path.join(work, "counts.json")


def program(name):
    return os.path.join(programs, "bbcount_" + name)


def run(command, *options, engine=(), status=0):
    p = subprocess.run([drrun, *engine, "-t", "bbcount", *options, "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert p.returncode == status, f"status {p.returncode}, not {status}: {p.stderr.decode()}"
    return p


def counts(command, status=0):
    """The JSON report of a run, and what the program printed."""
    p = run(command, "-json", json_file, engine=["-quiet"], status=status)
    with open(json_file) as f:
        return json.load(f), p.stdout


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {got}, not {wanted}"


def fixed_program_has_its_known_counts():
    c, _ = counts([program("fixed")], status=7)
    equal(c["blocks"], 1031, "blocks")
    equal(c["distinct_blocks"], 6, "distinct blocks")
    equal(c["instructions"], 3055, "instructions")
    equal(len(c["threads"]), 1, "threads")
    equal(sorted((b["instructions"], b["count"]) for b in c["hottest"]), [(1, 10), (2, 10), (2, 10), (3, 1), (3, 999), (5, 1)], "blocks")
    f = [b for b in c["hottest"] if b["symbol"] == "f"]
    equal([(b["count"], b["symbol_offset"]) for b in f], [(10, 0)], "the function f")


def json_and_text_agree():
    text = run([program("fixed")], "-json", json_file, status=7).stderr.decode()
    with open(json_file) as f:
        c = json.load(f)
    equal(c["schema"], 1, "schema")
    equal([c[k] for k in ("blocks", "distinct_blocks", "instructions")],
          [int(n) for n in re.search(r"(\d+) basic blocks executed, (\d+) distinct\n +(\d+) instructions", text).groups()], "totals")
    listed = re.findall(r"^ +(\d+) +(\d+)  bbcount_fixed\+(0x[0-9a-f]+)", text, re.M)
    equal([(int(a), int(b), o) for a, b, o in listed], [(b["count"], b["instructions"], b["offset"]) for b in c["hottest"]], "hottest blocks")


def top_limits_the_list():
    for n in (0, 2):
        text = run([program("fixed")], "-top", str(n), "-json", json_file, status=7).stderr.decode()
        with open(json_file) as f:
            equal(len(json.load(f)["hottest"]), n, "JSON entries")
        equal(text.count("bbcount_fixed+"), n, "lines")


def threads_lose_nothing():
    for _ in range(20):
        c, _ = counts([program("threads")])
        own = sorted(t["instructions"] for t in c["threads"])
        equal(own, sorted([4 + 8 * 11 + 2] + [2 + 2 * 100000 * (k + 1) + 2 for k in range(8)]), "instructions by thread")
        equal(sum(own), c["instructions"], "their sum")
        equal(sum(t["blocks"] for t in c["threads"]), c["blocks"], "the sum of blocks")


def signals_change_no_count():
    c, out = counts([program("storm")])
    signals, = struct.unpack("<Q", out)
    assert signals > 50, f"only {signals} signals"
    equal(c["instructions"] - 4 * signals, 25 + 5 * 60000000, f"instructions beside those of {signals} signals")


def faults_count_what_ran():
    c, _ = counts([program("faults")])
    equal(c["instructions"], 7 + 1000 * (3 + 2 + 2 + 2) + 3, "instructions")


def fork_children_have_their_own_counts():
    text = run([program("forks")], "-top", "0").stderr.decode()
    found = [int(n) for n in re.findall(r"(\d+) instructions$", text, re.M)]
    equal(found, [2 + 1 + 1000 + 3, 1 + 2000 + 4 + 6 + 1 + 400 + 3], "instructions of the child, then of the parent")


def instructions_equal_callgrind():
    if not shutil.which("valgrind"):
        print("skipped: no valgrind")
        sys.exit(77)
    # Callgrind leaves out the block whose system call ends the process: it counts blocks as they end.
    for name, last, status in (("fixed", 3, 7), ("mix", 5, 9)):
        out = os.path.join(work, "callgrind.out")
        subprocess.run(["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + out, program(name)], check=False, stderr=subprocess.DEVNULL)
        with open(out) as f:
            ir = int(re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M)[1])
        c, _ = counts([program(name)], status=status)
        equal(c["instructions"], ir + last, name)


def symbols_of_the_c_library_are_shown():
    source = os.path.join(work, "s.c")
    with open(source, "w") as f:
        f.write("#include <stdlib.h>\nint main(void) { unsigned s = 1; for (int i = 0; i < 500000; i++) s += rand_r(&s); return s == 1; }\n")
    subprocess.run(["cc", "-O1", "-o", os.path.join(work, "s"), source], check=True)
    text = run([os.path.join(work, "s")], "-top", "3").stderr.decode()
    assert re.search(r"libc\.so\.6\+0x[0-9a-f]+  rand_r\+0x0$", text, re.M), text


def bad_options_are_status_2():
    for options in (["-nonsense"], ["-top"], ["-top", "1001"], ["-top", "x"]):
        err = run(["/bin/echo", "ran"], *options, status=2).stderr.decode()
        equal(err.count("\n"), 1, f"lines of {err!r}")


def unwritable_json_keeps_the_status():
    p = run([program("fixed")], "-json", "/nonexistent/x", "-top", "0", status=7)
    assert b"cannot create /nonexistent/x" in p.stderr, p.stderr


def full_disk_is_reported():
    p = run([program("fixed")], "-json", "/dev/full", status=7)
    assert b"cannot write all of /dev/full" in p.stderr, p.stderr


def quiet_is_silent():
    p = run(["/bin/echo", "ran"], engine=["-quiet"])
    equal((p.stdout, p.stderr), (b"ran\n", b""), "output")


def report_reaches_stderr_though_the_program_closes_it():
    for how in ("exec 2>&-", "exec 2>/dev/null"):
        p = run(["/bin/sh", "-c", how + "; echo ran"])
        equal(p.stdout, b"ran\n", "output")
        assert b"basic blocks executed" in p.stderr, p.stderr


def children_that_close_stderr_do_not_keep_it_open():
    begun = time.monotonic()
    p = run(["/bin/sh", "-c", "exec 3>&2; exec 2>&-; exec 2>&3 3>&-; (exec >&- 2>&- </dev/null; sleep 20) & exit 0"])
    took = time.monotonic() - begun
    assert b"basic blocks executed" in p.stderr, p.stderr
    assert took < 15, f"stderr was open for {took} s"


def drrun_runs_below_drrun():
    p = run([drrun, "-t", "bbcount", "-top", "0", "--", program("fixed")], "-top", "0", status=7)
    equal(re.findall(rb"(\d+) basic blocks executed, (\d+) distinct", p.stderr), [(b"1031", b"6")], "the inner one's counts, and no others")


try:
    globals()[sys.argv[1]]()
finally:
    shutil.rmtree(work)
