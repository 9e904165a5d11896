# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one

# Its words are passed on as they are, up to "--".
run 0 "$drrun" -t one --json=F -n 3 file -quiet -- sh
has 'config toolarg=--json=F' 'config toolarg=-n' 'config toolarg=3' 'config toolarg=file' 'config toolarg=-quiet' \
    'argv 3 sh'
lacks 'config quiet'

# Without options the first word is the program.
run 0 "$drrun" -t one sh -c true
has 'argv 3 sh' 'argv 4 -c'
lacks 'toolarg'

# Which word is the program, nobody can know here.
run 2 "$drrun" -t one -n 3 sh
one_line 'write -- between the options of the tool one and the program'

run 0 "$drrun" -t one -help
grep -q 'does not list' "$T/out" || fail 'no word about its options'
