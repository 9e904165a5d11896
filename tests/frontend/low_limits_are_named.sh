# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
case ${SANITIZED:-} in ?*) skip 'a sanitized program needs more than the limits of this test' ;; esac

# Three descriptors, all in use: not even the program can be looked at.
ran='drrun with RLIMIT_NOFILE 3'
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- # whatever we were started with
(ulimit -n 3 && exec "$drrun" /bin/sh) >"$T/out" 2>"$T/err"
[ $? = 125 ] || fail 'not status 125'
one_line 'Too many open files' 'RLIMIT_NOFILE' 'is 3)'

# One more is enough for everything the front end does.
mkdir -p "$user_conf"
echo 'stats=1' >"$user_conf/sh.conf"
(ulimit -n 4 && exec "$drrun" -logdir "$T/logs" /bin/sh) >"$T/out" 2>"$T/err" || fail 'does not run with 4 descriptors'
has 'config stats=1'

# Too little memory: the kernel's or the C library's word if it does not even reach main, ours afterwards.
for kib in 600 900 1000 1100 1200 1500 2000 4000; do
    ran="drrun with RLIMIT_AS of $kib KiB"
    (ulimit -v "$kib" && exec "$drrun" /bin/sh) >"$T/out" 2>"$T/err"
    case $? in
    0) has 'config depth=0' ;;
    125) one_line 'emory' 'RLIMIT_AS' ;;
    137 | 139) [ "$kib" -le 1500 ] || fail 'killed' ;;
    127) grep -q glibc "$T/err" || fail 'status 127' ;;
    *) fail 'an odd status' ;;
    esac
done
