/* Coverage is counted from the native result, and only where it is certain. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "coverage.h"
#include "compare.h"
#include "generate.h"

#include <stdlib.h>
#include <string.h>

void
coverage_init(struct coverage *v, const struct forms *f)
{
    v->forms = f;
    v->had = calloc(f->nforms, sizeof *v->had);
    v->completed = calloc(f->nforms, sizeof *v->completed);
    v->faulted = calloc(f->nforms, sizeof *v->faulted);
    v->riprel = calloc(f->nforms, sizeof *v->riprel);
    if (!v->had || !v->completed || !v->faulted || !v->riprel) {
        fprintf(stderr, "insn_fuzz: out of memory\n");
        exit(2);
    }
}

void
coverage_free(struct coverage *v)
{
    free(v->had);
    free(v->completed);
    free(v->faulted);
    free(v->riprel);
}

static const struct fault *
fault_at(const struct insn_result *r, uint64_t rip)
{
    for (uint32_t i = 0; i < r->nfaults; i++)
        if (r->fault[i].at.rip == rip)
            return &r->fault[i];
    return NULL;
}

static bool
transfers(const struct item *it)
{
    return it->kind & (MARK_RET | MARK_CALL | MARK_INDIRECT | MARK_BRANCH | MARK_COUNTED);
}

/* A trap is reported with rip behind the instruction. */
static bool
is_trap(const struct fault *f)
{
    return f && f->signo == 5;
}

/* What a near branch with an operand-size prefix does on AMD processors: it did its work. */
static bool
cut_to_16_bits(const struct insn_result *r)
{
    return r->nfaults && r->fault[r->nfaults - 1].at.rip <= 0xffff;
}

void
coverage_count(struct coverage *v, const struct recipe *r, const struct insn_case *c,
               const struct insn_result *native)
{
    int mark = 0;

    for (int i = 0; i < r->nitems; i++) {
        const struct item *it = &r->item[i];
        uint64_t rip = case_address(c) + c->mark[mark].off;
        const struct fault *f = fault_at(native, rip), *behind = fault_at(native, rip + it->len);
        bool fatal;

        if (it->dropped)
            continue;
        mark++;
        f = is_trap(f) ? NULL : f;
        if (it->form >= 0 && (f || is_trap(behind)))
            v->faulted[it->form]++;
        else if (it->form >= 0 &&
                 !(transfers(it) && native->outcome == OUTCOME_LOST && !cut_to_16_bits(native)))
            v->completed[it->form]++, v->riprel[it->form] += !!(it->kind & MARK_RIPREL);
        fatal = (f && f == &native->fault[native->nfaults - 1] && native->outcome != OUTCOME_EXIT) ||
                (is_trap(behind) && native->outcome != OUTCOME_EXIT);
        if (transfers(it) || fatal)
            return;
    }
}

static bool
is_covered(const struct coverage *v, size_t i)
{
    return v->completed[i] || (v->faulted[i] && form_always_faults(&v->forms->form[i]));
}

static void
print_uncovered(const struct coverage *v, FILE *out)
{
    char name[128];

    for (size_t i = 0; i < v->forms->nforms; i++) {
        const char *why = form_excluded(&v->forms->form[i]);

        if (!v->had[i] || is_covered(v, i))
            continue;
        form_name(&v->forms->form[i], name, sizeof name);
        fprintf(out, "  %-48s %s\n", name, why ? why : v->faulted[i] ? "only faulted" : "not run");
    }
}

double
coverage_print(const struct coverage *v, FILE *out, bool list)
{
    size_t had = 0, covered = 0, excluded = 0, memory = 0, riprel = 0, faulted = 0;
    double percent;

    for (size_t i = 0; i < v->forms->nforms; i++) {
        const struct form *f = &v->forms->form[i];
        bool rip = f->memory && !f->vsib && !form_excluded(f) && !form_always_faults(f);

        if (!v->had[i])
            continue;
        had++;
        covered += is_covered(v, i);
        excluded += form_excluded(f) != NULL;
        memory += rip;
        riprel += rip && v->riprel[i];
        faulted += rip && v->faulted[i];
    }
    percent = had ? 100.0 * (double)covered / (double)had : 0;
    fprintf(
        out,
        "coverage: %zu of %zu forms (mnemonic x operands) that this processor has: %.2f %%; %zu excluded\n",
        covered, had, percent, excluded);
    fprintf(out, "coverage: of %zu forms with a memory operand %zu ran RIP-relative, %zu faulted\n", memory,
            riprel, faulted);
    fprintf(out, "coverage: Zydis knows %zu forms in 64-bit mode\n", v->forms->nforms);
    if (list)
        print_uncovered(v, out);
    return percent;
}
