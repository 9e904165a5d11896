# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one
cp "$fake_engine" "$T/prog"
chmod 111 "$T/prog"

# Root reads everything: be someone else.
if am_root; then
    chmod -R a+rX "$T/tree" && chmod a+rx "$T"
    drrun="setpriv --reuid=65534 --regid=65534 --clear-groups $drrun"
    $drrun -version >/dev/null 2>&1 || skip 'cannot become another user'
fi
run 0 $drrun -t one -- "$T/prog"
has "argv 0 $T/prog"
grep -q 'runs natively.*not read' "$T/err" || fail 'no note'
