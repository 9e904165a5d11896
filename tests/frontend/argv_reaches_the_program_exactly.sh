# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

# Words that look like drrun's own, or that a shell would touch, are the program's behind its name.
run 0 "$drrun" -quiet -- sh -c 'a  b' '' '*' -t -- -help '$HOME' '%0A'
has 'argv 0 drengine' "argv 2 $(command -v sh)" 'argv 3 sh' 'argv 4 -c' 'argv 5 a  b' 'argv 6 ' 'argv 7 *' \
    'argv 8 -t' 'argv 9 --' 'argv 10 -help' 'argv 11 $HOME' 'argv 12 %0A'
lacks 'argv 13'

# The same without "--".
run 0 "$drrun" sh -quiet -- x
has 'argv 3 sh' 'argv 4 -quiet' 'argv 5 --' 'argv 6 x'
lacks 'argv 7'
has 'config quiet=1' # not from the program's word, but because no tool runs

# argv[0] is as typed, the path as execve would be given it.
mkdir "$T/here" && cp "$fake_engine" "$T/here/prog"
cd "$T/here" || exit 1
run 0 "$drrun" ./prog
has 'argv 2 ./prog' 'argv 3 ./prog'
