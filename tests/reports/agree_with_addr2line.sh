#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# agree_with_addr2line.sh LOOKUP COUNT DIR: compiles program.cpp in several ways in DIR and compares the symbolizer with
# other readers on it and on libc. What is not installed is left out, and said.
set -eu
here=$(dirname "$0") lookup=$1 count=$2 dir=$3
modules=
mkdir -p "$dir"

have() { command -v "$1" >/dev/null || { echo "without $1"; return 1; }; }
add() { modules="$modules $1"; }
# Compiled once a directory: the answers depend on it, the sources do not change.
build() {
    out=$dir/$1; shift
    [ -x "$out" ] && [ "$out" -nt "$here/program.cpp" ] || "$@" "$here/program.cpp" -o "$out"
    add "$out"
}

have addr2line || exit 77
have readelf || exit 77
have g++ && build gcc_5 g++ -g -O2 && build gcc_3 g++ -gdwarf-3 -O2
have clang++ && build clang_5 clang++ -g -O2 && build clang_4 clang++ -gdwarf-4 -O2
if have g++ && have dwz; then
    cp "$dir/gcc_5" "$dir/dwz_a"
    cp "$dir/gcc_5" "$dir/dwz_b"
    (cd "$dir" && dwz -m common.debug dwz_a dwz_b)
    add "$dir/dwz_a"
fi
if have g++ && have objcopy; then
    objcopy --only-keep-debug --compress-debug-sections "$dir/gcc_5" "$dir/linked.debug"
    (cd "$dir" && objcopy --strip-all --remove-section=.note.gnu.build-id --add-gnu-debuglink=linked.debug gcc_5 linked)
    add "$dir/linked"
fi
libc=/lib/x86_64-linux-gnu/libc.so.6
[ -d /usr/lib/debug/.build-id ] && [ -e $libc ] && add $libc
exec python3 "$here/agree_with_addr2line.py" "$lookup" "$count" $modules
