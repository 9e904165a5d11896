/* Comparison is of bytes; the report afterwards looks for the fields. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "compare.h"
#include "recipe.h"

#include <stddef.h>
#include <string.h>

const char *const gpr_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                   "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
const char *const install_names[INSTALL_COUNT] = {"store", "read", "vmwrite", "remap", "protect", "alias"};
const char *const entry_names[ENTRY_COUNT] = {"jmp", "call", "ret", "sigreturn"};
const char *const fault_action_names[FAULT_COUNT] = {"end", "longjmp", "skip", "edit"};
static const char *const outcome_names[] = {"not run", "exit", "ended by a fault", "lost", "timeout"};

bool
results_agree(const struct insn_result *a, const struct insn_result *b)
{
    uint32_t listed = a->nchanges < CHANGES_MAX ? a->nchanges : CHANGES_MAX;

    if (a->outcome == OUTCOME_TIMEOUT && b->outcome == OUTCOME_TIMEOUT)
        return true; /* it was stopped anywhere */
    return a->outcome == b->outcome && a->nfaults == b->nfaults && a->deviating_rep == b->deviating_rep &&
           a->nchanges == b->nchanges && a->changes_hash == b->changes_hash &&
           memcmp(a->change, b->change, listed * sizeof *a->change) == 0 &&
           memcmp(&a->end, &b->end, sizeof a->end) == 0 &&
           memcmp(a->fault, b->fault, a->nfaults * sizeof *a->fault) == 0 && !a->async_bad && !b->async_bad;
}

/* ---- fields ---- */

struct field {
    const char *name;
    uint16_t off, size;
};

#define F(type, member)                                                            \
    {                                                                              \
#member, offsetof(struct type, member), sizeof(((struct type *)0)->member) \
    }

static const struct field fault_fields[] = {F(fault, signo),       F(fault, code),         F(fault, addr),
                                            F(fault, trapno),      F(fault, err),          F(fault, cr2),
                                            F(fault, segments),    F(fault, uc_flags),     F(fault, sigmask),
                                            F(fault, stack_flags), F(fault, xstate_magic), {NULL, 0, 0}};
static const struct field state_fields[] = {
    F(cpu_state, rip), F(cpu_state, rflags), F(cpu_state, fs_base), F(cpu_state, gs_base), {NULL, 0, 0}};
static const struct field vector_fields[] = {
    F(vector_state, fcw), F(vector_state, fsw), F(vector_state, ftw),   F(vector_state, fop),
    F(vector_state, fip), F(vector_state, fdp), F(vector_state, mxcsr), {NULL, 0, 0}};
static const struct field result_fields[] = {
    F(insn_result, nfaults), F(insn_result, deviating_rep), F(insn_result, nchanges), {NULL, 0, 0}};

static uint64_t
value(const void *base, const struct field *f)
{
    uint64_t v = 0;

    memcpy(&v, (const uint8_t *)base + f->off, f->size);
    return v;
}

static void
line(FILE *out, const char *where, const char *name, uint64_t a, uint64_t b)
{
    fprintf(out, "  %s%-14s %18llx %18llx\n", where, name, (unsigned long long)a, (unsigned long long)b);
}

static void
compare_fields(FILE *out, const char *where, const struct field *f, const void *a, const void *b)
{
    for (; f->name; f++)
        if (value(a, f) != value(b, f))
            line(out, where, f->name, value(a, f), value(b, f));
}

static void
compare_bytes(FILE *out, const char *where, const char *name, int number, const uint8_t *a, const uint8_t *b,
              int size)
{
    const uint8_t *columns[2] = {a, b};

    if (memcmp(a, b, (size_t)size) == 0)
        return;
    for (int c = 0; c < 2; c++) {
        fprintf(out, "  %s%s%-2d %c ", where, name, number, "ab"[c]);
        for (int i = size - 1; i >= 0; i--)
            fprintf(out, "%02x%s", columns[c][i], i && i % 8 == 0 ? "_" : "");
        fputc('\n', out);
    }
}

static void
compare_states(FILE *out, const char *where, const struct cpu_state *a, const struct cpu_state *b)
{
    compare_fields(out, where, state_fields, a, b);
    for (int i = 0; i < 16; i++)
        if (a->gpr[i] != b->gpr[i])
            line(out, where, gpr_names[i], a->gpr[i], b->gpr[i]);
    compare_fields(out, where, vector_fields, &a->v, &b->v);
    for (int i = 0; i < 8; i++)
        compare_bytes(out, where, "st", i, a->v.st[i], b->v.st[i], 10);
    for (int i = 0; i < 8; i++)
        compare_bytes(out, where, "k", i, (const uint8_t *)&a->v.k[i], (const uint8_t *)&b->v.k[i], 8);
    for (int i = 0; i < 32; i++)
        compare_bytes(out, where, "zmm", i, a->v.zmm[i], b->v.zmm[i], 64);
}

static const uint64_t *
find_change(const struct insn_result *r, uint64_t addr)
{
    for (uint32_t i = 0; i < r->nchanges && i < CHANGES_MAX; i++)
        if (r->change[i].addr == addr)
            return &r->change[i].value;
    return NULL;
}

static void
compare_changes(FILE *out, const struct insn_result *a, const struct insn_result *b)
{
    for (uint32_t i = 0; i < a->nchanges && i < CHANGES_MAX; i++) {
        const uint64_t *other = find_change(b, a->change[i].addr);

        if (!other)
            fprintf(out, "  memory %llx: %llx, unchanged\n", (unsigned long long)a->change[i].addr,
                    (unsigned long long)a->change[i].value);
        else if (*other != a->change[i].value)
            fprintf(out, "  memory %llx: %llx, %llx\n", (unsigned long long)a->change[i].addr,
                    (unsigned long long)a->change[i].value, (unsigned long long)*other);
    }
    for (uint32_t i = 0; i < b->nchanges && i < CHANGES_MAX; i++)
        if (!find_change(a, b->change[i].addr))
            fprintf(out, "  memory %llx: unchanged, %llx\n", (unsigned long long)b->change[i].addr,
                    (unsigned long long)b->change[i].value);
    if (a->changes_hash != b->changes_hash && (a->nchanges > CHANGES_MAX || b->nchanges > CHANGES_MAX))
        fprintf(out, "  memory: %u and %u words changed, not all listed\n", a->nchanges, b->nchanges);
}

static void
print_async(FILE *out, const struct insn_case *c, const struct insn_result *r, const char *name)
{
    if (r->async_bad)
        fprintf(
            out,
            "  %s: %u of %u asynchronous signals saw a state that the program is never in; first: rip %llx "
            "(offset %llx), rflags %llx, rax %llx, rcx %llx, rsp %llx\n",
            name, r->async_bad, r->async_seen, (unsigned long long)r->async.at.rip,
            (unsigned long long)(r->async.at.rip - case_address(c)), (unsigned long long)r->async.at.rflags,
            (unsigned long long)r->async.at.gpr[RAX], (unsigned long long)r->async.at.gpr[RCX],
            (unsigned long long)r->async.at.gpr[RSP]);
}

void
print_difference(FILE *out, const struct insn_case *c, const struct insn_result *a,
                 const struct insn_result *b, const char *const names[2])
{
    fprintf(out, "  %-14s %18s %18s\n", "", names[0], names[1]);
    if (a->outcome != b->outcome)
        fprintf(out, "  %-14s %18s %18s\n", "outcome", outcome_names[a->outcome], outcome_names[b->outcome]);
    compare_fields(out, "", result_fields, a, b);
    for (uint32_t i = 0; i < a->nfaults && i < b->nfaults; i++) {
        char where[24];

        snprintf(where, sizeof where, "fault %u: ", i + 1);
        compare_fields(out, where, fault_fields, &a->fault[i], &b->fault[i]);
        compare_states(out, where, &a->fault[i].at, &b->fault[i].at);
    }
    for (uint32_t i = b->nfaults; i < a->nfaults; i++)
        fprintf(out, "  fault %u: %s only: signal %u, code %d, rip %llx, addr %llx\n", i + 1, names[0],
                a->fault[i].signo, (int)a->fault[i].code, (unsigned long long)a->fault[i].at.rip,
                (unsigned long long)a->fault[i].addr);
    for (uint32_t i = a->nfaults; i < b->nfaults; i++)
        fprintf(out, "  fault %u: %s only: signal %u, code %d, rip %llx, addr %llx\n", i + 1, names[1],
                b->fault[i].signo, (int)b->fault[i].code, (unsigned long long)b->fault[i].at.rip,
                (unsigned long long)b->fault[i].addr);
    if (a->outcome == OUTCOME_EXIT && b->outcome == OUTCOME_EXIT)
        compare_states(out, "end: ", &a->end, &b->end);
    compare_changes(out, a, b);
    print_async(out, c, a, names[0]);
    print_async(out, c, b, names[1]);
}

/* ---- the case itself ---- */

uint64_t
case_address(const struct insn_case *c)
{
    uint64_t zone = zone_base[c->zone];

    return zone + c->code_off +
           (c->install == INSTALL_PROTECT ? CODE_WX
            : c->install == INSTALL_ALIAS ? CODE_ALIAS
                                          : CODE_RWX);
}

void
print_case(FILE *out, const struct forms *f, const struct insn_case *c)
{
    ZydisFormatter formatter;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    char text[160], bytes[40];

    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    for (int i = 0; i < c->nmarks; i++) {
        const struct mark *m = &c->mark[i];
        uint64_t address = case_address(c) + m->off;

        for (int j = 0; j < m->len; j++)
            snprintf(bytes + 2 * j, 3, "%02x", c->code[m->off + j]);
        if (!forms_decode(f, c->code + m->off, m->len, &in, ops) ||
            !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &in, ops, in.operand_count_visible,
                                                          text, sizeof text, address, NULL)))
            snprintf(text, sizeof text, "(not decoded)");
        fprintf(out, "  %12llx  %-30s  %s\n", (unsigned long long)address, bytes, text);
    }
}
