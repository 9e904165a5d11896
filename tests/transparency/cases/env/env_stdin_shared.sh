#!/bin/sh
#! run: seq 1 200000 > in; { read a; $CMD $OUT; read b; $CMD $OUT; cat | md5sum; echo $a $b; } < in; $CMD $OUT | { cat >/dev/null; echo piped; }; x=$($CMD $OUT < in); echo "[$x]"; yes | $CMD $OUT; echo ${PIPESTATUS[1]}; $CMD $OUT < in > o 2>&1; cat o; $CMD $OUT <&- ; $CMD $OUT >&- ; echo $?
read line
echo "line: $line"
echo "to stderr" >&2
exit 4
