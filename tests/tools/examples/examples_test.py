#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The example tools. examples_test.py CLAIM SOURCE-TREE BUILD-TREE runs one claim."""
import os, re, subprocess, sys, tempfile

source, built = sys.argv[2:4]
memory = os.path.join(built, "tests/tools/examples/examples_memory")


def run(command, status=0):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert p.returncode == status, f"{command}: status {p.returncode}, not {status}: {p.stdout.decode()}{p.stderr.decode()}"
    return p.stdout.decode(), p.stderr.decode()


def count(drrun, tool):
    _, err = run([drrun, "-t", tool, "--", memory], status=7)
    assert err.endswith("memcount: all: 2001 read, 3000 write\n"), err


def memcount_counts_exactly():
    drrun, tool = os.path.join(built, "bin/drrun"), os.path.join(built, "examples/libmemcount.so")
    count(drrun, tool)
    out, err = run([drrun, "-t", tool, "--", "/bin/sh", "-c", "(echo one); echo two"])
    assert out == "one\ntwo\n" and len(re.findall("(?m)^memcount: all: [1-9]", err)) == 2, (out, err)
    _, err = run([drrun, "-t", tool, "-x", "--", memory], status=2)
    assert err == "memcount: there is no option -x\n", err


def read(path):
    with open(os.path.join(source, path)) as f:
        return f.read()


def the_guide_shows_memcount_as_it_is():
    assert "```c\n" + read("examples/memcount/memcount.c") + "```\n" in read("docs/tool-api.md")


def the_guide_names_what_there_is():
    guide, header = read("docs/tool-api.md"), read("include/drtools/tool.h")
    for name in set(re.findall(r"`(dr_\w+|DR_\w+)", guide)):
        assert re.search(rf"\b{name}\b", header), f"{name} is not in tool.h"
    events = re.findall(r"\(\*(\w+)\)\(", header[header.index("struct dr_tool {"):header.index("/* ---- blocks")])
    for event in events:
        assert f"`{event}`" in guide, f"the event {event} is not in the guide"


def tools_are_built_against_an_installed_tree():
    with tempfile.TemporaryDirectory() as d:
        run(["cmake", "--install", built, "--prefix", d + "/tree"])
        run(["cmake", "-S", d + "/tree/share/doc/drtools/examples", "-B", d + "/build", "-DCMAKE_PREFIX_PATH=" + d + "/tree"])
        run(["cmake", "--build", d + "/build"])
        count(d + "/tree/bin/drrun", d + "/build/libmemcount.so")


globals()[sys.argv[1]]()
