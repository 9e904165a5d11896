/* Arithmetic of partly undefined values. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_PROPAGATE_ARITHMETIC_H
#define DRTOOLS_PROPAGATE_ARITHMETIC_H

#include "propagate_priv.h"

typedef unsigned __int128 u128;

/* Undefined bits of a result and of the flags it leaves; relations: enum relation. */
struct flags { uint64_t result, u; unsigned relations; };

u128 undefined_sum128(struct bits a, struct bits b, struct bits carry);             /* bit n: the carry out */
u128 undefined_difference128(struct bits a, struct bits b, struct bits borrow);
struct flags flags_of_sum(struct bits a, struct bits b, struct bits carry, unsigned n, bool subtract);
struct bits flags_of_result(struct bits r, unsigned n);     /* SF ZF PF */
u128 undefined_product(struct bits a, struct bits b, unsigned n, bool is_signed);
bool undefined_overflow(struct bits a, struct bits b, unsigned n, bool is_signed);

#endif
