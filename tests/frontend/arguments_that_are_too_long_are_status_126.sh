# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

# One word may have 128 KiB, here the configuration: the engine could not be given it.
make_tool one
long=$(head -c 100000 /dev/zero | tr '\0' x)
run 126 "$drrun" -t one -a "$long" "$long" -- sh
one_line 'too long'
