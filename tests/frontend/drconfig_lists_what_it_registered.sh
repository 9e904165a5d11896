# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool plain
make_listed_tool listed <<'EOF'
top N how many
EOF
PATH=$T/tree/bin:$PATH

run 0 drconfig -list
[ -s "$T/out" ] && fail 'something is registered'

run 0 drconfig -reg prog -cache_max 64M -no_traces -quiet -t listed --top=5 -t plain -x "a 'b" '100%' ' lead' 'new
line' ''
silent
run 0 drconfig -norun ssh
run 0 drconfig -global -reg server -no_follow_children
run 0 drconfig -list
cp "$T/out" "$T/first"
has 'drconfig -norun ssh' 'drconfig -global -reg server -no_follow_children'
grep -qF "drconfig -reg prog -quiet -cache_max 64M -no_traces -t listed -top 5 -t plain -x 'a '\\''b' 100% ' lead' 'new" \
    "$T/out" || fail 'prog is not listed as it was registered'
run 0 drconfig -list -global
[ "$(cat "$T/out")" = 'drconfig -global -reg server -no_follow_children' ] || fail 'not only the global one'

# The list is commands: run again elsewhere, they register the same.
rm -r "$user_conf" "$global_conf"
sh "$T/first" || fail 'the listed commands do not work'
run 0 drconfig -list
cmp -s "$T/out" "$T/first" || fail 'the second list is another'

# And it is what drrun uses.
cp "$fake_engine" "$T/prog"
run 0 drrun "$T/prog"
has 'config quiet=1' 'config cache_max=67108864' 'config traces=0' "config tool=$tools/liblisted.so" \
    'config toolarg=-top' 'config toolarg=5' "config tool=$tools/libplain.so" 'config toolarg=-x' \
    "config toolarg=a 'b" 'config toolarg=100%25' 'config toolarg= lead' 'config toolarg=new%0Aline' \
    'config toolarg=' 'config norun=ssh' 'config reg=server'

# A tool that is gone does not keep the rest from being listed.
rm "$tools/libplain.so"
run 0 drconfig -list
cmp -s "$T/out" "$T/first" || fail 'the list needs the tools'

# Registered again: the new replaces the old.
run 0 drconfig -reg prog -stats
run 0 drconfig -list
has 'drconfig -reg prog -stats'
run 0 drconfig -unreg prog
run 0 drconfig -unreg ssh
run 0 drconfig -list
[ "$(cat "$T/out")" = 'drconfig -global -reg server -no_follow_children' ] || fail 'not unregistered'
[ -z "$(ls -A "$user_conf")" ] || fail "left behind: $(ls -A "$user_conf")"
