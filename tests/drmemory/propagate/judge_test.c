/* Undefined jumps judged, in compiled C: each function of judged.c is single-stepped,
 * with propagate_step before every instruction, on items of which all but `valid`
 * is undefined. The good ones are reported nothing of, the bad ones at least once. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* REG_RIP */
#include "doubles.h"
#include "judged.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { ITEMS = 8, TRAP_FLAG = 0x100 };

extern const char __start_judged[], __stop_judged[];
#define VARIANTS(f) f(gcc_O1) f(gcc_O2) f(gcc_O3)
#define CLANG_VARIANTS(f) f(clang_O1) f(clang_O2) f(clang_O3)
#define DECLARE(v) extern const struct judged judged_##v[] __attribute__((weak));
VARIANTS(DECLARE)
CLANG_VARIANTS(DECLARE)

static struct regstate rs;
static unsigned steps;
static volatile int result;             /* what the functions return is used */

static void
on_step(int number, siginfo_t *info, void *context)
{
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct dr_mcontext mc = {.rip = (uint64_t)g[REG_RIP], .rflags = (uint64_t)g[REG_EFL] & ~(uint64_t)TRAP_FLAG};
    struct step s;

    (void)number, (void)info;
    if (mc.rip < (uint64_t)__start_judged || mc.rip >= (uint64_t)__stop_judged)
        return;
    for (unsigned i = 0; i < 16; i++)
        mc.gpr[i] = (uint64_t)g[order[i]];
    steps++;
    if (step_make((const uint8_t *)mc.rip, 15, mc.rip, &s))
        propagate_step(&s, &rs, &mc);
}

/* Items of which the i-th is valid if bit i of `valid` is set. */
static void
make_items(struct item *p, unsigned valid)
{
    memset(arena_bits, 0, sizeof arena_bits);
    for (unsigned i = 0; i < ITEMS; i++) {
        uint8_t *u = arena_bits + ((uint64_t)&p[i] - ARENA);
        p[i] = (struct item){.valid = valid >> i & 1, .kind = (char)i, .rank = 1, .value = (int)i + 3, .key = 40 + i, .next = &p[(i + 1) % ITEMS]};
        if (!(valid >> i & 1))
            memset(u + 1, 0xff, offsetof(struct item, next) - 1);
    }
}

static int
stepped(const struct judged *j, struct item *items)
{
    int r;

    memset(&rs, 0, sizeof rs);
    reports_clear();
    __asm__ volatile("sub $128, %%rsp\n\tpushfq\n\torq %[trap], (%%rsp)\n\tpopfq\n\tcall *%[f]\n\tpushfq\n\tandq %[clear], (%%rsp)\n\tpopfq\n\tadd $128, %%rsp"
                     : "=a"(r) : [f] "b"(j->run), "D"(items), "S"(ITEMS), [trap] "i"(TRAP_FLAG), [clear] "i"(~TRAP_FLAG)
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
    return r;
}

static unsigned
check(const char *variant, const struct judged *table)
{
    struct item *items = (struct item *)(ARENA + 0x100);
    unsigned failures = 0;

    for (const struct judged *j = table; j->name; j++) {
        bool good = j->name[0] == 'g', reported = false;
        for (unsigned valid = 0; valid < 8; valid++) {
            make_items(items, good ? valid | valid << 4 : 0);
            result = stepped(j, items);
            reported |= reports.uninitialized;
            if (good && reports.uninitialized) {
                fprintf(stderr, "%s at %s: reported, with valid items %#x\n", j->name, variant, valid);
                failures++;
                break;
            }
        }
        if (!good && !reported) {
            fprintf(stderr, "%s at %s: not reported\n", j->name, variant);
            failures++;
        }
    }
    return failures;
}

int
main(void)
{
    struct sigaction act = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    unsigned failures = 0, variants = 0;

    if (mmap((void *)ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)ARENA)
        return perror("mmap"), 1;
    sigaction(SIGTRAP, &act, NULL);
    rest_is_open = true;
#define CHECK(v) if (judged_##v) { variants++; failures += check(#v, judged_##v); }
    VARIANTS(CHECK)
    CLANG_VARIANTS(CHECK)
    printf("%u variants, %u instructions, %u failures\n", variants, steps, failures);
    return failures != 0 || variants == 0;
}
