#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""judge.py - build every case of the memory-error corpus, run it under a checker, compare with EXPECT.

  judge.py --tool "CMD" [--json] [--filter GLOB] [--build NAMES] [-j N] DIR
  judge.py --native DIR             run natively: exit status and time only
  judge.py --oracle OUT.tsv DIR     run Memcheck (and ASan/MSan with --san) and write the oracle table

Header grammar (first comment of the file):
  CASE: text
  EXPECT: CLEAN
  EXPECT: UNADDRESSABLE read|write|any N [at LINE(tag)]     N: number, a|b alternatives, or any
  EXPECT: UNINITIALIZED | INVALID_FREE | DOUBLE_FREE | MISMATCHED_FREE | OVERLAP | BAD_SIZE [at LINE(tag)]
  EXPECT: LEAK definite|indirect|possible|reachable N bytes M blocks [at LINE(tag)]
          (kinds may be joined with +, then the sum counts)
  Error kinds may be alternatives: INVALID_FREE|MISMATCHED_FREE.
  ALLOW:  same grammar; tolerated, not required ("ALLOW: LEAK possible" tolerates any amount)
  [build,build] right after EXPECT:/ALLOW: limits that line to the named builds.
  BUILDS: names from BUILD_FLAGS (default O1)   CFLAGS: LIBS: ARGS:  extra flags / libraries / argv
  CPU: cpu flags needed (else the case is skipped)   EXIT: status under the tool and natively (default 0;
  `any` = not checked, `native=N` = only natively; 128+signo for a signal)
  MEMCHECK: builds: reason     known disagreement of Memcheck with EXPECT (oracle table only); builds may be *
A report matches LINE(tag) if its innermost stack frame inside the case's own source file is a line which
carries the comment tag.  Repeated reports of one expected error are fine.  A report that matches neither
EXPECT nor ALLOW fails the case.  Reachable leaks are only compared where a case asks for them.
In `stripped` builds source lines are not compared.
"""
import argparse, concurrent.futures, fnmatch, json, os, re, shlex, signal, subprocess, sys, tempfile, time
import xml.etree.ElementTree as ET

# ---------------------------------------------------------------- mapping table: adapt to the tool's report
ANY_HEAP_ARG = {"INVALID_FREE", "DOUBLE_FREE", "MISMATCHED_FREE", "BAD_SIZE"}
TOOL = {
    # how to run it: {cmd} = --tool words, {out} = report file, then `--` and the program
    "argv": ["{cmd}", "-batch", "-json", "{out}", "--"],
    "errors_key": "errors",
    # report kind -> set of corpus kinds it may stand for (first match by upper-cased equality, then by prefix)
    "kinds": {
        "UNADDRESSABLE ACCESS": {"UNADDRESSABLE"},
        "UNINITIALIZED READ": {"UNINITIALIZED"},
        "INVALID HEAP ARGUMENT": ANY_HEAP_ARG,
        "OVERLAP": {"OVERLAP"},
        "WARNING": {"OVERLAP", "BAD_SIZE"},
        "LEAK": {"LEAK definite"},
        "INDIRECT LEAK": {"LEAK indirect"},
        "POSSIBLE LEAK": {"LEAK possible"},
        "REACHABLE LEAK": {"LEAK reachable"},
    },
    # kinds to drop altogether
    "ignore": {"GDI USAGE ERROR", "HANDLE LEAK"},
    # if the report carries a text, narrow a multi-valued kind by it (regex on "message"/"detail", corpus kind)
    "narrow": [(r"double|already.?freed|freed twice", "DOUBLE_FREE"), (r"mismatch", "MISMATCHED_FREE"),
               (r"size|negative|fishy", "BAD_SIZE"), (r"overlap", "OVERLAP")],
    # leak amounts: first key present wins; no separate indirect kind => "merged" compares definite+indirect
    "bytes": ["direct_bytes", "bytes", "size"], "blocks": ["blocks", "count"],
    "ind_bytes": ["indirect_bytes"], "ind_blocks": ["indirect_blocks"],
    "indirect": "auto",          # separate | merged | auto (merged unless some report gave indirect numbers)
    "frames": "frames", "frame_file": "file", "frame_line": "line", "frame_func": "function",
}
VG_KINDS = {
    "UninitCondition": "UNINITIALIZED", "UninitValue": "UNINITIALIZED", "InvalidRead": "UNADDRESSABLE",
    "InvalidWrite": "UNADDRESSABLE", "InvalidJump": "UNADDRESSABLE", "InvalidFree": "INVALID_FREE",
    "MismatchedFree": "MISMATCHED_FREE", "Overlap": "OVERLAP", "FishyValue": "BAD_SIZE",
    "Leak_DefinitelyLost": "LEAK definite", "Leak_IndirectlyLost": "LEAK indirect",
    "Leak_PossiblyLost": "LEAK possible", "Leak_StillReachable": "LEAK reachable",
}
VG_ARGS = ["--leak-check=full", "--show-leak-kinds=all", "--errors-for-leak-kinds=all", "--num-callers=40",
           "--child-silent-after-fork=yes", "--keep-debuginfo=yes"]
# ---------------------------------------------------------------- build variants
BUILD_FLAGS = {
    "O0": ("gcc", "-O0 -g"), "O1": ("gcc", "-O1 -g"), "O2": ("gcc", "-O2 -g"), "O3": ("gcc", "-O3 -g"),
    "static": ("gcc", "-O1 -g -static"), "stripped": ("gcc", "-O1 -s"), "nopie": ("gcc", "-O1 -g -no-pie"),
    "nofp": ("gcc", "-O2 -g -fomit-frame-pointer"), "fp": ("gcc", "-O2 -g -fno-omit-frame-pointer"),
    "clang0": ("clang", "-O0 -g"), "clang2": ("clang", "-O2 -g"), "clang3": ("clang", "-O3 -g"),
}
COMMON = "-w -D_GNU_SOURCE"
LEAK_KINDS = ("definite", "indirect", "possible", "reachable")


class Err:
    def __init__(s, kinds, access=None, size=None, line=None, bytes_=0, blocks=0, ibytes=0, iblocks=0, raw="", funcs=()):
        s.kinds, s.access, s.size, s.line = kinds, access, size, line
        s.bytes, s.blocks, s.ibytes, s.iblocks, s.raw, s.funcs = bytes_, blocks, ibytes, iblocks, raw, funcs

    @property
    def leak(s):
        for k in s.kinds:
            if k.startswith("LEAK "):
                return k[5:]
        return None

    def __str__(s):
        t = "|".join(sorted(s.kinds))
        if s.leak:
            return "%s %dB/%d@%s" % (t, s.bytes, s.blocks, s.line or "-")
        return "%s%s%s@%s" % (t, " " + s.access if s.access else "", " %s" % s.size if s.size else "", s.line or "-")


class Exp:
    """one EXPECT/ALLOW line"""
    def __init__(s, text, tags):
        s.text = text
        s.lines = None
        m = re.search(r"\s+at\s+LINE\(([^)]*)\)\s*$", text)
        if m:
            s.lines = set()
            for t in m.group(1).split("|"):
                if t not in tags:
                    raise ValueError("no line tagged %s" % t)
                s.lines |= tags[t]
            text = text[:m.start()]
        w = text.split()
        s.leak = None
        s.access = s.size = s.bytes = s.blocks = None
        if w[0] == "LEAK":
            s.leak = tuple(w[1].split("+"))
            assert all(k in LEAK_KINDS for k in s.leak), text
            if len(w) > 2:
                assert w[3].startswith("byte") and w[5].startswith("block"), text
                s.bytes, s.blocks = int(w[2]), int(w[4])
            s.kinds = {"LEAK " + k for k in s.leak}
        else:
            s.kinds = set(w[0].split("|"))
            assert s.kinds <= {"UNADDRESSABLE", "UNINITIALIZED", "OVERLAP"} | ANY_HEAP_ARG, text
            if "UNADDRESSABLE" in s.kinds and len(w) > 1:
                s.access = None if w[1] == "any" else w[1]
                assert w[1] in ("read", "write", "any"), text
                if len(w) > 2 and w[2] != "any":
                    s.size = {int(x) for x in w[2].split("|")}

    def matches(s, e, with_lines):
        if not (s.kinds & e.kinds):
            return False
        if with_lines and s.lines is not None and e.line not in s.lines:
            return False
        if s.access and e.access and s.access != e.access:
            return False
        if s.size and e.size and e.size not in s.size:
            return False
        return True


class Case:
    def __init__(s, path, root):
        s.path, s.name = path, os.path.relpath(path, root)
        s.src = os.path.basename(path)
        text = open(path).read()
        end = text.index("*/")
        s.head = {}
        for l in text[2:end].split("\n"):
            m = re.match(r"\s*\*?\s*([A-Z]+):\s*(.*?)\s*$", l)
            if m:
                s.head.setdefault(m.group(1), []).append(m.group(2))
        hl = text[:end].count("\n") + 1
        s.tags = {}
        for i, l in enumerate(text.split("\n"), 1):
            if i > hl:
                for c in re.findall(r"/\*(.*?)\*/|//(.*)$", l):
                    for t in re.findall(r"\b(?:bug|alloc|free|use)\w*\b", c[0] or c[1]):
                        s.tags.setdefault(t, set()).add(i)
        g = lambda k, d="": s.head.get(k, [d])[0]
        s.title, s.builds = g("CASE"), g("BUILDS", "O1").split()
        s.cflags, s.libs, s.args = g("CFLAGS"), g("LIBS"), shlex.split(g("ARGS"))
        s.cpu, s.exit = g("CPU").split(), g("EXIT", "0")
        if not s.head.get("EXPECT"):
            raise ValueError("%s: no EXPECT" % s.name)
        s.expect, s.allow = [], []
        for key, dst in (("EXPECT", s.expect), ("ALLOW", s.allow)):
            for t in s.head.get(key, []):
                only = None
                m = re.match(r"\[([^\]]*)\]\s*(.*)", t)
                if m:
                    only, t = set(m.group(1).replace(",", " ").split()), m.group(2)
                if t != "CLEAN":
                    dst.append((only, Exp(t, s.tags)))
        s.memcheck = []
        for t in s.head.get("MEMCHECK", []):
            b, r = t.split(":", 1)
            s.memcheck.append((set(b.replace(",", " ").split()), r.strip()))

    def for_build(s, b):
        f = lambda l: [e for only, e in l if only is None or b in only]
        return f(s.expect), f(s.allow)

    def reason(s, b):
        return "; ".join(r for bs, r in s.memcheck if b in bs or "*" in bs)

    def expected_text(s, b):
        return "; ".join(re.sub(r"LINE\(([^)]*)\)", lambda m: "LINE(%s)=%s" % (m.group(1), ",".join(
            str(x) for x in sorted(set().union(*[s.tags[t] for t in m.group(1).split("|")])))), e.text)
            for e in s.for_build(b)[0]) or "CLEAN"


def compare(case, build, errs, merged):
    exp, allow = case.for_build(build)
    wl = build != "stripped"
    bad = []
    plain = [e for e in errs if not e.leak]
    for x in exp:
        if not x.leak and not any(x.matches(e, wl) for e in plain):
            near = [str(e) for e in plain if x.kinds & e.kinds]
            bad.append("missing: %s%s" % (x.text, " (near: %s)" % "; ".join(near[:3]) if near else ""))
    extra = []
    for e in plain:
        if not any(x.matches(e, wl) for x in exp + allow if not x.leak):
            t = "unexpected: %s %s" % (e, e.raw)
            if t not in extra:
                extra.append(t)
    bad += extra[:8] + (["%d more kinds of unexpected reports" % (len(extra) - 8)] if len(extra) > 8 else [])
    # leaks
    leaks = [e for e in errs if e.leak]
    xl, al = [x for x in exp if x.leak], [x for x in allow if x.leak]
    for e in leaks:
        if e.leak == "possible":  # what hangs off a possibly lost block counts as possibly lost
            e.bytes, e.blocks, e.ibytes = e.bytes + e.ibytes, e.blocks + e.iblocks, 0
    if merged and any("indirect" in x.leak for x in xl):
        # the tool counts indirectly lost blocks in with the definite ones: only the byte total can be compared
        seen = {"definite", "indirect"}
        wb = sum(x.bytes for x in xl if set(x.leak) <= seen)
        gb = sum(e.bytes + e.ibytes for e in leaks if e.leak in seen)
        if wb != gb:
            bad.append("leak definite+indirect: %d bytes, expected %d" % (gb, wb))
        xl = [x for x in xl if not set(x.leak) <= seen]
        leaks = [e for e in leaks if e.leak not in seen]
    else:
        for e in list(leaks):
            if e.ibytes:
                leaks.append(Err({"LEAK indirect"}, line=e.line, bytes_=e.ibytes, blocks=e.iblocks))
    used = set()
    for x in xl:
        got = [e for e in leaks if e.leak in x.leak and (not wl or x.lines is None or e.line in x.lines)]
        if "reachable" in x.leak:
            got = [e for e in got if not runtime_block(e)]
            if wl:
                got = [e for e in got if e.line]
        used |= {id(e) for e in got}
        gb, gn = sum(e.bytes for e in got), sum(e.blocks for e in got)
        if x.leak == ("reachable",) and not wl:
            ok = gb >= x.bytes
        else:
            ok = gb == x.bytes and gn == x.blocks
        if not ok:
            bad.append("leak %s: %d bytes %d blocks, expected %d bytes %d blocks" % (
                "+".join(x.leak), gb, gn, x.bytes, x.blocks))
    for e in leaks:
        if id(e) in used or e.leak == "reachable" or (e.leak == "indirect" and merged):
            continue
        if any(e.leak in x.leak and (not wl or x.lines is None or e.line in x.lines) for x in al):
            continue
        bad.append("unexpected: %s" % e)
    return bad


def runtime_block(e):
    return any(f and re.search(r"_IO_file_doallocate|_GLOBAL__sub_I|pool|_dl_|call_init|allocate_dtv", f) for f in e.funcs)


def parse_valgrind(xmlfile, case):
    errs = []
    txt = open(xmlfile, errors="replace").read()
    if "</valgrindoutput>" not in txt:
        txt += "</valgrindoutput>"
    root = ET.fromstring(txt)
    for e in root.iter("error"):
        k = e.findtext("kind")
        what = e.findtext("what") or e.findtext("xwhat/text") or ""
        aux = [a.text or "" for a in e.findall("auxwhat")] + [a.findtext("text") or "" for a in e.findall("xauxwhat")]
        st = e.find("stack")
        line, funcs = None, []
        for f in (st.findall("frame") if st is not None else []):
            funcs.append(f.findtext("fn") or "")
            if line is None and f.findtext("file") == case.src:
                line = int(f.findtext("line") or 0)
        access = size = None
        if k == "SyscallParam":
            kinds = {"UNADDRESSABLE"} if "unaddressable" in what else {"UNINITIALIZED"}
        elif k in VG_KINDS:
            kinds = {VG_KINDS[k]}
        else:
            kinds = {k}
        m = re.match(r"Invalid (read|write) of size (\d+)", what)
        if m:
            access, size = m.group(1), int(m.group(2))
        if k == "InvalidFree" and any(re.search(r" 0 bytes inside a block of size [\d,]+ free'd", a) for a in aux):
            kinds = {"DOUBLE_FREE"}
        by = bl = 0
        if k.startswith("Leak_"):
            by, bl = int(e.findtext("xwhat/leakedbytes")), int(e.findtext("xwhat/leakedblocks"))
            m = re.search(r"\(([\d,]+) direct, ([\d,]+) indirect\)", what)
            if m:
                by = int(m.group(1).replace(",", ""))     # indirect blocks have records of their own
        errs.append(Err(kinds, access, size, line, by, bl, raw="[%s]" % what[:70], funcs=funcs))
    return errs, False


def parse_tool(jsonfile, case):
    T, errs, sep = TOOL, [], False
    rep = json.load(open(jsonfile))
    first = lambda d, ks: next((d[k] for k in ks if d.get(k) is not None), None)
    for e in rep.get(T["errors_key"], []):
        k = str(e.get("kind", "")).upper()
        if k in T["ignore"]:
            continue
        kinds = T["kinds"].get(k) or next((v for p, v in T["kinds"].items() if k.startswith(p)), None) or {k}
        text = str(e.get("message") or e.get("detail") or e.get("text") or "")
        if len(kinds) > 1:
            for rx, kk in T["narrow"]:
                if kk in kinds and re.search(rx, text, re.I):
                    kinds = {kk}
                    break
        line, funcs = None, []
        for f in e.get(T["frames"]) or []:
            funcs.append(f.get(T["frame_func"]) or "")
            if line is None and os.path.basename(f.get(T["frame_file"]) or "") == case.src:
                line = int(f.get(T["frame_line"]) or 0)
        x = Err(set(kinds), e.get("access"), e.get("size"), line, raw="[%s]" % text[:70] if text else "", funcs=funcs)
        if x.leak:
            x.bytes, x.blocks = first(e, T["bytes"]) or 0, first(e, T["blocks"]) or 1
            x.ibytes, x.iblocks = first(e, T["ind_bytes"]) or 0, first(e, T["ind_blocks"]) or 0
            sep = sep or first(e, T["ind_bytes"]) is not None or x.leak == "indirect"
        errs.append(x)
    merged = {"separate": False, "merged": True}.get(T["indirect"], not sep)
    return errs, merged


def build_case(case, b, tmp, root, extra=""):
    cc, fl = BUILD_FLAGS[b]
    if case.src.endswith(".cpp"):
        cc = {"gcc": "g++", "clang": "clang++"}[cc]
    out = os.path.join(tmp, case.name.replace("/", "__") + "." + b)
    cmd = [cc] + shlex.split(fl) + shlex.split(COMMON) + ["-I", root] + shlex.split(case.cflags) + shlex.split(extra) + \
        ["-o", out, case.path] + shlex.split(case.libs)
    r = subprocess.run(cmd, capture_output=True, text=True)
    if r.returncode:
        return None, "build failed: " + " ".join(cmd) + "\n" + r.stderr[-1500:]
    return out, None


def execute(argv, tmp, timeout):
    t0 = time.time()
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp,
                         start_new_session=True)
    try:
        out, _ = p.communicate(timeout=timeout)
        rc = p.returncode
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out, _ = p.communicate()
        rc = None
    if rc is not None and rc < 0:
        rc = 128 - rc
    return rc, out.decode(errors="replace"), time.time() - t0


def exit_ok(case, rc, native):
    x = case.exit
    if x.startswith("native="):
        if not native:
            return True
        x = x[7:]
    return x == "any" or rc == int(x)


def run_one(case, b, opt, root, tmp, cpuflags):
    miss = [f for f in case.cpu if f not in cpuflags]
    r = {"case": case.name, "build": b, "expected": case.expected_text(b)}
    if miss:
        return dict(r, status="SKIP", reason="cpu lacks " + " ".join(miss))
    exe, why = build_case(case, b, tmp, root)
    if not exe:
        return dict(r, status="FAIL", reason=why)
    if opt.native:
        rc, out, dt = execute([exe] + case.args, tmp, opt.timeout)
        os.unlink(exe)
        bad = []
        if rc is None:
            bad.append("timeout")
        elif not exit_ok(case, rc, True):
            bad.append("exit status %s, expected %s %s" % (rc, case.exit, out[-200:]))
        if dt > 0.5:
            bad.append("took %.2f s" % dt)
        return dict(r, status="FAIL" if bad else "PASS", reason="; ".join(bad), exit=rc, seconds=round(dt, 3))
    words = shlex.split(opt.tool)
    rep = exe + ".report"
    vg = os.path.basename(words[0]) == "valgrind"
    if vg:
        argv = words + VG_ARGS + ["--xml=yes", "--xml-file=" + rep]
    else:
        argv = []
        for w in TOOL["argv"]:
            argv += words if w == "{cmd}" else [w.format(out=rep)]
    rc, out, dt = execute(argv + [exe] + case.args, tmp, opt.timeout)
    errs, bad = [], []
    try:
        errs, merged = (parse_valgrind if vg else parse_tool)(rep, case)
        bad = compare(case, b, errs, merged)
    except Exception as ex:
        bad.append("no usable report: %s; output: %s" % (ex, out[-300:].strip()))
    if rc is None:
        bad.append("timeout")
    elif not exit_ok(case, rc, False):
        bad.append("exit status %s, expected %s" % (rc, case.exit))
    for f in (exe, rep):
        if not opt.keep and os.path.exists(f):
            os.unlink(f)
    seen = []
    for e in errs:
        if e.leak == "reachable" and not any("reachable" in (x.leak or ()) for x in case.for_build(b)[0]):
            continue
        if str(e) not in seen:
            seen.append(str(e))
    return dict(r, status="FAIL" if bad else "PASS", reason=" | ".join(bad), exit=rc, seconds=round(dt, 2),
                verdict="; ".join(seen) or "no errors")


def san_verdict(case, root, tmp):
    """ASan (gcc) for address/heap cases, MSan (clang) for uninit cases: first report and its line."""
    kinds = set().union(*[x.kinds for _, x in case.expect]) if case.expect else set()
    res = []
    plans = []
    if not case.expect or kinds - {"UNINITIALIZED"}:
        plans.append(("asan", "gcc", "-O1 -g -fsanitize=address -fno-omit-frame-pointer -fsanitize-recover=address"))
    if "UNINITIALIZED" in kinds or not case.expect:
        plans.append(("msan", "clang", "-O1 -g -fsanitize=memory -fno-omit-frame-pointer -fsanitize-recover=memory"))
    for name, cc, fl in plans:
        if case.src.endswith(".cpp"):
            if name == "msan":
                continue                     # needs an instrumented libstdc++
            cc = "g++"
        exe = os.path.join(tmp, case.name.replace("/", "__") + "." + name)
        cmd = [cc] + fl.split() + shlex.split(COMMON) + ["-I", root] + shlex.split(case.cflags.replace("-static", "")) + \
            ["-o", exe, case.path] + shlex.split(case.libs)
        if subprocess.run(cmd, capture_output=True).returncode:
            res.append(name + ":build-failed")
            continue
        env = dict(os.environ, ASAN_OPTIONS="halt_on_error=0:detect_stack_use_after_return=1:alloc_dealloc_mismatch=1:"
                   "use_sigaltstack=0:allocator_may_return_null=1")
        try:
            p = subprocess.run([exe] + case.args, capture_output=True, env=env, timeout=20, cwd=tmp, stdin=subprocess.DEVNULL)
            o = (p.stdout + p.stderr).decode(errors="replace")
        except subprocess.TimeoutExpired:
            o = "TIMEOUT"
        os.unlink(exe)
        m = re.findall(r"(?:ERROR|WARNING): (?:Address|Memory|Leak)Sanitizer: ([^\n]*)", o)
        ln = re.findall(re.escape(case.src) + r":(\d+)", o)
        v = re.sub(r"\s*(on|0x).*| \(pid.*", "", m[0]) if m else ("TIMEOUT" if o == "TIMEOUT" else "none")
        lk = re.search(r"SUMMARY: AddressSanitizer: (\d+) byte\(s\) leaked in (\d+)", o)
        res.append("%s:%s%s%s" % (name, v.strip(), "@" + ln[0] if m and ln else "",
                                  " leaked %s/%s" % lk.groups() if lk else ""))
    return ", ".join(res)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("dir")
    ap.add_argument("--tool", default="valgrind")
    ap.add_argument("--json", action="store_true", help="machine-readable results on stdout")
    ap.add_argument("--filter", default="*", help="glob on group/name.c, may be a comma list")
    ap.add_argument("--build", help="only these build variants (comma list)")
    ap.add_argument("--native", action="store_true")
    ap.add_argument("--oracle", metavar="OUT.tsv")
    ap.add_argument("--san", action="store_true", help="with --oracle: add an ASan/MSan column")
    ap.add_argument("--agree-only", action="store_true", help="leave out the builds with a MEMCHECK: note")
    ap.add_argument("--timeout", type=float, default=60)
    ap.add_argument("--keep", metavar="TMPDIR", help="keep binaries and reports here")
    ap.add_argument("-v", action="store_true", help="also show what was reported for passing cases")
    ap.add_argument("-j", type=int, default=2)
    opt = ap.parse_args()
    root = os.path.abspath(opt.dir)
    cpuflags = set(re.search(r"^flags\s*:(.*)$", open("/proc/cpuinfo").read(), re.M).group(1).split())
    cases = []
    for d, _, fs in sorted(os.walk(root)):
        for f in sorted(fs):
            p = os.path.join(d, f)
            n = os.path.relpath(p, root)
            if f.endswith((".c", ".cpp")) and any(fnmatch.fnmatch(n, g) or fnmatch.fnmatch(f, g) for g in opt.filter.split(",")):
                cases.append(Case(p, root))
    if opt.keep:
        os.makedirs(opt.keep, exist_ok=True)
    tmpo = None if opt.keep else tempfile.TemporaryDirectory(prefix="judge.")
    tmp = os.path.abspath(opt.keep) if opt.keep else tmpo.name
    jobs = [(c, b) for c in cases for b in c.builds if (not opt.build or b in opt.build.split(",")) and
            not (opt.agree_only and c.reason(b))]
    with concurrent.futures.ThreadPoolExecutor(opt.j) as ex:
        futs = [ex.submit(run_one, c, b, opt, root, tmp, cpuflags) for c, b in jobs]
        res = []
        for f in futs:
            r = f.result()
            res.append(r)
            if not opt.json and not opt.oracle:
                print("%s  %s [%s]%s" % (r["status"], r["case"], r["build"], "  " + r["reason"] if r["reason"] else
                                         ("  " + r.get("verdict", "") if opt.v else "")), flush=True)
        san = {}
        if opt.oracle and opt.san:
            san = dict(zip([c.name for c in cases], ex.map(lambda c: san_verdict(c, root, tmp), cases)))
    np, nf = sum(r["status"] == "PASS" for r in res), sum(r["status"] == "FAIL" for r in res)
    ns = sum(r["status"] == "SKIP" for r in res)
    if opt.oracle:
        by = {c.name: c for c in cases}
        with open(opt.oracle, "w") as o:
            o.write("case\tbuild\texpected\tmemcheck\texit\tagree\treason\tsanitizers\n")
            for r in res:
                agree = {"PASS": "agree", "FAIL": "disagree", "SKIP": "skipped"}[r["status"]]
                why = "" if agree == "agree" else (by[r["case"]].reason(r["build"]) or "UNEXPLAINED " + r["reason"].replace("\n", " "))
                if agree == "agree" and by[r["case"]].reason(r["build"]):
                    why = "(note says it disagrees) " + by[r["case"]].reason(r["build"])
                o.write("\t".join(str(x) for x in (r["case"], r["build"], r["expected"], r.get("verdict", ""), r.get("exit", ""),
                                                   agree, why, san.get(r["case"], ""))) + "\n")
    if opt.json:
        print(json.dumps({"results": res, "passed": np, "failed": nf, "skipped": ns}, indent=1))
    else:
        if ns:
            print("%d skipped (cpu)" % ns)
        print("%d passed, %d failed" % (np, nf))
    return 0 if nf == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
