/* What propagate_step reports, and the instructions that the random test leaves out. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "doubles.h"
#include "propagate_priv.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/mman.h>

UNIT_MAIN

/* An instruction under a name. */
#define CODE(name, text) \
    __asm__(".pushsection .rodata\n" #name ": .intel_syntax noprefix\n" text "\n.att_syntax\n.fill 16, 1, 0x90\n.popsection"); \
    extern const uint8_t name[];

CODE(mov_eax_rbx, "mov eax, [rbx]")
CODE(mov_rax_rbx, "mov rax, [rbx]")
CODE(mov_rbx_eax, "mov [rbx], eax")
CODE(add_rbx_eax, "add [rbx], eax")
CODE(lea_rax, "lea rax, [rbx + rcx*4 + 8]")
CODE(push_rax, "push rax")
CODE(pop_rax, "pop rax")
CODE(call_near, "call .+64")
CODE(call_rax, "call rax")
CODE(jmp_rbx, "jmp [rbx]")
CODE(ret_near, "ret")
CODE(jne_near, "jne .+64")
CODE(jrcxz_near, "jrcxz .+32")
CODE(loop_near, "loop .+32")
CODE(pushfq_, "pushfq")
CODE(popfq_, "popfq")
CODE(rep_movsb, "rep movsb")
CODE(rep_stosq, "rep stosq")
CODE(rep_movsq, "rep movsq")
CODE(repne_scasb, "repne scasb")
CODE(cpuid_, "cpuid")
CODE(rdtsc_, "rdtsc")
CODE(syscall_, "syscall")
CODE(enter_, "enter 32, 0")
CODE(masked_load, "vmovdqu32 zmm1{k1}, [rbx]")
CODE(masked_store, "vmovdqu32 [rbx]{k1}, zmm1")
CODE(movdqa_load, "movdqa xmm1, [rbx]")
CODE(movdqa_store, "movdqa [rbx], xmm1")
CODE(gather, "vpgatherdd xmm1{k1}, [rbx + xmm2*4]")
CODE(scatter, "vpscatterdd [rbx + xmm2*4]{k1}, xmm1")
CODE(fxsave_, "fxsave64 [rbx]")
CODE(fxrstor_, "fxrstor64 [rbx]")
CODE(xsave_, "xsave64 [rbx]")
CODE(xrstor_, "xrstor64 [rbx]")
CODE(xsavec_, "xsavec64 [rbx]")
CODE(fnsave_, "fnsave [rbx]")
CODE(frstor_, "frstor [rbx]")
CODE(sete_al, "sete al")

static struct regstate rs;
static struct dr_mcontext mc;

static void
start(void)
{
    static bool mapped;

    if (!mapped && mmap((void *)ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)ARENA)
        exit(1);
    mapped = true;
    memset(&rs, 0, sizeof rs);
    memset(&mc, 0, sizeof mc);
    memset(arena_bits, 0, sizeof arena_bits);
    memset(arena_closed, 0, sizeof arena_closed);
    mc.rflags = 2;
    mc.gpr[RBX] = ARENA + 0x100;
    mc.gpr[RSP] = ARENA + 0x800;
    reports_clear();
}

static void
undefine(unsigned r, uint64_t u)
{
    rs.gpr[r] = u;
    rs.summary |= summary_gpr(r);
}

static void
undefine_flags(uint64_t u)
{
    rs.flags = u;
    rs.summary |= 1ull << SUMMARY_FLAGS;
}

static void
step(const uint8_t *code)
{
    struct step s;

    if (!step_make(code, 15, (uint64_t)code, &s))
        exit(1);
    reports_clear();
    mc.rip = (uint64_t)code;
    propagate_step(&s, &rs, &mc);
}

TEST(address, undefined_register_is_reported_once)
{
    start();
    undefine(RBX, 1ull << 40);
    step(mov_eax_rbx);
    EXPECT_EQUAL("first", reports.uninitialized, 1);
    EXPECT_EQUAL("first", reports.kind, UNINIT_ADDRESS);
    step(mov_eax_rbx);
    EXPECT_EQUAL("second", reports.uninitialized, 0);
    EXPECT_EQUAL("summary", rs.summary, 0);
}

TEST(address, lea_reports_nothing)
{
    start();
    undefine(RCX, 1);
    step(lea_rax);
    EXPECT_EQUAL("lea", reports.uninitialized, 0);
    EXPECT_EQUAL("lea", rs.gpr[RAX], 4);
}

TEST(access, the_operand_is_named)
{
    start();
    memset(arena_closed + 0x104, 1, 16);
    step(mov_rax_rbx);
    EXPECT_EQUAL("read", reports.unaddressable, 1);
    EXPECT_EQUAL("read", reports.address, ARENA + 0x100);
    EXPECT_EQUAL("read", reports.size, 8);
    EXPECT_EQUAL("read", reports.write, false);
    step(mov_rbx_eax);
    EXPECT_EQUAL("write before them", reports.unaddressable, 0);
}

TEST(access, read_modify_write_is_one_write)
{
    start();
    memset(arena_closed + 0x100, 1, 4);
    step(add_rbx_eax);
    EXPECT_EQUAL("add", reports.unaddressable, 1);
    EXPECT_EQUAL("add", reports.write, true);
}

TEST(access, stack_instructions_use_the_slot)
{
    start();
    memset(arena_closed + 0x7f8, 1, 8);
    undefine(RAX, 0xff00);
    step(push_rax);
    EXPECT_EQUAL("push", reports.address, ARENA + 0x7f8);
    step(call_near);
    EXPECT_EQUAL("call", reports.address, ARENA + 0x7f8);
    step(enter_);
    EXPECT_EQUAL("enter", reports.address, ARENA + 0x7f8);
    start();
    undefine(RAX, 0xff00);
    step(push_rax);
    EXPECT_EQUAL("push", arena_bits[0x7f9], 0xff);
    step(call_near);
    EXPECT_EQUAL("call defines its slot", arena_bits[0x7f9], 0);
    arena_bits[0x803] = 0x10;
    step(pop_rax);
    EXPECT_EQUAL("pop", rs.gpr[RAX], 0x10000000);
}

TEST(jump, undefined_condition_is_reported_and_settled)
{
    start();
    undefine_flags(FLAG_ZF | FLAG_SF);
    step(sete_al);
    EXPECT_EQUAL("setcc", reports.uninitialized, 0);
    EXPECT_EQUAL("setcc", rs.gpr[RAX], 1);
    step(jne_near);
    EXPECT_EQUAL("jne", reports.uninitialized, 1);
    EXPECT_EQUAL("jne", reports.kind, UNINIT_JUMP);
    EXPECT_EQUAL("jne", rs.flags, 0);
    step(jne_near);
    EXPECT_EQUAL("again", reports.uninitialized, 0);
}

TEST(jump, undefined_flag_that_does_not_count_is_no_error)
{
    start();
    undefine_flags(FLAG_CF | FLAG_OF | FLAG_PF);
    step(jne_near);
    EXPECT_EQUAL("jne", reports.uninitialized, 0);
}

TEST(jump, indirect_targets)
{
    start();
    undefine(RAX, 1);
    step(call_rax);
    EXPECT_EQUAL("call", reports.uninitialized, 1);
    arena_bits[0x100] = 1;
    step(jmp_rbx);
    EXPECT_EQUAL("jmp", reports.uninitialized, 1);
    arena_bits[0x800] = 1;
    step(ret_near);
    EXPECT_EQUAL("ret", reports.uninitialized, 1);
    step(ret_near);
    EXPECT_EQUAL("ret again", reports.uninitialized, 0);
}

TEST(jump, on_rcx)
{
    start();
    mc.gpr[RCX] = 0x10;
    undefine(RCX, 1);
    step(jrcxz_near);
    EXPECT_EQUAL("a known bit decides", reports.uninitialized, 0);
    step(loop_near);
    EXPECT_EQUAL("loop", reports.uninitialized, 0);
    undefine(RCX, 0x10);
    step(jrcxz_near);
    EXPECT_EQUAL("jrcxz", reports.uninitialized, 1);
}

TEST(flags, go_through_memory)
{
    start();
    undefine_flags(FLAG_CF | FLAG_OF);
    step(pushfq_);
    EXPECT_EQUAL("pushf", arena_bits[0x7f8], 1);
    EXPECT_EQUAL("pushf", arena_bits[0x7f9], 8);
    rs.flags = rs.summary = 0;
    mc.gpr[RSP] -= 8;
    step(popfq_);
    EXPECT_EQUAL("popf", rs.flags, FLAG_CF | FLAG_OF);
    EXPECT_EQUAL("popf", rs.summary, 1ull << SUMMARY_FLAGS);
}

TEST(string, range_is_checked_as_a_whole)
{
    start();
    mc.gpr[RSI] = ARENA + 0x200;
    mc.gpr[RDI] = ARENA + 0x300;
    mc.gpr[RCX] = 0x40;
    memset(arena_closed + 0x330, 1, 0x20);
    memset(arena_bits + 0x210, 0xff, 4);
    step(rep_movsb);
    EXPECT_EQUAL("movs", reports.unaddressable, 1);
    EXPECT_EQUAL("movs", reports.address, ARENA + 0x330);
    EXPECT_EQUAL("movs", reports.size, 0x10);
    EXPECT_EQUAL("movs", reports.write, true);
    EXPECT_EQUAL("movs", arena_bits[0x310], 0xff);
    propagate_undo(&rs, mc.rip + 2);
    EXPECT_EQUAL("another instruction faulted", arena_bits[0x310], 0xff);
    propagate_undo(&rs, mc.rip);
    EXPECT_EQUAL("undo", arena_bits[0x310], 0);
    memset(arena_closed + 0x220, 1, 4);
    step(rep_movsb);
    EXPECT_EQUAL("the source fails first", reports.address, ARENA + 0x220);
    EXPECT_EQUAL("the source fails first", reports.unaddressable, 2);
}

TEST(string, overlap_repeats_what_was_written)
{
    start();
    mc.gpr[RSI] = ARENA + 0x200;
    mc.gpr[RDI] = ARENA + 0x204;
    mc.gpr[RCX] = 16;
    memset(arena_bits + 0x200, 0xff, 4);
    step(rep_movsb);
    EXPECT_EQUAL("end", arena_bits[0x213], 0xff);
    EXPECT_EQUAL("beyond", arena_bits[0x214], 0);
}

TEST(string, long_ranges)
{
    start();
    mc.gpr[RDI] = ARENA + 0x200;
    mc.gpr[RCX] = 0x80;
    undefine(RAX, ~0ull);
    step(rep_stosq);
    EXPECT_EQUAL("first", arena_bits[0x200], 0xff);
    EXPECT_EQUAL("last", arena_bits[0x5ff], 0xff);
    EXPECT_EQUAL("beyond", arena_bits[0x600], 0);
    mc.gpr[RSI] = ARENA + 0x200;
    mc.gpr[RDI] = ARENA + 0x800;
    step(rep_movsq);
    EXPECT_EQUAL("copied", arena_bits[0xbff], 0xff);
    EXPECT_EQUAL("reports", reports.unaddressable, 0);
}

TEST(string, scan_stops_where_it_finds)
{
    start();
    memset((void *)(ARENA + 0x200), 'x', 64);
    *(char *)(ARENA + 0x210) = 0;
    mc.gpr[RDI] = ARENA + 0x200;
    mc.gpr[RCX] = ~0ull;
    memset(arena_closed + 0x211, 1, 16);
    memset(arena_bits + 0x211, 0, 16);
    step(repne_scasb);
    EXPECT_EQUAL("what follows is not read", reports.unaddressable, 0);
    EXPECT_EQUAL("defined", reports.uninitialized, 0);
    arena_bits[0x204] = 0xff;
    step(repne_scasb);
    EXPECT_EQUAL("an undefined byte decides", reports.uninitialized, 1);
}

TEST(results, of_the_system_are_defined)
{
    start();
    undefine(RAX, 1);
    undefine(RBX, 1);
    undefine(RCX, 1);
    undefine(RDX, 1);
    step(cpuid_);
    EXPECT_EQUAL("cpuid", rs.summary, 0);
    undefine(RAX, 1);
    step(rdtsc_);
    EXPECT_EQUAL("rdtsc", rs.summary, 0);
    undefine(R11, 1);
    step(syscall_);
    EXPECT_EQUAL("syscall", rs.summary, 0);
}

static void
load_k1(uint64_t v)
{
    __asm__ volatile("kmovq %0, %%k1" : : "r"(v));
}

TEST(mask, only_active_elements_are_accessed)
{
    if (!cpu_has_mask_registers())
        return;
    start();
    memset(arena_closed + 0x108, 1, 4);
    load_k1(0xfffb);
    step(masked_load);
    EXPECT_EQUAL("load", reports.unaddressable, 0);
    load_k1(0xffff);
    step(masked_load);
    EXPECT_EQUAL("load", reports.address, ARENA + 0x108);
    EXPECT_EQUAL("load", reports.size, 4);
    start();
    memset(rs.zmm[1], 0xff, 64);
    rs.summary = summary_zmm(1);
    load_k1(2);
    step(masked_store);
    EXPECT_EQUAL("inactive", arena_bits[0x103], 0);
    EXPECT_EQUAL("active", arena_bits[0x104], 0xff);
    EXPECT_EQUAL("inactive", arena_bits[0x108], 0);
}

TEST(access, aligned_vector_load_may_reach_beyond)
{
    start();
    memset(arena_closed + 0x109, 1, 16);
    step(movdqa_load);
    EXPECT_EQUAL("some bytes are there", reports.unaddressable, 0);
    EXPECT_EQUAL("within", rs.zmm[1][8], 0);
    EXPECT_EQUAL("beyond", rs.zmm[1][9], 0xff);
    step(movdqa_store);
    EXPECT_EQUAL("a store may not", reports.unaddressable, 1);
    memset(arena_closed + 0x100, 1, 16);
    step(movdqa_load);
    EXPECT_EQUAL("nothing is there", reports.unaddressable, 1);
}

TEST(gather, indices_and_masks)
{
    if (!cpu_has_mask_registers())
        return;
    start();
    load_k1(0xd);
    __asm__ volatile("pxor %xmm2, %xmm2");
    arena_bits[0x101] = 0x80;
    step(gather);
    EXPECT_EQUAL("reports", reports.uninitialized, 0);
    EXPECT_EQUAL("active", rs.zmm[1][1], 0x80);
    EXPECT_EQUAL("inactive", rs.zmm[1][5], 0);
    EXPECT_EQUAL("active", rs.zmm[1][9], 0x80);
    rs.zmm[2][4] = 1;
    rs.summary |= summary_zmm(2);
    step(gather);
    EXPECT_EQUAL("the index of an inactive element", reports.uninitialized, 0);
    rs.zmm[2][8] = 1;
    step(gather);
    EXPECT_EQUAL("index", reports.uninitialized, 1);
    EXPECT_EQUAL("index", reports.kind, UNINIT_READ);
    rs.k[1] = 2;
    rs.summary |= summary_k(1);
    step(scatter);
    EXPECT_EQUAL("mask", reports.uninitialized, 1);
    EXPECT_EQUAL("mask is cleared", rs.k[1], 0);
}

static void
random_registers(void)
{
    unsigned x = 1;

    for (unsigned i = 0; i < 64; i++)
        for (unsigned r = 0; r < 32; r++)
            rs.zmm[r][i] = (uint8_t)((x = x * 1103515245 + 12345) >> 16);
    for (unsigned r = 0; r < 8; r++) {
        rs.k[r] = (uint64_t)(x = x * 1103515245 + 12345) << 13;
        for (unsigned i = 0; i < 10; i++)
            rs.st[r][i] = (uint8_t)((x = x * 1103515245 + 12345) >> 16);
    }
    rs.x87_flags = 0x4100;
    rs.mxcsr = 0x40;
    for (unsigned r = 0; r < 32; r++)
        rs.summary |= summary_zmm(r) | summary_k(r % 8);
    rs.summary |= 1ull << SUMMARY_X87 | 1ull << SUMMARY_MXCSR;
}

/* Saved by one instruction and restored by the other, with the area as the CPU would leave it. */
static void
round_trip(const char *name, const uint8_t *save, const uint8_t *restore, void (*native)(void *), bool x87, unsigned vectors, unsigned from, unsigned bytes, bool masks)
{
    static struct regstate saved;

    start();
    mc.gpr[RBX] = ARENA + 0x80;
    mc.gpr[RAX] = mc.gpr[RDX] = 0xffffffff;
    memset((void *)ARENA, 0, ARENA_SIZE);
    native((void *)mc.gpr[RBX]);
    random_registers();
    saved = rs;
    step(save);
    EXPECT_EQUAL(name, reports.unaddressable, 0);
    memset(&rs, 0, sizeof rs);
    step(restore);
    for (unsigned r = 0; r < vectors; r++)
        EXPECT_EQUAL(name, memcmp(rs.zmm[r] + from, saved.zmm[r] + from, bytes), 0);
    if (x87)
        EXPECT_EQUAL(name, memcmp(rs.st, saved.st, sizeof rs.st), 0);
    if (x87)
        EXPECT_EQUAL(name, rs.x87_flags, saved.x87_flags);
    if (masks)
        EXPECT_EQUAL(name, memcmp(rs.k, saved.k, sizeof rs.k), 0);
    propagate_undo(&rs, mc.rip);
    EXPECT_EQUAL(name, rs.summary, 0);
    EXPECT_EQUAL(name, rs.zmm[1][1], 0);
}

static void native_fxsave(void *p) { __asm__ volatile("fxsave64 (%0)" : : "r"(p) : "memory"); }
static void native_fnsave(void *p) { __asm__ volatile("fnsave (%0)\n\tfrstor (%0)" : : "r"(p) : "memory"); }

/* Everything in use, so that everything is saved. */
static void
use_all(void)
{
    if (cpu_has_mask_registers())
        __asm__ volatile("vpternlogd $255, %zmm1, %zmm1, %zmm1\n\tvmovdqa64 %zmm1, %zmm17\n\tkxnorw %k1, %k1, %k1");
    __asm__ volatile("fld1\n\tfstp %st(0)");
}

static void native_xsave(void *p) { use_all(); __asm__ volatile("xsave64 (%0)" : : "r"(p), "a"(-1), "d"(-1) : "memory"); }
static void native_xsavec(void *p) { use_all(); __asm__ volatile("xsavec64 (%0)" : : "r"(p), "a"(-1), "d"(-1) : "memory"); }

TEST(state, survives_saving_and_restoring)
{
    bool wide = cpu_has_mask_registers();

    round_trip("fxsave", fxsave_, fxrstor_, native_fxsave, true, 16, 0, 16, false);
    round_trip("fnsave", fnsave_, frstor_, native_fnsave, true, 0, 0, 0, false);
    if (!wide)
        return;
    round_trip("xsave", xsave_, xrstor_, native_xsave, true, 32, 0, 64, true);
    round_trip("xsavec", xsavec_, xrstor_, native_xsavec, true, 32, 0, 64, true);
}
