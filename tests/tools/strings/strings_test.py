#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""drmemory's string functions on program.c. strings_test.py CLAIM DRRUN TOOL WORK-DIRECTORY runs one claim."""
import os, re, subprocess, sys

drrun, tool, work = sys.argv[2:5]
here = os.path.dirname(os.path.abspath(__file__))

# Addresses that several names share are told by the one that was resolved first.
SHARED = {"bcmp": "memcmp", "rindex": "strrchr", "index": "strchr", "memmove": "memcpy"}
EXPECTED = """\
memcpy writes redzone+0 20
memset writes redzone+8 4
strcpy writes redzone+9 4
strncpy writes redzone+3 5
stpcpy writes redzone+0 2
strcat reads redzone+60 1
strcat writes redzone+60 1
memset writes redzone+0 63
strlen reads redzone+63 1
strnlen reads redzone+0 8
memchr reads redzone+0 4
memcmp reads redzone+0 1
strcmp reads redzone+62 1
strncmp reads redzone+0 1
strchr reads redzone+60 1
strrchr reads redzone+61 1
strspn reads redzone+63 1
strstr reads redzone+61 1
wcslen reads redzone+60 4
memcpy overlap -20 40
mempcpy overlap 4 8
strcpy overlap 2 9
strlen undefined
memcmp undefined
memcmp undefined
memset writes wild 8
"""


def build(name, *flags):
    out = os.path.join(work, name)
    subprocess.run(["gcc", "-std=gnu17", "-w", "-fno-builtin", "-o", out, os.path.join(here, "program.c"), *flags], check=True)
    return out


def check(program):
    p = subprocess.run([drrun, "-t", tool, "--", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert (p.returncode, p.stdout) == (0, "done\n"), (p.returncode, p.stdout, p.stderr)
    got = re.sub(r"redzone\+\d{8,}|redzone-\d+", "wild", p.stderr)
    got = re.sub(r" undefined .*", " undefined", got)
    got = re.sub(r"^\w+", lambda m: SHARED.get(m.group(), m.group()), got, flags=re.M)
    assert got == EXPECTED, got


def reports_name_function_and_extent():
    check(build("dynamic", "-O1"))
    check(build("lazy", "-O2", "-Wl,-z,lazy"))
    check(build("noplt", "-O2", "-fno-plt", "-Wl,-z,now"))
    check(build("nopie", "-O1", "-no-pie", "-fcf-protection", "-Wl,-z,ibtplt"))


def static_programs_are_known_by_their_resolvers():
    check(build("static", "-O1", "-static"))
    check(build("static-pie", "-O1", "-static-pie"))


os.makedirs(work, exist_ok=True)
globals()[sys.argv[1]]()
