/* A branch to a non-canonical address faults at the branch, not at its target
 * (AMD APM volume 2, 8.2.14; so do Intel's). Dispatch knows only the target by then,
 * so the branch is searched for: a fragment that ends in one which, with the
 * registers as they are, leads to that address.
 * To note the source at each indirect branch would cost two stores in the hottest
 * sequence there is; only a program that has had such a fault pays them from then
 * on. The first time, several candidates can only be register jumps with equal
 * targets: then the one that could be reached from where the cache was entered
 * last is right (code that runs for the first time has just been entered), else
 * the youngest. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache.h"
#include "core/engine.h"
#include "linux/abi.h"
#include "linux/signal.h"
#include "x86/scan.h"

enum { MAX_REACHED = 1024 };
volatile bool branch_sources_kept;

/* The last instruction of a fragment's source. */
static bool
last_insn(const struct fragment *f, uint8_t *bytes, struct insn *in, uint64_t *pc)
{
    uint64_t end = f->tag + f->app_len;

    for (*pc = f->tag; fetch_insn(*pc, bytes, in) && in->len && *pc + in->len < end; *pc += in->len)
        ;
    return *pc + in->len == end;
}

/* Would the branch at `pc` have led to `target`? Then mc becomes what it was before it. */
static bool
leads_there(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t target)
{
    uint64_t *rsp = &t->s.mc.gpr[RSP], now = *rsp, to = 0, ret = 0;
    bool read;

    if (in->cls == INSN_RET) {
        *rsp -= 8 + (in->imm_len ? (uint64_t)in->imm & 0xffff : 0);
        read = safe_read(&to, *rsp, 8);
    } else if (in->cls == INSN_JMP_IND || in->cls == INSN_CALL_IND) {
        if (in->cls == INSN_CALL_IND && (!safe_read(&ret, now, 8) || ret != pc + in->len))
            return false;
        *rsp += in->cls == INSN_CALL_IND ? 8 : 0;
        to = t->s.mc.gpr[(in->modrm & 7) | (in->rex & 1) << 3];
        read = !(in->shape & SHAPE_MEM) || safe_read(&to, operand_address(t, bytes, in, pc), 8);
    } else {
        return false;
    }
    if (read && to == target)
        return true;
    *rsp = now;
    return false;
}

static bool
is_source(struct thread *t, frag_id id, uint64_t target)
{
    const struct fragment *f = frag_get(id);
    uint8_t bytes[INSN_MAX_LEN + 1];
    struct insn in;
    uint64_t pc;

    if (!f->tag || (f->flags & FRAG_DEAD) || !last_insn(f, bytes, &in, &pc) || !leads_there(t, bytes, &in, pc, target))
        return false;
    t->s.mc.rip = pc;
    return true;
}

/* Along links from `first`. */
static bool
search_reached(struct thread *t, frag_id first, uint64_t target)
{
    static frag_id reached[MAX_REACHED];     /* under cache_lock */
    unsigned n = 0;

    if (first)
        reached[n++] = first;
    for (unsigned i = 0; i < n; i++) {
        if (is_source(t, reached[i], target))
            return true;
        const struct fragment *f = frag_get(reached[i]);
        for (unsigned k = 0; k < f->n_exits; k++) {
            frag_id to = exit_get(f->exit0 + k)->linked;
            bool seen = !to || n == MAX_REACHED;
            for (unsigned j = 0; j < n && !seen; j++)
                seen = reached[j] == to;
            if (!seen)
                reached[n++] = to;
        }
    }
    return false;
}

static bool
search_all(struct thread *t, uint64_t target)
{
    for (frag_id id = frag_count(); id--;)
        if (id && is_source(t, id, target))
            return true;
    return false;
}

static bool
is_branch(struct thread *t, uint64_t pc, uint64_t target)
{
    uint8_t bytes[INSN_MAX_LEN + 1];
    struct insn in;

    if (!fetch_insn(pc, bytes, &in) || !leads_there(t, bytes, &in, pc, target))
        return false;
    t->s.mc.rip = pc;
    return true;
}

void
branch_fault(struct thread *t, uint64_t target)
{
    struct ksiginfo info = {.signo = SIG_SEGV, .code = 0x80 /* SI_KERNEL */};

    bool pad, found;
    frag_id entered = cache_owner((uint64_t)t->s.enter_pc.p, &pad);

    mutex_lock(&cache_lock);
    if (t->s.branch)
        found = is_branch(t, t->s.branch, target);
    else
        found = search_reached(t, entered, target) || search_all(t, target);
    if (!branch_sources_kept) {
        branch_sources_kept = true;
        cache_flush_range(0, UINT64_MAX / 2);
    }
    mutex_unlock(&cache_lock);
    t->s.mc.rflags |= FLAG_RF;
    if (found)
        signal_raise(t, &info, 13 /* #GP */, 0, t->cr2);
}
