# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

cd "$T" || exit 1
run 0 "$drrun" -logdir logs sh
[ -d "$T/logs" ] || fail 'not created'
has "config logdir=$T/logs" # absolute, whatever folder the program changes to
run 0 "$drrun" -logdir logs sh

run 2 "$drrun" -logdir "$T/no/logs" sh
one_line "drrun: cannot create the folder $T/no/logs: No such file"
: >"$T/file"
run 2 "$drrun" -logdir "$T/file" sh
one_line "drrun: cannot write into the folder $T/file: Not a directory"
run 2 "$drrun" -logdir "$T/file/logs" sh
one_line 'Not a directory'
am_root || {
    mkdir "$T/closed" && chmod a-w "$T/closed"
    run 2 "$drrun" -logdir "$T/closed" sh
    one_line 'cannot write into the folder' 'Permission denied'
}
