#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The tool API by its test tools. api_test.py CLAIM DRRUN DIRECTORY-OF-TOOLS-AND-PROGRAMS runs one claim."""
import os, re, shutil, signal, subprocess, sys, tempfile, time

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


OPERANDS = """r 4 0x20000008|w 2 0x20000030|rw 1 0x1ffffff8|r 8 0x20000810|w 8 0x20000804|w 8 0x20000914|w 8 0x20000820|r 1 0x20000055
w 8 0x300007f8|r 8 0x20000000|w 8 0x300007f0|r 8 0x300007f0|w 8 0x30000800|r 8 0x30000800|w 8 0x300007f0|r 2 0x300007f0|w 2 0x300007f0
w 8 0x300007e8|r 8 0x300007e8|r 1 0x20000100|w 1 0x20000200|r 8 0x20000101|w 8 0x20000201|r 4 0x20000109|r 2 0x2000010d|r 2 0x20000209
w 4 0x2000020b|w 1 0x20000207|r 1 0x20000034|rw 8 0x1ffffff8|r 4 0x20000108|r 2 0x20000008|rw 4 0x20000000|rw 16 0x20000100|r 16 0x20000200
w 16 0x2000020a|r 8 0x20000008|w 4 0x20000004|w 512 0x20000000|r 10 0x20000010|w 4 0x20000010|r 4 0x20000008|r 4 0x20000008|w 8 0x300007e8
r 16 0x300003f0|w 32 0x300007c8|r 8 0x300007e0|rw 4 0x20000000"""
VECTOR_OPERANDS = "r 16 0x20000000|r 4 0x20000e3c|r 4 0x2000003c|r 4 0x20000048|r 4 0x2000004c|r 16 0x20000000|r 8 0x20000038|w 32 0x20000000"


def program_memory_is_seen_among_the_regions():
    _, err = run(["places"], ["/bin/echo"])
    equal(err, "places: as they should be\n" * 2)


def forks_are_told_of_before_and_after():
    out, err = run(["places"], ["/bin/sh", "-c", "echo $(echo a) $(echo b)"])
    equal(out, "a b\n")
    assert "places: 2 forks begun, 2 ended" in err, err


def memory_operands_have_their_addresses():
    wanted = re.split("[|\n]", OPERANDS) + (VECTOR_OPERANDS.split("|") if "avx2" in open("/proc/cpuinfo").read() else [])
    _, err = run(["memory"], program("memory"))
    equal([l for l in err.splitlines() if not l.startswith("memory:")], wanted)
    assert "memory: all agree" in err, err
    out, err = run(["memory"], ["/usr/bin/python3", "-S", "-c", "print(sum(i * 0.5 for i in range(1000)))"])
    equal(out, "249750.0\n")
    assert "memory: all agree, many by emitted code" in err, err


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


def threads_stop_and_translations_are_flushed():
    for _ in range(2):
        out, _ = run(["control"], program("control"))
        equal(out, "named 2\nstopped, wrong 0\nreleased 1\nnudged 3\n1 5 1 1 results\n"
              "way 0: flushed, 1 more\nway 1: flushed, 1 more\nway 2: flushed, 1 more\nheap 1\n")


def modes_change_and_counts_stay():
    mix = [os.path.join(built, "../bbcount/bbcount_mix")]
    alone = bbcount_of(run(["bbcount"], mix, status=9)[1])
    for way in (["mode"], ["mode", "-inline"]):
        _, err = run([way], mix, status=9)
        ran = [int(n) for n in re.search(r"mode: (\d+) (\d+) (\d+)", err).groups()]
        assert min(ran) > 200000 and abs(max(ran) - min(ran)) <= 1000, ran
        for tools in ([way, "bbcount"], ["bbcount", way]):
            equal(bbcount_of(run(tools, mix, status=9)[1]), alone, f"bbcount of {tools}")


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    found = re.search(r"Build ID: (\w+)", notes)
    return found.group(1) if found else "none"


def modules_come_and_go_as_the_linker_says():
    library = os.path.join(built, "libapi_module.so")
    copy = tempfile.mkdtemp() + "/copy.so"
    shutil.copy(library, copy)
    out, err = run([["modules", "-module_function", "-memcpy", "-main"]], program("modules", library, copy, library))
    shutil.rmtree(os.path.dirname(copy))
    # Each time it asks, the linker's list and the engine's are the same.
    for theirs, ours in zip(out.split("asked")[1:], err.split("asked")[1:]):
        wanted = {(bias, os.path.realpath(path) if path.startswith("/") else "") for bias, path in re.findall(r"present bias (\S+) (.*)", theirs)}
        flags = r"( program| interpreter| vdso)? (.*)"
        got = {(bias, "" if kind in (" program", " vdso") else path) for bias, kind, path in
               re.findall(r"present \d+ bias (\S+) id \w+" + flags, re.sub(r"(?m)^(un)?load.*", "", ours))}
        equal({(b, "" if "vdso" in p else p) for b, p in wanted}, got, "modules")
    loads = re.findall(r"(?m)^load (\d+) bias 0x\w+ id (\w+)(.*) (\S+)$", err)
    equal([l[2] for l in loads[:3]], [" program", " interpreter", " vdso"])
    for _, ident, _, path in loads:
        if path.startswith("/") and os.path.exists(path):
            equal(ident, build_id(path), path)
    equal([os.path.basename(p) for p in re.findall(r"(?m)^unload .* (\S+)$", err)], ["libapi_module.so", "copy.so", "libapi_module.so"])
    ids = [l[0] for l in loads if l[3] in (library, copy)]
    equal(len(set(ids)), 3)
    # The program's own address of the function is the tool's.
    functions = re.findall(r"function (0x\w+) 42", out)
    equal(functions, [re.search(rf"address module_function in {i} (0x\w+)", err).group(1) for i in ids])
    equal(re.findall(r"asked (\d+)", out), ["1"] + [i for k in ids for i in (k, k, "0")])
    equal(re.findall(r"asked \d+ (\S+)", err)[:2], ["main", "module_function"])
    libc = next(l[0] for l in loads if os.path.basename(l[3]) == "libc.so.6")
    types = re.findall(rf"symbol memcpy in {libc} at 0x\w+ size \d+ type (\d+) dynamic( old)?", err)
    assert ("10", "") in types, types            # an IFUNC under its current version


def stripped_and_static_programs_have_their_symbols():
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/p.c", "w") as f:
            f.write("int exported = 3; int visible(void) { return exported; } int main(void) { return visible(); }\n")
        for flags, stripped, found in (["-static"], False, True), (["-static-pie"], False, True), (["-static"], True, False), (["-rdynamic"], True, True), ([], True, False):
            subprocess.run(["cc", "-g0", "-o", d + "/p", d + "/p.c", *flags], check=True)
            if stripped:
                subprocess.run(["strip", d + "/p"], check=True)
            _, err = run([["modules", "-visible", "-exported"]], [d + "/p"], status=3)
            equal(bool(re.search(r"address visible in 1 0x[1-9a-f]", err)), found, f"{flags} {stripped}")
            equal(bool(re.search(r"address exported in 1 0x[1-9a-f]", err)), found, f"{flags} {stripped}")
            equal(len(re.findall("(?m)^load", err)), 2 if "-static" in flags or "-static-pie" in flags else 4)


def filters_of_system_calls_meet_none_of_ours():
    p = subprocess.run([drrun, "-t", tool("nudge"), "-at_exit", "--", *program("confined")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode == 77:
        print("skipped: no filters here")
        sys.exit(77)
    equal((p.returncode, p.stdout, p.stderr), (0, b"confined\n", b"nudge: ready\nnudge: end, 2 threads, regions not known\n"))
    _, err = run([["nudge", "-at_exit"]], ["/bin/true"])
    equal(err, "nudge: ready\nnudge: end, 1 threads, regions known\n")


def nudges_reach_programs_that_sleep():
    """However a program sleeps, a nudge is told to the tool at once, and the program does not notice."""
    python = ["/usr/bin/python3", "-c"]
    sleepers = [
        ["/bin/cat"],
        ["/bin/sh", "-c", "read line; echo $line"],
        python + ["import signal, sys\nprint(signal.sigtimedwait(signal.valid_signals() - {9, 19}, 20).si_signo == 15)"],
        python + ["import signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nprint(sys.stdin.readline(), end='')"],
        python + ["import select, sys\nprint(len(select.select([sys.stdin], [], [])[0]), sys.stdin.readline(), end='')"],
        python + ["import sys, threading\nt = threading.Thread(target=sys.stdin.readline)\nt.start()\nt.join()\nprint('yes')"],
        python + ["import select, sys\np = select.epoll()\np.register(0)\nwhile not select.select([sys.stdin], [], [], 0)[0]: pass\nprint(sys.stdin.readline(), end='')"],
    ]
    for command in sleepers:
        waits_for_signal = "sigtimedwait" in command[-1]
        if waits_for_signal:
            command[-1] = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nprint('ready', flush=True)\n" + command[-1]
        p = subprocess.Popen([drrun, "-t", tool("nudge"), "--", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert p.stderr.readline() == b"nudge: ready\n"
        if waits_for_signal:
            equal(p.stdout.readline(), b"ready\n")
        time.sleep(0.2)
        for n in range(1, 4):
            subprocess.run([drrun, "-nudge", str(p.pid)], check=True)
            equal(p.stderr.readline(), b"nudge: %d, argument 0\n" % n, command)
        if waits_for_signal:
            p.send_signal(signal.SIGTERM)
        out, err = p.communicate(b"yes\n")
        equal((p.returncode, err), (0, b""), command)
        assert out.strip() in (b"yes", b"1 yes", b"True"), (command, out)


def requests_of_the_program_are_answered():
    alone = "running on 0\narguments 5\nunknown 42\nloop 0\neverywhere 0\ncame 0\ndiscarded 3\n"
    answered = "running on 1\narguments 12345\nunknown 42\nloop 10000\neverywhere 12\ncame 10025\ndiscarded 3\n"
    for tools, wanted in ([], alone), (["bbcount"], alone), (["requests"], answered), (["requests", "bbcount"], answered), (["mode", "requests"], answered):
        out, _ = run(tools, program("requests"))
        equal(out, wanted, tools)


def signals_are_changed_suppressed_and_redirected():
    out, err = run(["signals"], program("signals"))
    equal(out, "usr1 1 value 7 usr2 0 segv 1 rcx 99\n")
    equal(err, "signals: USR1 1 USR2 3 TERM 2 SEGV 2\n")


globals()[sys.argv[1]]()
