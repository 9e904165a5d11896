# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

run 0 "$drrun" -t
has "no tools are installed in $tools"

make_tool bbcount
make_tool memtrace
echo '# counts the basic blocks a program executes' >"$tools/bbcount.opt"
: >"$tools/README"
run 0 "$drrun" -t
silent
[ "$(wc -l <"$T/out")" = 2 ] || fail 'not two tools'
grep -q '^  bbcount  *counts the basic blocks' "$T/out" || fail 'no bbcount with its purpose'
has '  memtrace'

run 2 "$drrun" -t bbcont -- sh
one_line 'there is no tool bbcont; did you mean bbcount?'
run 2 "$drrun" -t zzzzzzzzzzzzzzzz -- sh
one_line 'the tool zzzzzzzzzzzzzzzz is not installed' "$tools"

# A path has a slash; the engine is given an absolute one.
mkdir "$T/my"
: >"$T/my/libmine.so"
cd "$T/my" || exit 1
run 0 "$drrun" -t ./libmine.so sh
has "config tool=$T/my/libmine.so" 'argv 3 sh'
run 2 "$drrun" -t ./other.so sh
one_line 'cannot open the tool ./other.so' 'No such file'

# Commands that are named after a tool which is not there.
run 2 "$T/tree/bin/drmemory" -- sh
one_line 'drmemory: the tool drmemory is not installed' "$tools"
run 2 "$T/tree/bin/drprof" -- sh
one_line 'drprof: the tool drprof is not installed'
