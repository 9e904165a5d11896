# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_listed_tool listed <<'EOF'
top N how many
EOF

bad() {
    text=$1
    shift
    run 2 "$drconfig" "$@"
    one_line 'drconfig: ' "$text"
    [ -e "$user_conf" ] && fail 'something was written'
}
bad 'give one of' -global
bad 'give one of' -reg a -unreg b
bad '-reg needs a value' -reg
bad 'not the name of a program' -reg /bin/sh
bad '-reg takes APP' -reg ''
bad 'there is no option -rge; did you mean -reg?' -rge prog
bad 'there is no option -no_conf' -reg prog -no_conf
bad 'takes a size' -reg prog -cache_max x
bad 'there is no tool lsited; did you mean listed?' -reg prog -t lsited
bad 'has no option -tpo; did you mean -top?' -reg prog -t listed -tpo 5
bad "what to do with 'word'" -reg prog word
bad "what to do with 'word'" -reg prog -t listed word
bad '-norun takes no other options' -norun prog -stats
bad '-norun takes no tools' -norun prog -t listed
bad 'prog is not registered' -unreg prog
bad 'prog is not registered for all users' -global -unreg prog

run 2 env -u HOME "$drconfig" -reg prog
one_line 'set HOME or XDG_CONFIG_HOME'
run 0 env -u HOME "$drrun" sh
