#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`ctest -T memcheck` of a real project, through drmemory and through a command whose name contains valgrind.
ctest_test.py CLAIM BUILD-TREE DIRECTORY-OF-TOOLS-AND-PROGRAMS TOOL.opt

The tool `errors` stands in drmemory's place, so that the program says what is found."""
import base64, glob, os, re, shutil, subprocess, sys, tempfile, zlib
import xml.etree.ElementTree as ElementTree

build, built, opt = sys.argv[2:5]
program = os.path.join(built, "reports_program")
work = tempfile.mkdtemp(prefix="ctest.")
environment = dict(os.environ, XDG_STATE_HOME=work + "/state", HOME=work)

PROJECT = """cmake_minimum_required(VERSION 3.16)
project(example NONE)
include(CTest)
add_test(NAME clean COMMAND %(p)s exit 0)
add_test(NAME reads COMMAND %(p)s drmemory 0 1 0x5010 0 drmemory 1 1 0 0)
add_test(NAME frees COMMAND %(p)s drmemory 4 1 0x5000 2)
add_test(NAME leaks COMMAND %(p)s drmemory 6 1 1 0)
add_test(NAME child COMMAND %(p)s fork drmemory 0 1 0x5010 0 end wait)
"""


def install(name):
    """A tree with the stand-in; the path of the command in it."""
    for folder in "bin", "lib/drtools/tools", "project":
        os.makedirs(os.path.join(work, folder), exist_ok=True)
    shutil.copy(build + "/bin/drrun", work + "/bin/drrun")
    shutil.copy(build + "/lib/drtools/drengine", work + "/lib/drtools/")
    shutil.copy(built + "/liberrors.so", work + "/lib/drtools/tools/libdrmemory.so")
    shutil.copy(opt, work + "/lib/drtools/tools/drmemory.opt")
    os.symlink("drrun", work + "/bin/" + name)
    return work + "/bin/" + name


def memcheck(command, options, project=PROJECT):
    """(status, output, {test: (status, {defect: count}, log)}); CTest leaves out tests that pass without defects."""
    with open(work + "/project/CMakeLists.txt", "w") as f:
        f.write(project.replace("%(p)s", program))
    b = work + "/b"
    subprocess.run(["cmake", "-S", work + "/project", "-B", b, "-DMEMORYCHECK_COMMAND=" + command, "-DMEMORYCHECK_COMMAND_OPTIONS=" + options],
                   check=True, stdout=subprocess.DEVNULL)
    p = subprocess.run(["ctest", "-T", "memcheck"], cwd=b, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=200)
    tests = {}
    for t in ElementTree.parse(glob.glob(b + "/Testing/*/DynamicAnalysis.xml")[0]).getroot().iter("Test"):
        if "Status" in t.attrib:
            defects = {d.attrib["type"]: int(d.text) for d in t.iter("Defect")}
            log = t.find("Log")
            text = zlib.decompress(base64.b64decode(log.text)).decode() if "encoding" in log.attrib else log.text or ""
            tests[t.find("Name").text] = (t.attrib["Status"], defects, text)
    return p.returncode, p.stdout.decode(), tests


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def summary_of(tests):
    return {name: (status, defects) for name, (status, defects, _) in tests.items()}


def drmemory_style():
    command = install("drmemory")
    status, out, tests = memcheck(command, "-exit_code_if_errors 99")
    read, leak, mismatch = "Uninitialized Memory Read", "Memory Leak", "Mismatched deallocation"
    equal(summary_of(tests), {"reads": ("failed", {read: 2}), "frees": ("failed", {mismatch: 1}),
                              "leaks": ("failed", {leak: 1}), "child": ("failed", {read: 1})}, out)
    assert status != 0 and "20% tests passed" in out, out
    assert "Error #1" in tests["reads"][2] and "as_drmemory" in tests["reads"][2], tests["reads"]
    assert not glob.glob(work + "/b/Testing/Temporary/DrMemory/*/resfile.*"), "CTest has collected them all"


def valgrind_style():
    command = install("my-valgrind")
    with open(work + "/v.supp", "w") as f:
        f.write("{\n   known\n   Memcheck:Free\n   ...\n   fun:as_drmemory\n}\n")
    status, out, tests = memcheck(command, "--error-exitcode=99 --suppressions=" + work + "/v.supp")
    equal({n: (s, sum(d.values())) for n, (s, d) in summary_of(tests).items()},
          {"reads": ("failed", 2), "leaks": ("failed", 1), "child": ("failed", 1)}, out)
    equal(tests["leaks"][1], {"Memory Leak": 1})
    assert status != 0, out


def real_programs_in_both_styles():
    """With drmemory itself."""
    sources = {"clean": "char *p = malloc(8); p[7] = 0; free(p);", "reads": "char *p = malloc(8); volatile char c = p[8]; free(p);",
               "undefined": "int *p = malloc(8); if (p[1] == 7) puts(\"seven\"); free(p);", "leaks": "volatile char *p = malloc(33); p = 0;",
               "frees": "char *p = malloc(8); free(p); free(p);"}
    for name, body in sources.items():
        with open("%s/%s.c" % (work, name), "w") as f:
            f.write("#include <stdio.h>\n#include <stdlib.h>\nint main(void) { %s return 0; }\n" % body)
        subprocess.run(["cc", "-g", "-O0", "-w", "-o", "%s/%s" % (work, name), "%s/%s.c" % (work, name)], check=True)
    project = "cmake_minimum_required(VERSION 3.16)\nproject(example NONE)\ninclude(CTest)\n"
    project += "".join("add_test(NAME %s COMMAND %s/%s)\n" % (name, work, name) for name in sources)
    os.makedirs(work + "/project")
    os.symlink(build + "/bin/drmemory", work + "/valgrind")
    read = "Uninitialized Memory Read"
    for command, options, defects in [
            (build + "/bin/drmemory", "-exit_code_if_errors 99", {"reads": {read: 1}, "undefined": {read: 1}, "leaks": {"Memory Leak": 1}}),
            (work + "/valgrind", "--error-exitcode=99", {"reads": {read: 1}, "undefined": {"Uninitialized Memory Conditional": 1}, "leaks": {"Memory Leak": 1}})]:
        shutil.rmtree(work + "/b", ignore_errors=True)
        status, out, tests = memcheck(command, options, project)
        equal(sorted(tests), ["frees", "leaks", "reads", "undefined"], out)
        assert status != 0 and all(s == "failed" for s, _, _ in tests.values()), out
        equal({n: d for n, (_, d, _) in tests.items() if n != "frees"}, defects, out)


def what_valgrind_understands_is_translated():
    command = install("valgrind")
    run = lambda *words: subprocess.run([command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    p = run("-q", "--tool=memcheck", "--leak-check=full", "--show-reachable=yes", "--num-callers=50", "--track-origins=yes",
            "--error-exitcode=7", program, "drmemory", "0", "1", "0x5010", "0", "drmemory", "6", "1", "2", "0")
    equal(p.returncode, 7)
    lines = p.stderr.decode().splitlines()
    assert lines and all(re.match(r"==\d+== ?", l) for l in lines), lines
    assert any("REACHABLE LEAK" in l for l in lines) and not any("FINAL SUMMARY" in l for l in lines), lines
    p = run("--log-file=" + work + "/log.%p", "--xml=yes", "--xml-file=" + work + "/x.%p", program, "drmemory", "0", "2", "0x5010", "0", "exit", "3")
    equal((p.returncode, p.stderr, len(glob.glob(work + "/x.*"))), (3, b"", 1))
    log = open(glob.glob(work + "/log.*")[0]).read()
    assert re.search(r"==\d+== Invalid read of size 4\n==\d+==    at 0x[0-9A-F]+: syscall \(syscall.S:37\)\n==\d+==    by 0x[0-9A-F]+: as_drmemory", log), log
    assert "ERROR SUMMARY: 2 errors from 1 contexts (suppressed: 0 from 0)" in log, log
    equal(run("--error-exitcode=0", program, "exit", "4").returncode, 4)
    for words in ["--tool=callgrind"], ["--nonsense"], ["--log-fd=9"]:
        p = run(*words, program)
        equal(p.returncode, 2)
        assert p.stderr.decode().startswith("valgrind: ") and p.stderr.count(b"\n") == 1, p.stderr


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]]()
    finally:
        shutil.rmtree(work, ignore_errors=True)
