# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
mkdir "$T/a" "$T/b" "$T/c"
cp "$fake_engine" "$T/b/prog"
cp "$fake_engine" "$T/c/prog"
mkdir "$T/a/prog"             # a folder of that name is passed over
: >"$T/a/plain"               # and so is a file that is not executable

run 0 env PATH="$T/none:$T/a:$T/b:$T/c" "$drrun" prog
has "argv 2 $T/b/prog" 'argv 3 prog'

# An empty element is the current folder.
cd "$T/c" || exit 1
run 0 env PATH="$T/a::$T/b" "$drrun" prog
has 'argv 2 prog'

run 0 env -u PATH "$drrun" sh
has 'argv 2 /bin/sh'

run 127 env PATH="$T/none:$T/b" "$drrun" missing
one_line "cannot find the program 'missing' in PATH"
run 126 env PATH="$T/a:$T/b" "$drrun" plain
one_line 'plain' 'not executable'
run 127 "$drrun" ./missing
one_line './missing' 'No such file'
run 127 "$drrun" ''
one_line 'cannot find'
