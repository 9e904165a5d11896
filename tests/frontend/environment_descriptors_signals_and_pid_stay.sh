# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

# What a program started in drrun's place would see is what the engine sees, in the same order.
facts() {
    grep '^env\|^fd\|^blocked\|^ignored' "$T/out"
}
same() { # WORDS...: how the command is started
    run 0 "$@" "$T/tree/lib/drtools/drengine"
    facts >"$T/native"
    run 0 "$@" "$drrun" /bin/sh
    facts >"$T/engine"
    [ -s "$T/native" ] || fail 'no facts'
    cmp -s "$T/native" "$T/engine" || fail "not the same: $(diff "$T/native" "$T/engine")"
}
same env -i A=1 B='x y' EMPTY= PATH="$PATH" HOME="$HOME" LD_BIND_NOW=1
same env -i
same sh -c 'trap "" USR1 PIPE; exec "$@" <&- 2>&- 7</dev/null 8>/dev/null' -

ran='the pid'
sh -c 'echo "pid $$"; exec "$0" /bin/sh' "$drrun" >"$T/out"
[ "$(grep -c '^pid' "$T/out")" = 2 ] || fail 'not two of them'
[ "$(grep '^pid' "$T/out" | sort -u | wc -l)" = 1 ] || fail 'it changed'
