# SPDX-License-Identifier: BSD-3-Clause
# For the tests of the front end, each of which starts with
#     . "$(dirname "$0")/lib.sh"
# and is called with the paths of drrun, of the fake engine and of what is
# generated (man pages, completion). It works in $T, which has an installed
# tree with the fake engine in $T/tree, and none of the user's configuration.
set -u
built_drrun=$1
fake_engine=$2
generated=$3

T=$(mktemp -d "${TMPDIR:-/tmp}/drrun-test.XXXXXX") || exit 1
trap 'chmod -R u+rwX "$T" 2>/dev/null; rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$T/tree/bin" "$T/tree/lib/drtools/tools" "$T/home" "$T/etc"
cp "$built_drrun" "$T/tree/bin/drrun"
for name in drconfig drmemory drprof; do ln -s drrun "$T/tree/bin/$name"; done
cp "$fake_engine" "$T/tree/lib/drtools/drengine"
: >"$T/tree/lib/drtools/libZydis.so"
tools=$T/tree/lib/drtools/tools
drrun=$T/tree/bin/drrun
drconfig=$T/tree/bin/drconfig

HOME=$T/home
DRTOOLS_SYSCONFDIR=$T/etc
export HOME DRTOOLS_SYSCONFDIR
unset XDG_CONFIG_HOME
user_conf=$HOME/.config/drtools
global_conf=$T/etc/drtools

fail() {
    echo "FAILED: $*"
    for f in out err; do
        [ -s "$T/$f" ] && sed "s/^/  std$f: /" "$T/$f"
    done
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

# A tool without a list of options, or with one: lines of NAME ARGUMENT HELP.
make_tool() {
    : >"$tools/lib$1.so"
}
make_listed_tool() {
    make_tool "$1"
    sed '/^#/!{s/  */	/;s/  */	/;}' >"$tools/$1.opt"
}

# Runs a command, keeps its output in $T/out and $T/err, and checks its status.
run() {
    wanted=$1
    shift
    ran=$*
    "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ "$got" = "$wanted" ] || fail "$ran: status $got, not $wanted"
}

# Each argument is a whole line of standard output.
has() {
    for line; do
        grep -qxF -e "$line" "$T/out" || fail "$ran: no line '$line'"
    done
}
# No argument is part of standard output.
lacks() {
    for line; do
        if grep -qF -e "$line" "$T/out"; then fail "$ran: '$line' in the output"; fi
    done
}

# one_line TEXT...: standard error is one line with each TEXT in it, and standard output is empty.
one_line() {
    [ "$(wc -l <"$T/err")" = 1 ] || fail "$ran: standard error is not one line"
    [ -s "$T/out" ] && fail "$ran: something on standard output"
    for text; do
        grep -qF -e "$text" "$T/err" || fail "$ran: '$text' is not in the message"
    done
}

silent() {
    [ -s "$T/err" ] && fail "$ran: something on standard error"
    return 0
}

am_root() {
    [ "$(id -u)" = 0 ]
}
