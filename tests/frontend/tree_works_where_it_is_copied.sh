# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one

cp -a "$T/tree" "$T/copy with space"
run 0 "$T/copy with space/bin/drrun" -t one sh
has "config lib=$T/copy with space/lib/drtools" "config tool=$T/copy with space/lib/drtools/tools/libone.so"

# Through links, the tree of the real file counts.
mkdir "$T/links"
ln -s "$drrun" "$T/links/drrun"
ln -s "$drrun" "$T/links/dr"
run 0 env PATH="$T/links:$PATH" drrun sh
has "config lib=$T/tree/lib/drtools"
run 2 "$T/links/dr" -quite sh
one_line 'drrun: '

# Its copy of libZydis comes first; without one it is the system's.
has_zydis=$(ls /usr/lib/x86_64-linux-gnu/libZydis.so.4.0 /usr/lib64/libZydis.so.4.0 2>/dev/null)
rm "$T/tree/lib/drtools/libZydis.so"
if [ "$has_zydis" ]; then
    run 0 "$drrun" sh
    zydis=$(sed -n 's/^config zydis=//p' "$T/out")
    [ -r "$zydis" ] || fail "no such library: $zydis"
fi
