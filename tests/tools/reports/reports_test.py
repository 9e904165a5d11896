#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""From a tool to a report. reports_test.py CLAIM DRRUN DIRECTORY-OF-TOOLS-AND-PROGRAMS runs one claim.

The tool `plain` reports what the program asks for; program.c says what the program's words do."""
import glob, json, os, pty, re, select, shutil, signal, subprocess, sys, tempfile, time
import xml.etree.ElementTree as ElementTree

drrun, built = sys.argv[2:4]
program = os.path.join(built, "reports_program")
GATE = ["-exit_code_if_errors", "9"]
work = tempfile.mkdtemp(prefix="reports.")
environment = dict(os.environ, XDG_STATE_HOME=work + "/state", HOME=work)


def command(words, options=(), tool="plain"):
    words = words.split() if isinstance(words, str) else words
    return [drrun, "-logdir", work, "-json", work + "/r.json", *options, "-t", os.path.join(built, "lib%s.so" % tool), "--", program, *words]


def run(words, status, options=(), tool="plain", **more):
    """(stdout, stderr, the JSON report)"""
    for name in glob.glob(work + "/r.json"):
        os.unlink(name)
    p = subprocess.run(command(words, options, tool), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                       env=environment, timeout=120, **more)
    out, err = p.stdout.decode(), p.stderr.decode()
    assert p.returncode == status, f"{words}: status {p.returncode}, not {status}:\n{out}{err}"
    return out, err, report()


def report():
    with open(work + "/r.json") as f:
        return json.load(f)


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def kinds(r):
    return [(e["kind"], e["count"]) for e in r["errors"]]


def wait_for(what, seconds=20):
    for _ in range(int(seconds * 50)):
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def reporters():
    """Numbers of reporters that belong to this test."""
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            pid = int(path.split("/")[2])
            if open(path).read() == "drreporter\n" and work.encode() in open("/proc/%d/cmdline" % pid, "rb").read():
                found.append(pid)
        except OSError:
            pass
    return found


READ, UNINITIALIZED = "UNADDRESSABLE ACCESS", "UNINITIALIZED READ"


def errors_reach_the_report_with_their_place():
    out, err, r = run("error 1 error 2 exit 3", 3)
    equal(kinds(r), [(READ, 1), (UNINITIALIZED, 1)])
    frame = r["errors"][0]["frames"][0]
    equal((frame["function"], frame["module"].startswith("libc")), ("syscall", True))
    equal(r["processes"][0]["exit"], 3)
    assert r["processes"][0]["complete"] and r["summary"]["complete"]
    text = open(open(glob.glob(work + "/resfile.*")[0]).read().strip()).read()
    equal(len(re.findall("(?m)^Error #", text)), 2)
    last = err.rstrip().splitlines()[-1]
    assert re.match(r"~~Dr.M~~ Details: /.*/results.txt$", last) and os.path.exists(last.split()[-1]), last


def gate_closes_for_errors_of_all_that_have_ended():
    run("exit 3", 3, GATE)
    run("error 1 exit 3", 9, GATE)
    run("error 1 exit 3", 3)
    run("error 1", 0, ["-exit_code_if_errors", "0"])
    run("exit 3", 0, ["-exit0"])
    run("error 1", 9, ["-exit0", *GATE])
    out, _, r = run("fork error 1 exit 4 end wait", 9, GATE)
    assert "child ended with 4" in out, "a child keeps its own status: " + out
    equal([p["exit"] for p in r["processes"]], [0, 4])
    out, _, r = run("vfork error 2 exit 4 end wait", 9, GATE)
    assert "child ended with 4" in out, out
    run("fork fork error 1 end wait end wait", 9, GATE)
    run("thread exit 6", 6, GATE)
    run("error 1 thread exit 6", 9, GATE)
    run("error 1 thread die 6", 9, GATE)
    run("error 1 strict die 0", 9, GATE)
    run("strict error 1 die 0", 9, GATE)
    run("strict die 5", 5, GATE)


def death_by_a_signal_is_the_programs_own():
    _, _, r = run("kill 11", -11, GATE)
    equal(r["processes"][0]["signal"], 11)
    _, _, r = run("error 1 kill 15", -15)
    equal(r["processes"][0]["signal"], 15)
    run("error 1 kill 15", 9, GATE)
    _, _, r = run("fork error 1 kill 9 end wait", 9, GATE)
    equal([p["complete"] for p in r["processes"]], [True, False])
    out, _, _ = run("fork kill 9 end wait", 0, GATE)
    assert "child ended with 137" in out, out


def killed_programs_leave_what_was_known():
    subprocess.run(command("error 1 kill 9"), env=environment, stderr=subprocess.DEVNULL)
    r = wait_for(lambda: os.path.exists(work + "/r.json") and report())
    equal((kinds(r), r["processes"][0]["complete"]), ([(READ, 1)], False))
    text = open(open(glob.glob(work + "/resfile.*")[0]).read().strip()).read()
    assert "THE REPORT IS INCOMPLETE: the process was killed" in text, text
    wait_for(lambda: not reporters())


def execve_keeps_one_report():
    _, _, r = run("error 1 exec error 2 exec exit 5", 5)
    equal((len(r["processes"]), kinds(r), r["processes"][0]["exit"]), (1, [(READ, 1), (UNINITIALIZED, 1)], 5))
    _, _, r = run("noexec noexec error 1 exit 5", 9, GATE)      # one that fails leaves everything as it was
    equal(r["errors"][0]["frames"][0]["function"], "syscall")


def the_program_does_not_see_the_reporter():
    for words in "wait", "wall":
        equal(run(words, 0)[0], "0 waited for, then ECHILD\n")
        equal(run("fork end " + words, 0)[0], "child ended with 0\n1 waited for, then ECHILD\n")
    if subprocess.run(["unshare", "-pf", "--mount-proc", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        for words in "wait", "wall", "fork end wait", "fork end wall":
            p = subprocess.run(["unshare", "-pf", "--mount-proc", *command(words)], stdout=subprocess.PIPE, env=environment, timeout=60)
            equal(p.stdout.decode().splitlines()[-1], "%d waited for, then ECHILD" % ("fork" in words), "as process 1, " + words)
    p = subprocess.run([drrun, "-logdir", work, "-t", built + "/libplain.so", "--", "/bin/sh", "-c", "ls -l /proc/self/fd | wc -l; sleep 0; times | head -0"],
                       stdout=subprocess.PIPE, env=environment)
    native = subprocess.run(["/bin/sh", "-c", "ls -l /proc/self/fd | wc -l"], stdout=subprocess.PIPE)
    equal(p.stdout, native.stdout, "descriptors")


def nobody_waits_for_the_reporter():
    start = time.time()
    p = subprocess.Popen(command("daemon sleep 3000 error 1 end exit 0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    equal(p.wait(), 0)
    assert time.time() - start < 2.5, "the program's end waits for the daemon"
    for pid in wait_for(reporters):
        for fd in glob.glob("/proc/%d/fd/*" % pid):
            assert "pipe:" not in os.readlink(fd), "the reporter holds " + os.readlink(fd)
        equal(os.readlink("/proc/%d/cwd" % pid), "/")
    p.communicate()
    wait_for(lambda: len(report()["errors"]) == 1)
    wait_for(lambda: not reporters())


def terminal_signals_and_kill_do_not_reach_the_reporter():
    p = subprocess.Popen(command("sleep 1500 error 1", GATE), stderr=subprocess.DEVNULL, env=environment, start_new_session=True)
    for pid in wait_for(reporters):
        for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP, signal.SIGUSR1:
            os.kill(pid, sig)
        assert os.getpgid(pid) != p.pid and os.getsid(pid) != p.pid
    equal(p.wait(), 9)
    equal(kinds(report()), [(READ, 1)])


def without_its_reporter_the_program_goes_on():
    for gate, status in ([], 3), (GATE, 9):
        p = subprocess.Popen(command("sleep 1000 error 1 fork error 1 end wait exit 3", gate), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        for pid in wait_for(reporters):
            os.kill(pid, signal.SIGKILL)
        out, err = p.communicate(timeout=60)
        equal((p.returncode, out), (status, b"child ended with 0\n1 waited for, then ECHILD\n"))
        assert b"the report is incomplete: the reporter has gone" in err, err


def a_report_that_cannot_be_written_closes_the_gate():
    p = subprocess.run([drrun, *GATE, "-logdir", work, "-json", "/dev/full", "-t", built + "/libplain.so", "--", program, "exit", "3"],
                       stderr=subprocess.PIPE, env=environment)
    equal(p.returncode, 9)
    assert b"the report is incomplete: cannot write /dev/full: No space left on device" in p.stderr, p.stderr
    os.mkdir(work + "/gone")
    p = subprocess.Popen([drrun, *GATE, "-logdir", work + "/gone", "-t", built + "/libplain.so", "--", program, "sleep", "1500", "fork", "error", "1", "end", "wait"],
                         stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)
    wait_for(lambda: glob.glob(work + "/gone/resfile.*"))
    shutil.rmtree(work + "/gone")
    err = p.communicate()[1].decode()
    equal(p.returncode, 9)
    assert err.count("the report is incomplete: cannot") == 1 and "Error #1" in err, err


def many_children_report():
    _, _, r = run(["fork", "error", "1", "end"] * 100 + ["wait"], 9, [*GATE, "-quiet"])
    equal((len(r["processes"]), len(r["errors"]), len({e["pid"] for e in r["errors"]})), (101, 100, 100))
    equal(len(glob.glob(work + "/resfile.*")), 101)
    assert all(p["complete"] for p in r["processes"])
    run("files fork error 1 end wait", 9, GATE)


def only_the_root_and_processes_with_errors_have_folders():
    run("fork end fork error 1 end wait", 0)
    equal((len(glob.glob(work + "/resfile.*")), len(glob.glob(work + "/DrMemory-*"))), (3, 2))


def scripts_and_closed_streams_are_no_different():
    with open(work + "/script", "w") as f:
        f.write("#!/bin/sh\n%s error 1 exit 4\n" % program)
    os.chmod(work + "/script", 0o755)
    p = subprocess.run([drrun, *GATE, "-quiet", "-logdir", work, "-t", built + "/libplain.so", "--", work + "/script"], env=environment)
    equal(p.returncode, 9)
    for closed in "<&-", ">&-", "2>&-", "<&- >&- 2>&-":
        p = subprocess.run(["sh", "-c", '"$@" ' + closed, "-", *command("error 1", GATE)], env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        equal(p.returncode, 9, closed)


def console_text_keeps_out_of_other_files():
    with open(work + "/own", "w") as own:       # the program's own standard error from here on: not the console
        p = subprocess.run(["sh", "-c", '"$@" 2>&1 | cat', "-", drrun, "-logdir", work, "-t", built + "/libplain.so", "--", "sh", "-c",
                            "exec 2>%s/other; %s error 1" % (work, program)], stdout=subprocess.PIPE, env=environment)
    equal(open(work + "/other").read(), "")
    assert p.returncode == 0
    _, err, _ = run("error 1", 0, ["-quiet"])
    equal(err, "")
    _, err, _ = run("error 1", 0, ["-no_results_to_stderr"])
    assert "Error #" not in err and "FINAL SUMMARY" in err
    _, err, _ = run("error 1", 0, ["-no_summary", "-prefix_style", "2"])
    assert err.startswith("Error #1: ") and "SUMMARY" not in err, err


def records_are_replayed():
    run("error 1 error 2 fork error 1 end wait exit 3", 3, ["-record", work + "/kept"])
    first = report()
    for gate, status in ([], 3), (GATE, 9):
        p = subprocess.run([drrun, "-replay", work + "/kept", "-json", work + "/again.json", *gate], stdout=subprocess.PIPE, env=environment)
        equal(p.returncode, status)
    assert b"Error #2: UNINITIALIZED READ" in p.stdout and b"NO ERRORS" not in p.stdout
    again = json.load(open(work + "/again.json"))
    equal((again["errors"], again["processes"]), (first["errors"], first["processes"]))
    shutil.copy(work + "/r.json", work + "/first.json")
    run("fork kill 9 end wait", 0, ["-record", work + "/killed", *GATE])
    killed = report()
    p = subprocess.run([drrun, "-replay", work + "/killed", "-json", work + "/again.json", *GATE], stdout=subprocess.PIPE, env=environment)
    equal((p.returncode, json.load(open(work + "/again.json"))["processes"]), (0, killed["processes"]))
    p = subprocess.run([drrun, "-replay", work + "/kept", "-baseline", work + "/first.json", *GATE], stdout=subprocess.PIPE, env=environment)
    equal(p.returncode, 3, "all errors are in the baseline")
    p = subprocess.run([drrun, "-replay", work + "/none"], stderr=subprocess.PIPE, env=environment)
    equal(p.returncode, 2)


def suppressions_and_baselines_hide_errors():
    with open(work + "/supp", "w") as f:
        f.write("UNADDRESSABLE ACCESS\nname=known\n*!syscall\n")
    with open(work + "/supp2", "w") as f:
        f.write("{\n  other\n  Memcheck:Cond\n  fun:nothing\n}\n")
    _, err, r = run("error 1 error 1", 0, [*GATE, "-suppress", work + "/supp", "-suppress", work + "/supp2", "-unused_suppressions"])
    equal([(s["name"], s["count"]) for s in r["suppressed"]], [("known", 2)])
    assert "SUPPRESSIONS NOT USED:" in err and "other" in err, err
    run("error 2", 9, [*GATE, "-suppress", work + "/supp"])
    shutil.copy(work + "/r.json", work + "/base.json")
    run("error 2", 0, [*GATE, "-baseline", work + "/base.json"])
    run("error 2 error 1", 9, [*GATE, "-baseline", work + "/base.json"])
    with open(work + "/bad", "w") as f:
        f.write("LEAK\nmain\n\nNONSENSE\nfoo!bar\n")
    p = subprocess.run(command("exit 3", ["-suppress", work + "/bad"]), stderr=subprocess.PIPE, env=environment)
    equal(p.returncode, 2)
    assert re.match(re.escape("drrun: " + work) + r"/bad:\d+: ", p.stderr.decode()), p.stderr


def drmemory(words, status=0, options=()):
    return run(words, status, options, tool="errors")


def every_kind_of_error_of_drmemory_has_its_text():
    claims = [
        ("0 1 0x5010 0", READ, "reading 0x0000000000005010-0x0000000000005014 4 byte(s) beyond heap bounds", "0x5010 is 0 byte(s) beyond the end of a block of 16 byte(s) at 0x5000-0x5010"),
        ("0 1 0x6004 1", READ, "writing 0x0000000000006004-0x0000000000006008 4 byte(s) of freed memory", "0x6004 is 4 byte(s) inside a freed block of 16 byte(s) at 0x6000-0x6010"),
        ("0 1 0x100 2", READ, "executing 0x0000000000000100-0x0000000000000104 4 byte(s)", None),
        ("1 1 0 0", UNINITIALIZED, "reading register rax", None),
        ("2 1 0 0", UNINITIALIZED, "reading an argument of realloc", None),
        ("9 1 0x5000 0", UNINITIALIZED, "reading 0x0000000000005000-0x0000000000005008 8 byte(s)", "0x5000 is 0 byte(s) inside a block of 16 byte(s) at 0x5000-0x5010"),
        ("3 1 0x200 0", READ, "system call write(buf): 0x0000000000000200-0x000000000000020a 10 byte(s)", "the system call reads there"),
        ("3 1 0x5000 1", UNINITIALIZED, "system call write(buf): 0x0000000000005000-0x000000000000500a 10 byte(s)", "0x5000 is 0 byte(s) inside a block of 16 byte(s) at 0x5000-0x5010"),
        ("10 1 0 0", UNINITIALIZED, "system call close(fd)", None),
        ("4 1 0x200 0", "INVALID HEAP ARGUMENT", "not a heap block: free 0x0000000000000200", None),
        ("4 1 0x6000 1", "INVALID HEAP ARGUMENT", "double free: free 0x0000000000006000", "0x6000 is 0 byte(s) inside a freed block of 16 byte(s) at 0x6000-0x6010"),
        ("4 1 0x5000 2", "INVALID HEAP ARGUMENT", "mismatched: allocated with operator new, freed with free", "0x5000 is 0 byte(s) inside a block of 16 byte(s) at 0x5000-0x5010"),
        ("4 1 -1 3", "INVALID HEAP ARGUMENT", "bad size: free 0xffffffffffffffff", "as a signed number the size is -1"),
        ("4 1 3 4", "INVALID HEAP ARGUMENT", "bad size: free 0x0000000000000003", "an alignment of 3 is none"),
        ("4 1 0x5000 5", "WARNING", "free with a size of 0: what it does differs between systems", "0x5000 is 0 byte(s) inside a block of 16 byte(s) at 0x5000-0x5010"),
        ("5 1 0x5000 0", "OVERLAP", "overlap: memcpy(0x5000, 0x5001, 8)", None),
        ("6 1 2 0", "LEAK", "16 direct bytes 0x0000000000005000-0x0000000000005010 + 0 indirect bytes", None),
    ]
    _, _, r = drmemory(" ".join("drmemory " + words for words, *_ in claims))
    found = [e for e in r["errors"] if e["kind"] != "REACHABLE LEAK"]
    equal(len(found), len(claims))
    for (words, kind, message, note), e in zip(claims, found):
        equal((e["kind"], e["message"], e["notes"]), (kind, message, [note] if note else []), words)
        top = [f["function"] for f in e["frames"] if not f.get("system_call")]
        equal(top[:4], ["syscall", "as_drmemory", "run", "main"], words)
    equal([e.get("instruction") for e in found[:7]], ["syscall"] * 6 + [None])
    freed = found[1]["aux"]
    equal([a["what"] for a in freed], ["allocated here", "freed here"])


def duplicates_are_counted_not_lost():
    _, _, r = drmemory("loop 1000000")
    equal(kinds(r), [(READ, 1000000)])
    _, _, r = drmemory("loop 1000 exec loop 500")               # counts are sent before execve
    equal([e["count"] for e in r["errors"]], [1000, 500])
    _, _, r = drmemory("loop 10 fork loop 5 end wait loop 10")  # a child counts its own
    equal(sorted(e["count"] for e in r["errors"]), [5, 20])
    subprocess.run(command("loop 1000 kill 9", tool="errors"), env=environment, stderr=subprocess.DEVNULL)
    wait_for(lambda: [512] == [e["count"] for e in report()["errors"]])


def more_errors_than_wanted_are_counted_together():
    _, err, r = drmemory("drmemory 8 1 3 0 drmemory 0 1 0x5010 0 drmemory 0 1 0x5010 1 drmemory 0 1 0x6000 0 drmemory 0 7 0x6000 1")
    equal((len(r["errors"]), r["notes"][0]["text"]), (3, "7 time(s) there was an error beyond the first 3 different ones (-report_max)"))


def nudges_report_in_the_middle():
    p = subprocess.Popen(command("drmemory 0 1 0x5010 0 drmemory 6 1 1 0 drmemory 7 1 0 0 sleep 3000 drmemory 6 1 0 0", tool="errors"), stderr=subprocess.PIPE, env=environment)
    wait_for(lambda: os.path.exists(work + "/r.json"))
    equal([k for k, _ in kinds(report())], [READ, "LEAK"])
    assert "SUMMARY AFTER NUDGE #1:" in open(open(glob.glob(work + "/resfile.*")[0]).read().strip()).read()
    equal((p.wait(), p.communicate()[1].decode().count("SUMMARY AFTER NUDGE #1:")), (0, 1))
    equal([k for k, _ in kinds(report())], [READ], "a later scan found nothing")


def a_running_process_is_nudged_and_goes_on():
    p = subprocess.Popen(command("drmemory 0 1 0x5010 0 sleep 3000 exit 6", tool="errors"), stderr=subprocess.PIPE, env=environment)
    wait_for(lambda: glob.glob(work + "/DrMemory-*/results.txt") and "Error #1" in open(glob.glob(work + "/DrMemory-*/results.txt")[0]).read())
    equal(subprocess.run([drrun, "-nudge", str(p.pid)], env=environment).returncode, 0)
    wait_for(lambda: os.path.exists(work + "/r.json"))
    equal((kinds(report()), p.poll()), ([(READ, 1)], None))
    equal(p.wait(), 6)
    p = subprocess.run([drrun, "-nudge", str(os.getpid())], stderr=subprocess.PIPE, env=environment)
    equal((p.returncode, b"does not run under drtools" in p.stderr), (2, True))


def replaced_functions_have_the_names_that_programs_call():
    with open(work + "/p.c", "w") as f:
        f.write("#include <stdlib.h>\n#include <string.h>\nint main(void) {\n  char *p = malloc(20);\n  memset(p, 0, 21);\n  free(p);\n  p[3] = 1;\n  return 0;\n}\n")
    subprocess.run(["cc", "-g", "-O0", "-w", "-fno-builtin", "-o", work + "/p", work + "/p.c"], check=True)
    p = subprocess.run([os.path.dirname(drrun) + "/drmemory", "-quiet", "-logdir", work, "-json", work + "/r.json", *GATE, "--", work + "/p"], env=environment)
    equal(p.returncode, 9)
    one, two = report()["errors"]
    equal([f["function"] for f in one["frames"][:2]], ["memset", "main"])
    equal([(a["frames"][0]["function"], a["frames"][1]["line"]) for a in two["aux"]], [("malloc", 4), ("free", 6)])
    equal((one.get("instruction"), two["frames"][0]["line"]), (None, 7))
    assert two["instruction"].startswith("movb $0x01, "), two


def every_format_is_written_while_it_happens():
    formats = ["-sarif", work + "/r.sarif", "-junit", work + "/r.junit", "-xml", work + "/r.%p.xml", "-html", work + "/r.html", "-valgrind_log", work + "/r.log"]
    run("drmemory 0 1 0x5010 0 fork drmemory 1 1 0 0 end wait", 0, [*formats, "-quiet"], tool="errors")
    sarif = json.load(open(work + "/r.sarif"))
    equal(len(sarif["runs"][0]["results"]), 2)
    equal(ElementTree.parse(work + "/r.junit").getroot().find(".//testcase/failure") is not None, True)
    kinds = sorted(k.text for name in glob.glob(work + "/r.*.xml") for k in ElementTree.parse(name).getroot().iter("kind"))
    equal(kinds, ["InvalidRead", "UninitCondition"])
    assert "UNADDRESSABLE ACCESS" in open(work + "/r.html").read()
    log = open(work + "/r.log").read()
    equal((log.count("Invalid read of size 4"), log.count("Conditional jump or move"), log.count("ERROR SUMMARY: 1 errors")), (1, 1, 2))
    relative = subprocess.run([drrun, "-quiet", "-logdir", "logs", "-json", "here.json", "-t", built + "/libplain.so", "--", "sh", "-c", "cd /; %s error 1" % program],
                              env=environment, cwd=work)
    equal((relative.returncode, os.path.exists(work + "/here.json"), len(glob.glob(work + "/logs/resfile.*"))), (0, True, 2))
    p = subprocess.run([drrun, "-json", work + "/none/r.json", "-t", built + "/libplain.so", "--", program, "exit", "3"], stderr=subprocess.PIPE, env=environment)
    equal((p.returncode, b"cannot write" in p.stderr), (2, True), "better now than after an hour")


def results_have_a_place_of_their_own():
    p = subprocess.run([drrun, "-t", built + "/libplain.so", "--", program, "error", "1"], stderr=subprocess.PIPE, env=environment)
    path = p.stderr.decode().rstrip().splitlines()[-1].split()[-1]
    assert path.startswith(work + "/state/drtools/DrMemory-reports_program.") and os.path.exists(path), path
    home = {k: v for k, v in environment.items() if k != "XDG_STATE_HOME"}
    p = subprocess.run([drrun, "-t", built + "/libplain.so", "--", program, "error", "1"], stderr=subprocess.PIPE, env=home)
    assert (work + "/.local/state/drtools/DrMemory-reports_program.").encode() in p.stderr, p.stderr
    p = subprocess.run([drrun, "-t", built + "/libplain.so", "--", program, "error", "1"], stderr=subprocess.PIPE, env=dict(home, HOME="/dev/null"))
    assert p.returncode == 0 and b"there is no folder for results" in p.stderr and b"Error #1" in p.stderr, p.stderr


def lists_of_libraries_and_sources_choose_errors():
    two = "drmemory 0 1 0x5010 0"           # syscall in libc, as_drmemory, run and main in program.c
    for options, counts in [(["-lib_blocklist", "libc.so*"], True), (["-lib_blocklist", "libc.so*", "-lib_blocklist_frames", "1"], False),
                            (["-lib_blocklist", "libc.so*,*/reports_prog*"], False), (["-lib_allowlist", "libc.so*"], True),
                            (["-lib_allowlist", "libm.so*"], False), (["-src_allowlist", "program.c"], True),
                            (["-src_allowlist", "*/tests/tools/*"], True), (["-src_allowlist", "other.c"], False)]:
        for name in glob.glob(work + "/DrMemory*"):
            shutil.rmtree(name)
        _, err, r = run(two, 9 if counts else 0, [*GATE, *options], tool="errors")
        equal(r["errors"][0].get("potential", False), not counts, options)
        equal(len(glob.glob(work + "/DrMemory-*/potential_errors.txt")), not counts, options)
        assert ("Error #1" in err) == counts and (counts or "1 unique,     1 total potential error(s)" in err), err
    assert open(glob.glob(work + "/DrMemory-*/potential_errors.txt")[0]).read().startswith("Error #1: UNADDRESSABLE")


def threads_and_forks_lose_nothing():
    _, _, r = run("storm 300 exit 5", 9, [*GATE, "-quiet"])
    root = r["processes"][0]["pid"]
    equal(sum(e["pid"] == root for e in r["errors"]), 2400)
    assert 30 <= sum(e["kind"] == UNINITIALIZED for e in r["errors"]) <= 40
    assert 31 <= len(r["processes"]) <= 41 and r["processes"][0]["complete"]
    run("storm 20 exit 5", 5, ["-quiet"])


def small_limits_are_survived():
    for limits in "-f 0", "-n 16", "-v 4000000", "-t 5":
        p = subprocess.run(["sh", "-c", "ulimit -S %s; exec \"$@\"" % limits, "-", *command("error 1 fork error 2 end wait", GATE)],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=60)
        equal((p.returncode, len(report()["errors"])), (9, 2), limits)
        os.unlink(work + "/r.json")
    p = subprocess.run(["sh", "-c", "ulimit -f 0; exec \"$@\"", "-", *command("exit 3", GATE)], stderr=subprocess.PIPE, env=environment, timeout=60)
    equal((p.returncode, b"the report is incomplete: cannot write" in p.stderr), (9, True))


def other_threads_do_nothing_while_the_report_is_written():
    p = subprocess.Popen(command("chatter error 1 exit 5", GATE), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    for pid in wait_for(reporters):
        os.kill(pid, signal.SIGSTOP)        # so that the end takes its time
    read = 0
    quiet = time.time()
    while time.time() - quiet < 1:
        r, _, _ = select.select([p.stdout], [], [], 0.2)
        if r:
            some = os.read(p.stdout.fileno(), 1 << 16)
            if not some:
                break
            read += len(some)
            quiet = time.time()
    assert p.poll() is None and read, "it has ended, or never stops printing"
    for pid in reporters():
        os.kill(pid, signal.SIGCONT)
    equal(p.wait(), 9)


def readers_of_the_console_may_go():
    for words, status in ("error 1 sleep 300 error 2 sleep 300 error 1 exit 5", 5), ("sleep 300 error 1 kill 15", -15):
        p = subprocess.Popen(command(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        p.stderr.close()
        equal(p.wait(), status, words)
        equal(len(report()["errors"]), words.count("error"))


def on_a_terminal(line):
    """What a command prints there."""
    leader, follower = pty.openpty()
    p = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=follower, env=dict(environment, TERM="xterm"))
    os.close(follower)
    text = b""
    try:
        while True:
            some = os.read(leader, 4096)
            if not some:
                break
            text += some
    except OSError:             # the last one has closed it
        pass
    p.wait()
    os.close(leader)
    return text.decode()


def terminals_get_colour_and_a_line_that_erases_itself():
    text = on_a_terminal(command("error 1"))
    assert "~~Dr.M~~ \033[1;31mError #1: UNADDRESSABLE" in text and text.count("\033") == 2, text
    assert "\033" not in on_a_terminal(command("error 1", ["-color", "never"]))
    assert "\033" not in run("error 1", 0)[1]
    os.mkfifo(work + "/slow")
    line = [drrun, "-quiet", "-replay", work + "/slow"]
    for pause, wanted in (0, ""), (3, "reading the records …\r\033[K"):
        writer = subprocess.Popen(["sh", "-c", "exec >%s; sleep %d" % (work + "/slow", pause)])
        shown = on_a_terminal(line)
        writer.wait()
        assert shown.startswith(wanted) and ("\r\033[K" in shown) == bool(wanted), shown


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]]()
    finally:
        shutil.rmtree(work, ignore_errors=True)
