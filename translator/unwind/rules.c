/* The rules of addresses that were asked for before: a table that all threads
 * share. An entry is one line of cache with a sequence number, odd while it is
 * written: readers take no lock and writers do not wait, whoever finds an entry
 * being written leaves it alone.
 * See docs/unwinding.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/memory.h"
#include "unwind/unwind.h"

enum { BITS = 14 };

struct entry {
    uint32_t sequence, generation;
    uint64_t key;                   /* address * 2 + exact */
    struct rule rule;
    uint8_t pad[64 - 16 - sizeof(struct rule)];
};
_Static_assert(sizeof(struct entry) == 64, "one line of cache");

volatile uint32_t unwind_generation = 1;
static struct entry *volatile table;

static struct entry *
table_get(void)
{
    struct entry *t = table, *none = NULL;

    if (LIKELY(t != NULL))
        return t;
    t = engine_map(sizeof *t << BITS);
    if (t && !__atomic_compare_exchange_n(&table, &none, t, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        engine_unmap(t, sizeof *t << BITS);
        t = none;
    }
    return t;
}

static inline bool
entry_read(struct entry *e, uint64_t key, uint32_t generation, struct rule *out)
{
    uint32_t before = __atomic_load_n(&e->sequence, __ATOMIC_ACQUIRE);

    if ((before & 1) || e->key != key || e->generation != generation)
        return false;
    *out = e->rule;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);         /* loads stay in order on x86 */
    return __atomic_load_n(&e->sequence, __ATOMIC_RELAXED) == before;
}

static void
entry_write(struct entry *e, uint64_t key, uint32_t generation, const struct rule *r)
{
    uint32_t before = __atomic_load_n(&e->sequence, __ATOMIC_RELAXED);

    if ((before & 1) || !__atomic_compare_exchange_n(&e->sequence, &before, before + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    e->key = key;
    e->generation = generation;
    e->rule = *r;
    __atomic_store_n(&e->sequence, before + 2, __ATOMIC_RELEASE);
}

/* The instructions of a signal restorer: mov $15, %eax (or %rax); syscall. */
static bool
is_restorer(uint64_t pc, bool exact)
{
    static const uint8_t rax[9] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05}, eax[7] = {0xb8, 15, 0, 0, 0, 0x0f, 0x05};
    const uint8_t *p = (const uint8_t *)pc;

    if (memcmp(p, rax, sizeof rax) == 0 || memcmp(p, eax, sizeof eax) == 0)
        return true;
    return exact && p[0] == 0x0f && p[1] == 0x05 && (memcmp(p - 7, rax, sizeof rax) == 0 || memcmp(p - 5, eax, sizeof eax) == 0);
}

static NOINLINE void
rule_make(const struct frame *f, struct rule *out)
{
    struct cfi_image im;

    memset(out, 0, sizeof *out);
    if (!image_find(frame_place(f), &im))
        return;
    if (is_restorer(f->pc, f->exact))
        out->kind = RULE_SIGNAL;
    else
        cfi_rule(&im, frame_place(f), out);
    if (out->kind == RULE_NONE)
        rule_guess(f->pc, im.lo, im.hi, out);
}

/* Not in the first of its two places. */
static NOINLINE void
rule_learn(const struct frame *f, uint64_t key, uint32_t at, uint32_t generation, struct rule *out)
{
    struct entry *t = table_get();

    if (t && entry_read(&t[at ^ 1], key, generation, out))
        return;
    rule_make(f, out);
    if (t && (out->kind != RULE_NONE || image_executable(frame_place(f))))
        entry_write(&t[at ^ (t[at].generation == generation && t[at].key)], key, generation, out);
}

void
rule_at(const struct frame *f, struct rule *out)
{
    uint64_t place = frame_place(f), key = place << 1 | f->exact;
    uint32_t generation = unwind_generation, at = (uint32_t)(key * 0x9e3779b97f4a7c15ull >> (64 - BITS));
    struct entry *t = table;

    if (UNLIKELY(place >> 47))       /* never the program's */
        memset(out, 0, sizeof *out);
    else if (UNLIKELY(!t || !entry_read(&t[at], key, generation, out)))
        rule_learn(f, key, at, generation, out);
}
