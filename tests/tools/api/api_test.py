#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The tool API by its test tools. api_test.py CLAIM DRRUN DIRECTORY-OF-TOOLS-AND-PROGRAMS runs one claim."""
import os, re, subprocess, sys

drrun, built = sys.argv[2:4]


def tool(name):
    return os.path.join(built, "libapi_" + name + ".so")


def program(name, *args):
    return [os.path.join(built, "api_program_" + name), *args]


def run(tools, command, status=0):
    """(stdout, stderr) of a command under tools, each a name or a list of a name and options."""
    line = [drrun]
    for t in tools:
        name, *options = [t] if isinstance(t, str) else t
        line += ["-t", tool(name) if name != "bbcount" else name, *options]
    p = subprocess.run(line + ["--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert p.returncode == status, f"status {p.returncode}, not {status}: {p.stdout.decode()}{p.stderr.decode()}"
    return p.stdout.decode(), p.stderr.decode()


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def system_calls_are_changed_and_skipped():
    out, _ = run(["syscalls"], program("syscalls"))
    equal(out, "getuid 4242 1\ngetgid 1 1\ngetppid 1 1\n+abc\nwrite 5 1\n1234\nr15 77\n")


def bbcount_of(err):
    return [int(n) for n in re.search(r"(\d+) basic blocks executed, (\d+) distinct\n +(\d+) instructions", err).groups()]


def any_instruction_can_be_inserted():
    if "avx2" not in open("/proc/cpuinfo").read():
        print("skipped: no AVX2")
        sys.exit(77)
    mix = [os.path.join(built, "../bbcount/bbcount_mix")]
    blocks = bbcount_of(run(["bbcount"], mix, status=9)[1])[0]
    equal(run(["encode"], mix, status=9)[1], "encode: %d %d %d %d\n" % ((blocks,) * 4))
    out, _ = run(["encode"], ["/usr/bin/python3", "-c", "print(sum(i * 0.5 for i in range(100000)))"])
    equal(out, "2499975000.0\n")


def modes_change_and_counts_stay():
    mix = [os.path.join(built, "../bbcount/bbcount_mix")]
    alone = bbcount_of(run(["bbcount"], mix, status=9)[1])
    for way in (["mode"], ["mode", "-inline"]):
        _, err = run([way], mix, status=9)
        ran = [int(n) for n in re.search(r"mode: (\d+) (\d+) (\d+)", err).groups()]
        assert min(ran) > 200000 and abs(max(ran) - min(ran)) <= 1000, ran
        for tools in ([way, "bbcount"], ["bbcount", way]):
            equal(bbcount_of(run(tools, mix, status=9)[1]), alone, f"bbcount of {tools}")


def signals_are_changed_suppressed_and_redirected():
    out, err = run(["signals"], program("signals"))
    equal(out, "usr1 1 value 7 usr2 0 segv 1 rcx 99\n")
    equal(err, "signals: USR1 1 USR2 3 TERM 2 SEGV 2\n")


globals()[sys.argv[1]]()
