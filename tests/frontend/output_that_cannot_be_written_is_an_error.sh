# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
[ -c /dev/full ] || skip 'no /dev/full'

for words in -help -version -t; do
    ran="drrun $words"
    "$drrun" $words >/dev/full 2>"$T/err"
    [ $? = 2 ] || fail 'not status 2'
    one_line 'cannot write to standard output: No space left'
done
