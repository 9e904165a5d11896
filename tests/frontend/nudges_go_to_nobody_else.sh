# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

run 2 "$drrun" -nudge
one_line 'drrun: ' '-nudge needs a value'
run 2 "$drrun" -nudge some
one_line '-nudge takes a number'
run 2 "$drrun" -nudge 12 sh
one_line '-nudge takes no program'
make_tool drmemory
run 2 "$T/tree/bin/drmemory" -nudge 4194305
one_line 'drmemory: ' 'there is no process 4194305'
# One without an engine lives on.
sleep 30 &
sleeper=$!
run 2 "$drconfig" -nudge $sleeper
one_line 'drconfig: ' "process $sleeper does not run under drtools"
kill -0 $sleeper || fail 'the process is gone'
kill $sleeper
# Nor is it an engine because of its name alone: it has to catch the signal.
cp "$(command -v sleep)" "$T/drengine"
"$T/drengine" 30 &
sleeper=$!
run 2 "$drrun" -nudge $sleeper
one_line "process $sleeper does not run under drtools"
kill -0 $sleeper || fail 'the process is gone'
kill $sleeper
am_root || {
    run 2 "$drrun" -nudge 1
    one_line 'cannot look at process 1' 'Permission denied'
}
