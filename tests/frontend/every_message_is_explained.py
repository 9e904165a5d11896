# SPDX-License-Identifier: BSD-3-Clause
"""Each failure the front end can report is in docs/troubleshooting.md.

The texts are taken from the calls that report failures in frontend/*.c; of each, the longest part without
a value of printf's must be in the document."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
document = " ".join((root / "docs/troubleshooting.md").read_text().replace("`", "").split())

# A name, then anything up to the first string: the text, perhaps in several pieces.
call = re.compile(r'\b(?:error_set|error_sys|bad)\(\s*[^;"]*?((?:"(?:[^"\\]|\\.)*"\s*)+)')
texts = set()
for source in sorted((root / "frontend").glob("*.c")):
    for found in call.finditer(source.read_text()):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found.group(1)))
        texts.add((source.name, text))

if len(texts) < 40:
    sys.exit(f"only {len(texts)} messages found: the search no longer fits the sources")
lacking = []
for name, text in sorted(texts):
    parts = [part.strip(" :;,()'`").replace("%%", "%").replace("`", "") for part in re.split(r"%(?:llu|[sud])", text)]
    longest = max(parts, key=len)
    if len(longest) > 1 and longest not in document:
        lacking.append(f"{name}: {text}")
if lacking:
    sys.exit("not in docs/troubleshooting.md:\n  " + "\n  ".join(lacking))
print(f"{len(texts)} messages")
