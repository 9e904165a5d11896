# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

run 0 env -u NO_COLOR "$drrun" sh
lacks 'config color'
run 0 env NO_COLOR=1 "$drrun" -color always sh
has 'config color=1'

script -qec true /dev/null >/dev/null 2>&1 || skip 'no script(1) to make a terminal with'
on_terminal() { # WORDS...: $T/out is what the engine prints with a terminal on standard error
    ran=$*
    script -qec "$*" /dev/null </dev/null | tr -d '\r' >"$T/out"
}
on_terminal env -u NO_COLOR TERM=xterm "$drrun" sh
has 'config color=1'
on_terminal env NO_COLOR= TERM=xterm "$drrun" sh
has 'config color=1'
on_terminal env NO_COLOR=1 TERM=xterm "$drrun" sh
lacks 'config color'
on_terminal env -u NO_COLOR TERM=dumb "$drrun" sh
lacks 'config color'
on_terminal env -u NO_COLOR TERM=xterm "$drrun" -color never sh
lacks 'config color'
