/* See rep.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "rep.h"

/* cmps and scas: they read what they leave as it is. */
static bool
compares(const struct dr_memory *m, unsigned n)
{
    return n == 2 ? m[0].read && m[1].read : n == 1 && m[0].read && m[0].base == RDI;
}

static bool
ends_at_equal(uint64_t pc, unsigned length)
{
    bool repne = false;
    uint8_t byte;

    for (unsigned i = 0; i < length && dr_safe_read(&byte, pc + i, 1); i++)
        if (byte == 0xf2 || byte == 0xf3)
            repne = byte == 0xf2;
    return repne;
}

uint64_t
rep_elements(uint64_t pc, unsigned length, const struct dr_memory *m, unsigned n, const struct dr_mcontext *mc)
{
    uint64_t count = m[0].address32 ? (uint32_t)mc->gpr[RCX] : mc->gpr[RCX], at[2][DR_MAX_ADDRESSES], value[2] = {0, mc->gpr[RAX]};
    uint64_t step = mc->rflags & 0x400 ? -(uint64_t)m->size : m->size, mask = m->size == 8 ? ~0ull : (1ull << 8 * m->size) - 1;

    if (!compares(m, n))
        return count;
    bool until_equal = ends_at_equal(pc, length);
    for (unsigned i = 0; i < n; i++)
        dr_memory_addresses(&m[i], mc, at[i]);
    for (uint64_t k = 0; k < count; k++) {
        for (unsigned i = 0; i < n; i++)
            if (!dr_safe_read(&value[i], at[i][0] + k * step, m->size))
                return k + 1;
        if (((value[0] & mask) == (value[1] & mask)) == until_equal)
            return k + 1;
    }
    return count;
}
