#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""cachesim. cachesim_test.py CLAIM DRRUN DIRECTORY-OF-PROGRAMS runs one claim."""
import json, os, re, shutil, subprocess, sys, tempfile

drrun, built = sys.argv[2:4]
work = tempfile.mkdtemp()


def program(name):
    return os.path.join(built, "cachesim_" + name)


def run(options, command, status=0):
    p = subprocess.run([drrun, "-t", "cachesim", *options, "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=work)
    assert p.returncode == status, f"status {p.returncode}: {p.stderr.decode()}"
    return p.stderr.decode()


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def summary(path):
    return [int(n) for n in [l for l in open(path) if l.startswith("summary:")][0].split()[1:]]


CONFIGS = [((32768, 8, 64), (32768, 8, 64), (8388608, 16, 64)), ((1024, 2, 64), (2048, 4, 64), (65536, 8, 64)),
           ((4096, 1, 64), (8192, 2, 64), (262144, 16, 64)), ((2048, 4, 32), (4096, 8, 32), (131072, 8, 32)), ((512, 8, 64), (1024, 16, 64), (65536, 16, 64))]


def ours(i1, d1, ll):
    return ["-line_size", str(ll[2]), "-L1I_size", str(i1[0]), "-L1I_assoc", str(i1[1]), "-L1D_size", str(d1[0]), "-L1D_assoc", str(d1[1]),
            "-LL_size", str(ll[0]), "-LL_assoc", str(ll[1])]


def counts(options, command):
    out = os.path.join(work, "ours")
    run([*options, "-cachegrind", out], command)
    return summary(out)


def counts_equal_cachegrinds():
    if not shutil.which("valgrind"):
        skip("no valgrind")
    for i1, d1, ll in CONFIGS:
        theirs = os.path.join(work, "theirs")
        text = [f"--{name}={','.join(map(str, c))}" for name, c in (("I1", i1), ("D1", d1), ("LL", ll))]
        subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=yes", *text, "--cachegrind-out-file=" + theirs, program("walks")],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        got = counts(ours(i1, d1, ll), [program("walks")])
        equal(got, summary(theirs), f"{i1} {d1} {ll}")


def filtered_and_unfiltered_agree():
    """A TLB takes the emitted code out of the way: every reference comes to the simulator."""
    for i1, d1, ll in CONFIGS[:2]:
        options = ours(i1, d1, ll)
        equal(counts(options + ["-TLB_L1D_entries", "64"], [program("walks")]), counts(options, [program("walks")]))


def annotate_accepts_the_file():
    if not shutil.which("cg_annotate"):
        skip("no cg_annotate")
    out = os.path.join(work, "cg")
    run(["-cachegrind", out], [program("walks")])
    text = subprocess.run(["cg_annotate", out], check=True, stdout=subprocess.PIPE).stdout.decode()
    assert re.search(r"PROGRAM TOTALS", text) and re.search(r":(walk|anywhere|chase)", text), text


def every_policy_runs():
    misses = {}
    for policy in ("LRU", "FIFO", "RANDOM", "PLRU"):
        misses[policy] = counts(["-replace_policy", policy, "-L1D_size", "4K"], [program("walks")])
    for c in misses.values():
        equal([c[0], c[3], c[6]], [misses["LRU"][i] for i in (0, 3, 6)], "references")
    assert len({tuple(c) for c in misses.values()}) == 4, misses


def core_lines(text):
    return [(int(n), int(t)) for n, t in re.findall(r"Core #(\d+) \((\d+) thread\(s\)\)", text)]


def threads_have_their_cores():
    text = run([], [program("threads")])
    equal(sum(t for _, t in core_lines(text)), 5)
    equal(len(core_lines(text)), 4)
    one = run(["-cores", "1"], [program("threads")])
    equal(core_lines(one), [(0, 5)])
    eight = run(["-cores", "8", "-coherence"], [program("threads")])
    assert "Writes that invalidated" in eight, eight


def json_and_cachegrind_file_agree():
    run(["-json", "j", "-cachegrind", "c"], [program("walks")])
    j = json.load(open(os.path.join(work, "j")))
    totals = list(j["totals"].values())
    equal(totals, summary(os.path.join(work, "c")))
    for i, name in enumerate(j["totals"]):
        equal(sum(f[name] for f in j["functions"]), totals[i], name)
    core = j["cores"][0]
    equal([core["fetches"], core["reads"], core["writes"]], [totals[0], totals[3], totals[6]])
    equal(core["L1D_misses"], totals[4] + totals[7])


def counts_by_instruction_add_up():
    run(["-counts", "n"], [program("walks")])
    sums = [0] * 9
    for l in open(os.path.join(work, "n")):
        if l.startswith("insn "):
            sums = [a + int(b) for a, b in zip(sums, l.split()[3:])]
    equal(sums, summary(os.path.join(work, "n")))


def warm_up_and_limits_count_what_they_say():
    for options, refs in ((["-sim_refs", "1000"], 1000), (["-skip_refs", "500", "-sim_refs", "2000"], 2000), (["-warmup_refs", "100000", "-sim_refs", "300"], 300)):
        c = counts(options, [program("walks")])
        equal(c[0] + c[3] + c[6], refs, str(options))


def bad_options_are_status_2():
    for options in (["-L1D_size", "1000"], ["-LL_assoc", "0"], ["-cores", "0"], ["-line_size", "48"], ["-replace_policy", "XYZ"]):
        text = run(options, ["/bin/true"], status=2)
        assert text, options


def the_documents_example_is_true():
    doc = open(os.path.join(os.path.dirname(__file__), "../../docs/cachesim.md")).read()
    example = re.search(r"\$ drrun -t cachesim (.*) -- walks\n(.*?)```", doc, re.S)
    equal(run(example[1].split(), [program("walks")]), example[2].replace("walks!", "cachesim_walks!"))


globals()[sys.argv[1]]()
