# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one
cp "$fake_engine" "$T/prog"

run 0 "$drrun" -t one -- "$T/prog"
has 'argv 2 '"$T/prog"
chmod u+s "$T/prog" # its owner is who we are: nothing changes
run 0 "$drrun" -t one -- "$T/prog"
silent
has 'argv 0 drengine'

if am_root; then
    findmnt -no OPTIONS -T "$T" 2>/dev/null | grep -q nosuid && skip "$T is on a file system mounted nosuid"
    chown 65534 "$T/prog"
    chmod u+s "$T/prog"
    run 0 "$drrun" -t one -- "$T/prog"
    has "argv 0 $T/prog"
    grep -q 'runs natively.*set-user-id' "$T/err" || fail 'no note'

    # Where the kernel ignores the bit, so do we.
    run 0 setpriv --no-new-privs "$drrun" -t one -- "$T/prog"
    silent
    has 'argv 0 drengine'
elif [ -u /bin/su ] && /bin/su --version >/dev/null 2>&1; then
    run 0 "$drrun" -t one -- /bin/su --version
    grep -q 'runs natively.*set-user-id' "$T/err" || fail 'no note'
else
    skip 'no set-user-id program to try: not root, and no su'
fi
