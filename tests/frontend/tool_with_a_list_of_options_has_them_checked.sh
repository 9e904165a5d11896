# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_listed_tool count <<'EOF'
# counts things
top N how many to list
json FILE write JSON to FILE
by thread|process what is counted together
cap SIZE most memory to use
verbose - say more
EOF

# No "--" is needed, the spelling is made uniform, and a value is a word of its own.
run 0 "$drrun" -t count -top 5 --json=out.json -verbose --no-verbose -by thread sh -top x
grep '^config toolarg' "$T/out" | tr '\n' ' ' >"$T/args"
[ "$(cat "$T/args")" = "config toolarg=-top config toolarg=5 config toolarg=-json config toolarg=out.json \
config toolarg=-verbose config toolarg=-no_verbose config toolarg=-by config toolarg=thread " ] ||
    fail "toolargs: $(cat "$T/args")"
has 'argv 3 sh' 'argv 4 -top' 'argv 5 x'

# A value may look like an option.
run 0 "$drrun" -t count -json -- -- sh
has 'config toolarg=--' 'argv 3 sh'

bad() {
    text=$1
    shift
    run 2 "$drrun" -t count "$@"
    one_line "$text"
}
bad 'the tool count has no option -tpo; did you mean -top?' -tpo 5 sh
bad 'the tool count has no option -quiet; drrun -t count -help lists them' -quiet sh
bad '-top needs a value' -top
bad '-top takes a number' -top many sh
bad '-cap takes a size' -cap many sh
bad '-by is one of thread|process' -by moon sh
bad '-verbose=1 takes no value' -verbose=1 sh

run 0 "$drrun" -t count -help
for text in 'counts things' '-top N' 'how many to list' '-json FILE' '-by thread|process' '-verbose'; do
    grep -qF -e "$text" "$T/out" || fail "-help lacks '$text'"
done

# A damaged list is reported with its place.
printf 'top\tN\thelp\nbroken line\n' >"$tools/count.opt"
run 2 "$drrun" -t count sh
one_line "$tools/count.opt:2:"
