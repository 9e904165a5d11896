# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
command -v bash >/dev/null || skip 'no bash'
make_tool one
make_listed_tool listed <<'EOF'
top N how many
EOF

file=$generated/bash-completion/completions/drrun
bash -n "$file" || fail 'a syntax error'
offers() { # WANTED WORDS...: what is offered for the last of the words
    wanted=$1
    shift
    got=$(PATH=$T/tree/bin:$PATH bash -c '. "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _drtools
        echo "${COMPREPLY[*]}"' - "$file" "$@")
    [ "$got" = "$wanted" ] || fail "'$*' offers '$got', not '$wanted'"
}
offers '-quiet' drrun -q
offers '-no_follow_children' drrun -no_f
offers 'never' drrun -color n
offers 'listed one' drrun -t ''
offers '-top' drrun -t listed -to
offers '-record -reg' drconfig -r
offers "$T/tree" drrun -logdir "$T/tr"
