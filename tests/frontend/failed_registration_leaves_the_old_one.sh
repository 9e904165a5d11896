# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one

kept() {
    [ "$(cat "$user_conf/prog.conf")" = "$old" ] || fail 'the old file is not what it was'
    [ "$(ls -A "$user_conf" | grep -v '^fill$')" = prog.conf ] || fail "left behind: $(ls -A "$user_conf")"
}

# The folder cannot be made, because a file is in the way.
: >"$HOME/.config"
run 2 "$drconfig" -reg prog -stats
one_line 'drconfig: cannot create the folder' "$HOME/.config"
rm "$HOME/.config"

# Cannot be written at all.
if ! am_root; then
    run 0 "$drconfig" -reg prog -stats
    old=$(cat "$user_conf/prog.conf")
    chmod a-w "$user_conf"
    run 2 "$drconfig" -reg prog -quiet
    one_line 'drconfig: cannot create a file in' 'Permission denied'
    chmod u+w "$user_conf"
    kept
fi

# A full disk: a file system of two pages, in a mount namespace of its own.
if [ "${INSIDE:-}" ]; then
    mount -t tmpfs -o size=8k none "$INSIDE" || exit 1
    HOME=$INSIDE
    user_conf=$HOME/.config/drtools
    run 0 "$drconfig" -reg prog -stats
    old=$(cat "$user_conf/prog.conf")
    dd if=/dev/zero of="$user_conf/fill" bs=4096 2>/dev/null
    run 2 "$drconfig" -reg prog -t one -a "$(head -c 9000 /dev/zero | tr '\0' x)"
    one_line "drconfig: cannot write $user_conf/prog.conf: No space left"
    kept
    exit 0
fi
mkdir "$T/small"
unshare -rm true 2>/dev/null || unshare -m true 2>/dev/null || skip 'no mount namespace of our own to fill a disk in'
if am_root; then flags=-m; else flags=-rm; fi
INSIDE=$T/small unshare $flags sh "$0" "$built_drrun" "$fake_engine" "$generated"
