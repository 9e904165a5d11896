#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# big_debug.sh BUILD_DIR [DIR]: the symbolizer and a 1,000-error report on a program with 300 MB of debug information, beside
# addr2line. Takes two minutes and 1 GB in DIR. Prints wall seconds and peak kilobytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd) build=$1 dir=${2:-/tmp/big_debug}
units=${UNITS:-800}
mkdir -p "$dir"
cd "$dir"

if [ ! -x big ]; then
    # One unit is compiled; the others are it with another namespace, which only needs the assembler.
    sed 's/namespace sample/namespace unitXXXX/; s/sample::/unitXXXX::/g; /^extern "C"/,$d' "$here/../program.cpp" > unit.cpp
    g++ -g -O1 -S unit.cpp -o unit.s
    : > main.cpp
    for i in $(seq 1000 $((1000 + units - 1))); do
        sed "s/unitXXXX/unit$i/g" unit.s | as -o "u$i.o" -
        echo "namespace unit$i { int run(int); }" >> main.cpp
        calls="${calls:-} s += unit$i::run(c);"
    done
    echo "int main(int c, char **) { int s = 0; ${calls:-} return s; }" >> main.cpp
    g++ -g -O1 main.cpp u*.o -o big
    rm u*.o
fi
ls -l big
[ -e addresses ] || nm big | awk '/ [tTwW] / { print "0x" $1 }' | sort -R --random-source=big | head -1000 > addresses
head -1 addresses > first

measure() { label=$1; shift; /usr/bin/time -f "$label: %e s, %M KB" "$@" > /dev/null; }
for round in 1 2; do
    measure "drtools, first frame" "$build/tests/reports/symbol_lookup" big < first
    measure "addr2line, first frame" addr2line -a -i -f -C -e big < first
done
measure "drtools, 1,000 addresses" "$build/tests/reports/symbol_lookup" big < addresses
measure "addr2line, 1,000 addresses" addr2line -a -i -f -C -e big < addresses
"$build/tests/reports/error_stream" "$dir/big" < addresses > errors.stream
measure "drtools, report of 1,000 errors" "$build/tests/reports/report_replay" -json big.json errors.stream
