/* Before every instruction: the address of each memory operand by emitted code, with one to three registers taken in
 * turn, compared with what dr_memory_addresses says in a clean call. Between the program's nops with the
 * displacements 0x11111111 and 0x22222222, prints the operands. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { MAX_SITES = 1 << 20 };

static uint32_t slot;
static struct site { struct dr_memory m; bool emitted, print; } *sites;
static uint32_t n_sites;
static uint64_t compared, failed, in_c;
static bool printing;

static bool
init(int argc, const char *const *argv)
{
    (void)argc, (void)argv;
    slot = dr_thread_memory(64);
    sites = dr_map(MAX_SITES * sizeof *sites);
    return slot && sites;
}

static void
check(uint64_t number, struct dr_mcontext *mc)
{
    struct site *s = &sites[number];
    uint64_t a[DR_MAX_ADDRESSES], emitted = *(uint64_t *)dr_thread_at(dr_thread_current(), slot);
    unsigned n = dr_memory_addresses(&s->m, mc, a);

    compared += s->emitted;
    in_c += !s->emitted;
    if (s->emitted && (n != 1 || a[0] != emitted)) {
        failed++;
        dr_print("memory: at 0x%lx: 0x%lx, emitted 0x%lx\n", mc->rip, a[0], emitted);
    }
    for (unsigned i = 0; i < n && s->print; i++)
        dr_print("%s%s %u 0x%lx\n", s->m.read ? "r" : "", s->m.written ? "w" : "", s->m.size, a[i]);
}

static bool
is_marker(const struct dr_insn *in, uint8_t which)
{
    return in->length == 8 && in->bytes[0] == 0x0f && in->bytes[1] == 0x1f && in->bytes[4] == which && in->bytes[5] == which && in->bytes[7] == which;
}

static bool block_begin(dr_block *b) { (void)b; return true; }

static void
block_insn(dr_block *b, unsigned i)
{
    struct dr_memory m[DR_MAX_MEMORY];
    unsigned n = dr_memory_operands(b, i, m);
    const struct dr_insn *in = dr_block_insn(b, i);

    printing = is_marker(in, 0x11) || (printing && !is_marker(in, 0x22));
    for (unsigned k = 0; k < n; k++) {
        static unsigned turn;
        enum reg base = m[k].base, index = m[k].index, into = REG_NONE;
        bool done;

        turn++;
        if (turn & 1 && base != REG_NONE && base != RSP && dr_take_this_register(b, base))
            into = base;
        if (turn & 2 && index != REG_NONE && !m[k].vsib && dr_take_this_register(b, index))
            into = turn & 4 || into == REG_NONE ? index : into;
        if (into == REG_NONE || turn & 8) {
            enum reg r = dr_take_register(b, i);
            into = r != REG_NONE && (into == REG_NONE || turn & 16) ? r : into;
        }
        for (unsigned r = RAX; r <= R15; r++)        /* what is taken is the tool's: no address may rely on it */
            if (r == into)
                x_mov_r_i64(dr_emit(b), (enum reg)r, 0x5555555555555555);
        done = dr_emit_address(b, i, &m[k], into);
        if (done)
            x_mov_slot_r(dr_emit(b), slot, into);
        dr_give_registers(b);
        DR_CHECK(n_sites < MAX_SITES, "there is room for every operand");
        sites[n_sites] = (struct site){m[k], done, printing};
        dr_insert_call(b, check, n_sites++);
    }
}

static void
report(void)
{
    dr_print("memory: %s, %s by emitted code, %s in C only\n", failed ? "they differ" : "all agree", compared > 1000 ? "many" : "few", in_c ? "some" : "none");
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "memory",
    .init = init, .exit = report, .block_begin = block_begin, .block_insn = block_insn,
};
