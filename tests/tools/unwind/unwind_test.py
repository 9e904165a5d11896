#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The unwinder against the call stacks that shadow.c keeps. unwind_test.py CLAIM DRRUN TOOL WORK-DIRECTORY runs one claim."""
import os, re, shutil, subprocess, sys

drrun, shadow, work = sys.argv[2:5]
programs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")


def build(source, name, compiler, *flags):
    if not shutil.which(compiler):
        print("skipped: no", compiler)
        sys.exit(77)
    out = os.path.join(work, name)
    subprocess.run([compiler, "-o", out, os.path.join(programs, source), *flags], check=True)
    return out


def compared(command, stdout=None, again=True):
    """Runs a command under the tool: what it compared, nothing of which differs."""
    p = subprocess.run([drrun, "-t", shadow, *(["-again"] if again else []), "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    assert p.returncode == 0, f"status {p.returncode}: {p.stderr}"
    assert stdout is None or p.stdout == stdout, p.stdout
    for m in re.finditer(r"(\d+) falsely the same", p.stderr):
        assert m.group(1) == "0", p.stderr
    return [[int(n) for n in m] for m in re.findall(r"unwind: (\d+) stacks, (\d+) frames, (\d+) differ, (\d+) in jumps", p.stderr)], p.stderr


def exact(command, stdout=None, least=10000):
    runs, err = compared(command, stdout)
    assert len(runs) == 1 and runs[0][0] >= least and runs[0][2] == 0, err
    assert runs[0][3] <= 600, f"{runs[0][3]} stacks in longjmp and exceptions: {err}"


def stacks_of_compiled_code_are_exact(compiler):
    for flags in (["-O0"], ["-O1", "-fomit-frame-pointer"], ["-O2", "-fcf-protection", "-Wl,-z,lazy"], ["-O3", "-march=haswell", "-static"], ["-Os", "-fno-omit-frame-pointer"]):
        name = compiler.strip("+") + "".join(flags[0])
        exact([build("calls.cpp", name, compiler, *flags)], "text 42 3.250 1\n")


def stacks_of_gcc_code_are_exact():
    stacks_of_compiled_code_are_exact("g++")


def stacks_of_clang_code_are_exact():
    stacks_of_compiled_code_are_exact("clang++")


def stacks_without_a_search_table_are_exact():
    exact([build("calls.cpp", "notable", "g++", "-O2", "-static", "-Wl,--no-eh-frame-hdr", "-D_FORTIFY_SOURCE=0")], "text 42 3.250 1\n")


def stacks_through_signal_frames_are_exact():
    for flags in (["-O2"], ["-O0"]):
        exact([build("signals.c", "signals" + flags[0], "gcc", *flags, "-pthread")], "1\n")


def stacks_of_installed_programs_are_exact():
    exact(["/usr/bin/perl", "-e", "print join(',', sort { $a <=> $b } map { $_ * 7 % 31 } 1..200), qq(\\n)"])
    exact(["/bin/bash", "-c", "for i in 1 2 3 4 5; do echo $((i * i)); done"])


def coroutines_and_damaged_stacks_end_somewhere():
    compared([build("signals.c", "coroutines", "gcc", "-O2", "-pthread"), "x"], "1\n", again=False)
    compared([build("damaged.c", "damaged", "gcc", "-O1", "-fno-stack-protector")], "done\n")


os.makedirs(work, exist_ok=True)
globals()[sys.argv[1]]()
