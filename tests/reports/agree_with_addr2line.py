#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the symbolizer with binutils' addr2line on random code addresses.

  agree_with_addr2line.py LOOKUP COUNT MODULE...

Addresses are drawn from the functions of the symbol table: what lies between functions is padding, which addr2line
gives to the function before and we to none. Fails if fewer than 99.5 % of the answers for a module are identical,
inlined frames, names, paths and lines included.

addr2line 2.40 has faults that are frequent enough to matter: it takes file number 1 of a DWARF 5 line table for file 0,
misses inlined functions whose ranges or addresses are indexed (clang, DWARF 5), and gives an inlined C++ function without
a linkage name the name of the function it was inlined into, on the first question only. So where it differs,
llvm-symbolizer is asked as well, and an answer of ours that it confirms, frame by frame, counts as identical; how many
those are is printed.
"""
import os, random, re, shutil, subprocess, sys


def code_ranges(path):
    """Functions as (start, size), from the symbol table of the module or of its debug file."""
    found = set()
    for file in (path, debug_file(path)):
        out = file and subprocess.run(["readelf", "-sW", file], capture_output=True, text=True).stdout
        for m in re.finditer(r"^ *\d+: ([0-9a-f]+) +(\d+|0x[0-9a-f]+) (?:FUNC|IFUNC) .* (?!UND)\S+ \S+$", out or "", re.M):
            if int(m.group(2), 0):
                found.add((int(m.group(1), 16), int(m.group(2), 0)))
    return sorted(found)


def debug_file(path):
    if os.path.exists(path + ".debug"):
        return path + ".debug"
    out = subprocess.run(["readelf", "-nW", path], capture_output=True, text=True).stdout
    m = re.search(r"Build ID: (..)(\w+)", out)
    file = m and "/usr/lib/debug/.build-id/%s/%s.debug" % m.groups()
    return file if file and os.path.exists(file) else None


def pick(path, count):
    ranges = code_ranges(path)
    r = random.Random(path.rsplit("/", 1)[-1])
    return [s + r.randrange(n) for s, n in r.choices(ranges, [n for _, n in ranges], k=count)]


def answers(argv, addresses):
    text = "".join("%#x\n" % a for a in addresses)
    out = subprocess.run(argv, input=text, capture_output=True, text=True, errors="replace", check=True).stdout
    out = re.sub(r" \(discriminator \d+\)", "", out)
    # A relative compilation directory that is also directory 0: binutils writes it twice.
    out = re.sub(r"^(\./[^/\n:]+)/\1/", r"\1/", out, flags=re.M)
    out = re.sub(r"^:\?$", "??:0", out, flags=re.M)
    return [block.strip() for block in re.split(r"^0x[0-9a-f]{16}$", out, flags=re.M)[1:]]


def strip_templates(name):
    name = re.sub(r"operator\W+", "operator ", name.replace("(anonymous namespace)", ""))
    while re.search(r"<[^<>]*>", name):
        name = re.sub(r"<[^<>]*>", "", name)
    return re.sub(r"\[.*?\]| \[clone .*| \(\..*", "", name)


def names(answer):
    """The last parts of the functions' names: what several notations share."""
    return [re.sub(r"^.*::", "", re.sub(r"\(.*|<.*|@.*", "", strip_templates(line)))
            for line in answer.strip().split("\n")[::2]]


def places(answer):
    """File name:line of each frame."""
    return [re.sub(r":\?$", ":0", re.sub(r".*/", "", line)) for line in answer.strip().split("\n")[1::2]]


def confirmed(module, differ):
    """Of [(address, ours, theirs)], the addresses where llvm-symbolizer says what we say."""
    for name in ("llvm-symbolizer", "llvm-symbolizer-14"):
        if shutil.which(name):
            break
    else:
        return set()
    argv = [name, "-i", "-f", "-C", "--obj=" + (debug_file(module) or module)]
    text = "".join("%#x\n" % a for a, _, _ in differ)
    out = subprocess.run(argv, input=text, capture_output=True, text=True, errors="replace").stdout
    out = re.sub(r":\d+$", "", out, flags=re.M) # columns
    return {a for (a, ours, theirs), llvm in zip(differ, out.split("\n\n"))
            if places(ours) == places(llvm) and names(ours) in (names(llvm), names(theirs))}


def misnamed(ours, theirs):
    """Whether only names differ, and only as the third fault above explains (llvm reads no dwz files)."""
    function = names(ours)[-1]
    return places(ours) == places(theirs) and all(
        o == t or t == function for o, t in zip(names(ours), names(theirs)))


def main():
    lookup, count, bad = sys.argv[1], int(sys.argv[2]), 0
    for module in sys.argv[3:]:
        addresses = pick(module, count)
        ours = answers([lookup, module], addresses)
        theirs = answers(["addr2line", "-a", "-i", "-f", "-C", "-e", module], addresses)
        differ = [(a, o, t) for a, o, t in zip(addresses, ours, theirs) if o != t]
        right = confirmed(module, differ)
        wrong = [d for d in differ if d[0] not in right and not misnamed(*d[1:])]
        same = 100 * (1 - len(wrong) / count)
        print("%s: %.2f %% of %d identical (%d of them by llvm's word or misnamed by addr2line)" % (module, same, count,
                                                                             len(differ) - len(wrong)))
        for a, o, t in wrong[:40]:
            print("  %#x\n    ours:   %s\n    theirs: %s" % (a, o.replace("\n", " | "), t.replace("\n", " | ")))
        bad += same < 99.5 or len(ours) != count
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
