#!/usr/bin/env python3
"""Which options change what drmemory reports of a program with a leak, an overflow and an uninitialized read."""
import re
import subprocess
import sys
import tempfile

drmemory, program = sys.argv[1:]
LEAK, ACCESS, READ = "LEAK", "UNADDRESSABLE ACCESS", "UNINITIALIZED READ"


def reported(*options):
    with tempfile.TemporaryDirectory() as logs:
        out = subprocess.run([drmemory, "-batch", "-logdir", logs, *options, "--", program], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out
    return {k for k in (LEAK, ACCESS, READ) if re.search(r"Error #\d+: " + k, out.stderr)}


for options, expected in [
    ([], {LEAK, ACCESS, READ}),
    (["-light"], {ACCESS}),
    (["-no_check_uninitialized"], {LEAK, ACCESS}),
    (["-leaks_only"], {LEAK}),
    (["-no_check_leaks"], {ACCESS, READ}),
    (["-no_count_leaks"], {ACCESS, READ}),
]:
    got = reported(*options)
    assert got == expected, f"{options}: {got}, not {expected}"
print("ok")
