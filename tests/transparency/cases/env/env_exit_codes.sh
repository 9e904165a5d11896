#!/bin/bash
#! run: for n in 0 1 2 3 77 125 126 127 128 139 254 255; do $CMD $OUT exit $n; echo "exit $n: $?"; done; ulimit -c 0; for s in HUP INT QUIT KILL USR1 SEGV TERM PIPE ABRT 34 64; do $CMD $OUT kill $s; echo "signal $s: $?"; done 2>/dev/null; $CMD $OUT exec; echo $?; $CMD $OUT pipe; echo $?
# how a program ended is what its parent sees
case $1 in
exit) exit $2 ;;
kill) kill -$2 $$; exit 99 ;;
exec) exec /bin/sh -c 'exit 66' ;;
pipe) false | (exit 44) | true; echo "${PIPESTATUS[@]}"; exit 55 ;;
esac
