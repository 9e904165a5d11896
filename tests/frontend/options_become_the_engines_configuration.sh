# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one
make_tool two

# Nothing given: the first line is the version, and no key says what is the default anyway.
run 0 "$drrun" -t one -- sh
[ "$(grep '^config' "$T/out" | head -n 1)" = 'config drtools=1' ] || fail 'drtools=1 is not the first line'
[ "$(grep -c '^config' "$T/out")" = 5 ] || fail 'more keys than drtools, lib, zydis, tool, depth'
has "config lib=$T/tree/lib/drtools" "config zydis=$T/tree/lib/drtools/libZydis.so" \
    "config tool=$tools/libone.so" 'config depth=0'

run 0 "$drrun" -quiet -stats -no_follow_children -no_traces -cache_max 3M -trace_threshold 7 -native_from 0 \
    -log link,signal -color always -logdir "$T/logs" -t one sh
has 'config quiet=1' 'config stats=1' 'config follow=0' 'config traces=0' 'config cache_max=3145728' \
    'config trace_threshold=7' 'config native_from=0' 'config log=link,signal' 'config color=1' "config logdir=$T/logs"

# The last of several wins; a flag can be taken back.
run 0 "$drrun" -cache_max 1K -cache_max 2G -quiet -no_quiet -no_traces -traces -t one sh
has 'config cache_max=2147483648'
lacks 'config quiet' 'config traces'

# Several tools, in order, each with its own words. Line ends and '%' are escaped.
run 0 "$drrun" -t one -a 1 -t two -x '50%' 'new
line' -- sh
grep '^config tool' "$T/out" >"$T/tools"
cat >"$T/wanted" <<EOF
config tool=$tools/libone.so
config toolarg=-a
config toolarg=1
config tool=$tools/libtwo.so
config toolarg=-x
config toolarg=50%25
config toolarg=new%0Aline
EOF
cmp -s "$T/tools" "$T/wanted" || fail "the tools' lines: $(diff "$T/tools" "$T/wanted")"

# Without a tool nothing may be added to the program's output, unless it was asked for.
run 0 "$drrun" -stats sh
has 'config quiet=1' 'config stats=1'
