/* One instruction run natively, from a given state to the state it leaves. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TESTS_MACHINE_H
#define DRTOOLS_TESTS_MACHINE_H

/* Fixed, and low: the assembly reaches them by absolute addresses. */
#define MACHINE_IN 0x10000000
#define MACHINE_OUT 0x10004000
#define MACHINE_HOST 0x10008000
#define MACHINE_CODE 0x1000c000
#define MACHINE_END 0x10010000

#define MACHINE_FLAGS 128
#define MACHINE_XSAVE 256
#define MACHINE_STATES 0xe7         /* x87 SSE AVX, the three of AVX-512 */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct machine {
    uint64_t gpr[16];
    uint64_t flags;
    uint64_t pad[15];
    uint8_t xsave[8192];            /* standard format */
};

extern const uint8_t machine_template[], machine_slot[], machine_template_end[];
/* f(a, b, c) with the vector, mask and x87 registers of MACHINE_IN. */
void call_with_registers(void *f, const void *a, void *b, const void *c);
#endif
#endif
