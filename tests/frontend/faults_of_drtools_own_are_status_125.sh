# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
engine=$T/tree/lib/drtools/drengine

mv "$engine" "$engine.away"
run 125 "$drrun" sh
one_line 'drrun: cannot start the engine' "$engine" 'No such file'

: >"$engine"
run 125 "$drrun" sh
one_line 'cannot start the engine' 'Permission denied'
chmod +x "$engine"
run 125 "$drrun" sh
one_line 'cannot start the engine' 'Exec format error'
