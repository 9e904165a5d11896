# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one

# The rows of the table, from its source: name, and whether drrun or drconfig has it.
sed -n 's/^    \[OPT_[A-Z_]*\] = { "\([a-z_]*\)", SHAPE_\([A-Z]*\), [^,]*, [^,]*, [A-Z]*, FOR_\([A-Z]*\),.*/\1 \3/p' \
    "$(dirname "$0")/../../frontend/options.c" | grep -v '^trac' >"$T/table"
[ "$(wc -l <"$T/table")" -ge 15 ] || fail 'cannot read the table of options'

lists_no_traces() { # COMMAND
    run 0 "$T/tree/bin/$1" -help
    grep -q trace "$T/out" && fail "$1 -help lists what does nothing"
}

check() { # COMMAND OTHERS
    run 0 "$T/tree/bin/$1" -help
    silent
    awk '{ if (length > 80) exit 1 }' "$T/out" || fail "$1 -help: a line is wider than 80"
    while read -r name whose; do
        [ "$whose" = "$2" ] && continue
        grep -Eq "^  -(no_)?$name( |\$)" "$T/out" || fail "$1 -help lacks -$name"
        grep -Eq "^.fB.-(no_)?$(echo "$name" | sed 's/_/_/g').fR" "$generated/man/man1/$1.1" || fail "$1.1 lacks -$name"
        grep -Eq "options=.*-(no_)?$name " "$generated/bash-completion/completions/$1" || fail "completion lacks -$name"
    done <"$T/table"
}
lists_no_traces drrun
lists_no_traces drconfig
check drrun DRCONFIG
check drconfig DRRUN

if command -v man >/dev/null; then
    for page in drrun drconfig; do
        warnings=$(man -l --warnings "$generated/man/man1/$page.1" 2>&1 >/dev/null)
        [ -z "$warnings" ] || fail "$page.1: $warnings"
    done
fi
