# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one
mkdir -p "$user_conf"
file=$user_conf/sh.conf

bad() { # CONTENTS LINE TEXT
    printf '%b' "$1" >"$file"
    run 2 "$drrun" sh
    one_line "drrun: $file:$2: " "$3"
}
bad 'stats=1\nnonsense\n' 2 'not of the form VAR=value'
bad '# x\n\n=1\n' 3 'not of the form VAR=value'
bad 'cache_maxx=1M\n' 1 'unknown variable cache_maxx; did you mean cache_max?'
bad 'reg=x\n' 1 'unknown variable reg'
bad 'cache_max=lots\n' 1 'takes a size'
bad 'stats=yes\n' 1 'must be 0 or 1'
bad 'norun=maybe\n' 1 'must be 0 or 1'
bad 'toolarg=x\n' 1 'without a tool'
bad 'tool=onne\n' 1 'there is no tool onne; did you mean one?'
bad 'log=50%\n' 1 '%25'
bad 'stats=1\0\n' 1 'not a text file'

# A folder in its place; a file that may not be read.
rm "$file" && mkdir "$file"
run 2 "$drrun" sh
one_line "cannot read $file"
rmdir "$file"
if ! am_root; then
    : >"$file" && chmod 0 "$file"
    run 2 "$drrun" sh
    one_line "cannot read $file" 'Permission denied'
    rm -f "$file"
fi

# Another program's file is read for its name only: a tool it lacks does not matter here.
echo 'tool=gone' >"$user_conf/other.conf"
run 0 "$drrun" sh
has 'config reg=other'
echo 'garbage' >"$user_conf/other.conf"
run 2 "$drrun" sh
one_line "$user_conf/other.conf:1:"
run 0 "$drrun" -no_conf sh
