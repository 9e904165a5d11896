/* System calls: what the kernel reads must be addressable and defined, what it has written is defined, and memory
 * that was mapped or unmapped has the state of new memory. What each call touches is told by the engine's table.
 * Threads: each looks at its own call. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "syscalls.h"

#include "drtools/syscalls.h"
#include "instrument.h"
#include "stack.h"

enum { NR_MMAP = 9, NR_MUNMAP = 11, NR_BRK = 12, NR_SIGRETURN = 15, NR_MREMAP = 25, NR_MADVISE = 28, NR_SHMAT = 30 };
enum { MADV_DONTNEED = 4, MADV_REMOVE = 9 };
enum { PAGE = 4096 };

static uint32_t call_slot;
static volatile uint64_t brk_end;

bool
syscalls_init(void)
{
    call_slot = dr_thread_memory(sizeof(struct syscall_args));
    return call_slot;
}

static bool
read_memory(void *dst, uint64_t a, size_t n, void *cookie)
{
    (void)cookie;
    return dr_safe_read(dst, a, n);
}

static const uint8_t arg_register[6] = {RDI, RSI, RDX, R10, R8, R9};

/* ---- before the call ---- */

struct before { struct dr_syscall *s; const struct dr_mcontext *mc; };

static bool
about_to_touch(const struct syscall_range *r, void *cookie)
{
    struct before *b = cookie;
    uint64_t bad;

    if (!shadow_covers(r->addr) || r->addr < PAGE)
        return true;                    /* the kernel says EFAULT */
    uint64_t n = r->size;
    if (r->access == SYSCALL_WRITE && r->maybe && n > (1u << 20))
        n = 1u << 20;                   /* as much as is allowed, not as much as there is */
    bad = shadow_find_unaddressable(r->addr, n);
    if (bad != r->addr + n) {
        /* The kernel touches no more than there is: of a maybe, only the first byte must be there. */
        if (!r->maybe || bad == r->addr)
            report_syscall(b->mc, b->s->number, r->argno, false, r->access == SYSCALL_WRITE, bad, r->addr + n - bad);
        return true;
    }
    if (r->access == SYSCALL_READ && !opt.light && (bad = shadow_find_not_defined(r->addr, n)) != r->addr + n)
        report_syscall(b->mc, b->s->number, r->argno, true, false, bad, r->addr + n - bad);
    return true;
}

static void
look_at_registers(struct dr_syscall *s, const struct regstate *rs, const struct syscall_args *a)
{
    struct syscall_view view;

    if (rs->gpr[RAX] & 0xffffffff)
        report_syscall(s->mc, s->number, -1, true, false, 0, 0);
    syscall_view(a, &view);
    for (unsigned k = 0; k < view.nargs && k < 6; k++) {
        uint64_t mask = view.bits[k] >= 64 ? ~0ull : (1ull << view.bits[k]) - 1;
        if (rs->gpr[arg_register[k]] & mask)
            report_syscall(s->mc, s->number, (int)k, true, false, 0, 0);
    }
}

void
syscalls_before(struct dr_syscall *s)
{
    struct syscall_args *a = dr_thread_at(s->thread, call_slot);
    struct before b = {.s = s, .mc = s->mc};

    if (s->number == NR_SIGRETURN) {
        stack_sigreturn(s->thread, s->mc->gpr[RSP]);
        return;
    }
    *a = (struct syscall_args){.nr = (uint32_t)s->number, .safe_read = read_memory};
    __builtin_memcpy(a->arg, s->arg, sizeof a->arg);
    if (!opt.light && regstate_of(s->thread)->summary & SUMMARY_INTEGER)
        look_at_registers(s, regstate_of(s->thread), a);
    syscall_memory_pre(a, about_to_touch, &b);
    if (s->number == NR_MUNMAP)
        shadow_forget(s->arg[0] & ~(uint64_t)(PAGE - 1), (s->arg[1] + PAGE - 1) & ~(uint64_t)(PAGE - 1));
}

/* ---- after the call ---- */

static bool
has_written(const struct syscall_range *r, void *cookie)
{
    uint64_t a = r->addr, end = a + r->size;

    (void)cookie;
    while (a < end) {                   /* what is unaddressable stays so */
        uint64_t bad = shadow_find_unaddressable(a, end - a);
        if (bad > a)
            shadow_set(a, bad - a, SHADOW_DEFINED);
        a = bad + 1;
    }
    return true;
}

static void
memory_changed(const struct dr_syscall *s)
{
    uint64_t r = (uint64_t)s->result, n = s->arg[1];
    bool failed = s->result < 0 && s->result > -4096;

    switch (s->number) {
    case NR_MMAP:
        if (!failed)
            shadow_forget(r, (n + PAGE - 1) & ~(uint64_t)(PAGE - 1));
        break;
    case NR_MREMAP:
        if (!failed && r != s->arg[0]) {
            uint64_t moved = s->arg[2] < n ? s->arg[2] : n;
            shadow_forget(r, (s->arg[2] + PAGE - 1) & ~(uint64_t)(PAGE - 1));
            shadow_copy(r, s->arg[0], moved);
            if (n)
                shadow_forget(s->arg[0], (n + PAGE - 1) & ~(uint64_t)(PAGE - 1));
        } else if (!failed && s->arg[2] != n) {
            uint64_t lo = s->arg[2] < n ? s->arg[2] : n, hi = s->arg[2] < n ? n : s->arg[2];
            shadow_forget(r + lo, hi - lo);
        }
        break;
    case NR_BRK:
        if (brk_end && r < brk_end)
            shadow_forget(r, brk_end - r);
        brk_end = r;
        break;
    case NR_MADVISE:
        if (!failed && (s->arg[2] == MADV_DONTNEED || s->arg[2] == MADV_REMOVE))
            has_written(&(struct syscall_range){.addr = s->arg[0], .size = n}, NULL);
        break;
    }
}

void
syscalls_after(struct dr_syscall *s)
{
    struct syscall_args *a = dr_thread_at(s->thread, call_slot);
    struct regstate *rs = regstate_of(s->thread);

    if (s->number == NR_SIGRETURN)
        return;
    memory_changed(s);
    if (a->nr == s->number)
        syscall_memory_post(a, s->result, has_written, s);
    if (rs->summary) {                  /* rax is the result, rcx the next pc, r11 the flags */
        rs->gpr[RAX] = rs->gpr[RCX] = 0;
        rs->gpr[R11] = rs->flags;
        rs->summary &= ~(1ull << RAX | 1ull << RCX | 1ull << R11);
        rs->summary |= (uint64_t)(rs->flags != 0) << R11;
    }
}
