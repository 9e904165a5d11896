# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
case ${SANITIZED:-} in ?*) skip 'a sanitized program is dynamically linked' ;; esac

run 0 env LD_PRELOAD=/no/such/library.so LD_DEBUG=all "$drrun" sh
silent
has 'env LD_PRELOAD=/no/such/library.so' 'env LD_DEBUG=all'
