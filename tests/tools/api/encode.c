/* Inserts, by Zydis' encoder, before the first instruction of each block, what counts it: a wide sum in vector
 * registers and a bit-manipulation instruction, with the program's values kept in thread memory. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define ZYAN_NO_LIBC
#include <Zydis/Encoder.h>

#include "drtools/tool.h"

static uint32_t save, count;        /* thread memory: 32 bytes of ymm5; four counters */
static uint64_t sums[4];
static struct dr_mutex lock;

static bool
init(int argc, const char *const *argv)
{
    (void)argc, (void)argv;
    save = dr_thread_memory(64);
    count = dr_thread_memory(64);
    return save && count;
}

static ZydisEncoderOperand reg(ZydisRegister r)
{
    return (ZydisEncoderOperand){.type = ZYDIS_OPERAND_TYPE_REGISTER, .reg.value = r};
}
static ZydisEncoderOperand slot(uint32_t at, unsigned size)
{
    return (ZydisEncoderOperand){.type = ZYDIS_OPERAND_TYPE_MEMORY, .mem.displacement = at, .mem.size = (ZyanU16)size};
}

static void
insert(dr_block *b, ZydisMnemonic m, unsigned n, ZydisEncoderOperand o0, ZydisEncoderOperand o1, ZydisEncoderOperand o2)
{
    ZydisEncoderRequest r = {.machine_mode = ZYDIS_MACHINE_MODE_LONG_64, .mnemonic = m, .operand_count = (ZyanU8)n, .operands = {o0, o1, o2}};

    if (o0.type == ZYDIS_OPERAND_TYPE_MEMORY || o1.type == ZYDIS_OPERAND_TYPE_MEMORY || o2.type == ZYDIS_OPERAND_TYPE_MEMORY)
        r.prefixes = ZYDIS_ATTRIB_HAS_SEGMENT_GS;
    DR_CHECK(dr_insert_encoded(b, &r), "Zydis encodes the instruction");
}

static bool block_begin(dr_block *b) { return dr_block_count(b) > 0; }

static void
block_insn(dr_block *b, unsigned i)
{
    ZydisEncoderOperand none = {0}, y5 = reg(ZYDIS_REGISTER_YMM5);
    ZydisEncoderRequest bad = {.machine_mode = ZYDIS_MACHINE_MODE_LONG_64, .mnemonic = ZYDIS_MNEMONIC_BSWAP, .operand_count = 1,
                               .operands = {reg(ZYDIS_REGISTER_XMM0)}};
    uint8_t bytes[15];

    if (i)
        return;
    DR_CHECK(dr_encode(&bad, bytes) == 0, "there is no bswap xmm0");
    /* counters += 1 in each of four lanes: subtract -1 */
    insert(b, ZYDIS_MNEMONIC_VMOVDQU, 2, slot(save, 32), y5, none);
    insert(b, ZYDIS_MNEMONIC_VPCMPEQD, 3, y5, y5, y5);
    insert(b, ZYDIS_MNEMONIC_VPADDQ, 3, y5, y5, slot(count, 32));
    insert(b, ZYDIS_MNEMONIC_VMOVDQU, 2, slot(count, 32), y5, none);
    insert(b, ZYDIS_MNEMONIC_VMOVDQU, 2, y5, slot(save, 32), none);
}

static void
thread_exit(dr_thread *t)
{
    const uint64_t *c = dr_thread_at(t, count);

    dr_lock(&lock);
    for (int k = 0; k < 4; k++)
        sums[k] -= c[k];
    dr_unlock(&lock);
}

static void
at_exit(void)
{
    if (!dr_quiet())
        dr_print("encode: %lu %lu %lu %lu\n", sums[0], sums[1], sums[2], sums[3]);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "encode",
    .init = init, .exit = at_exit, .thread_exit = thread_exit, .block_begin = block_begin, .block_insn = block_insn};
