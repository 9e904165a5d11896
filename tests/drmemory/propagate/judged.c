/* Conditions of the kind that optimizers reorder. Of each item only `valid` and `next` are defined unless valid
 * is set: the functions called good_ never depend on more, those called bad_ do.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "judged.h"

#define HERE __attribute__((section("judged"), noinline))
#define CONCAT2(a, b) a##_##b
#define CONCAT(a, b) CONCAT2(a, b)

static int sink;

static HERE void touch(int n) { sink += n; }

/* ---- good ---- */

static HERE int good_and(struct item *p, int n) { (void)n; return p->valid && p->value == 5; }

static HERE int
good_and_branch(struct item *p, int n)
{
    if (p->valid && p->value == 5)
        touch(n);
    return n;
}

static HERE int good_and_of_three(struct item *p, int n) { (void)n; return p->valid && p->value > 3 && p->key < 100 ? 7 : 9; }

static HERE int
good_or_of_ands(struct item *p, int n)
{
    if ((p->valid && p->value == n) || (p[1].valid && p[1].value == n))
        touch(1);
    return sink;
}

static HERE int
good_count(struct item *p, int n)
{
    int r = 0;

    for (int i = 0; i < n; i++)
        if (p[i].valid && p[i].value == 3)
            r++;
    return r;
}

static HERE int
good_find(struct item *p, int n)
{
    for (int i = 0; i < n; i++)
        if (p[i].valid && p[i].key == 42 && p[i].rank == 1)
            return i;
    return -1;
}

static HERE int good_equal(struct item *p, int n) { (void)n; return p[0].valid == p[1].valid && (!p[0].valid || p[0].value == p[1].value); }

static HERE int
good_choice(struct item *p, int n)
{
    int limit = p->valid ? p->value : 10;

    return n > limit ? 1 : 2;
}

static HERE int good_kinds(struct item *p, int n) { (void)n; return p->valid && (p->kind == 1 || p->kind == 2 || p->kind == 5); }

static HERE int
good_nested(struct item *p, int n)
{
    if (p->valid) {
        if (p->value > 3)
            touch(n);
        else
            touch(-n);
    }
    return sink;
}

static HERE int
good_range(struct item *p, int n)
{
    return (p->valid & (p->value >= 3) & (p->value < n)) ? 4 : 6;
}

/* The value comes through memory of the function's own, or by a copy: its load cannot fault, so that it may come first. */
static HERE int
get(struct item *p, int *value)
{
    if (p->valid) {
        *value = p->value;
        return 1;
    }
    *value = p->value;              /* copied as undefined as it is */
    return 0;
}

static HERE int
good_out_parameter(struct item *p, int n)
{
    int v, ok = get(p, &v);

    if (ok && v == n)
        touch(1);
    return ok ? v + n : n;
}

static HERE int
good_copy(struct item *p, int n)
{
    struct item a = *p, b = p[1];

    if (a.valid && b.valid && a.value == b.value && a.key < b.key)
        touch(n);
    return sink;
}

static HERE int test_arguments(int valid, int value, int n) { return valid && value == n ? 1 : 2; }

static HERE int
good_arguments(struct item *p, int n)
{
    return test_arguments(p->valid, p->value, n);
}

static HERE int
sign_of(char valid, long a, long b)
{
    if (valid && a < b)
        return -1;
    if (valid && a > b)
        return 1;
    return 0;
}

static HERE int good_sign(struct item *p, int n) { return sign_of(p->valid, p->key, n); }

struct small { unsigned valid : 1, kind : 3, value : 12; };

static HERE int
good_bitfield(struct item *p, int n)
{
    union { unsigned w; struct small s; } x = {.w = (unsigned)p->value << 4 | (unsigned)p->valid};

    return x.s.valid && x.s.value == (unsigned)n && x.s.kind == 0 ? 3 : 5;
}

static HERE int
written_first(int value, int valid, int n)
{
    if (value == n && valid)        /* as the optimizer writes it */
        touch(value);
    return n;
}

static HERE int good_reordered(struct item *p, int n) { return written_first(p->value, p->valid, n); }

static HERE int
good_reordered_nest(struct item *p, int n)
{
    int r = 1;

    if (p->value > 3) {
        if (p->key > 2) {
            if (p->valid)
                r = 2;
        }
    }
    return r + n;
}

static HERE int
good_reordered_chain(struct item *p, int n)
{
    if ((p->rank == 1 || p->kind == 2 || p->value < n) && p->valid)
        touch(1);
    return n;
}

static HERE int
good_reordered_load(struct item *p, int n)
{
    for (int i = 0; i < n; i++) {
        if (p[i].value <= 4)
            continue;
        if (p[i].next->next && p[i].valid)
            touch(i);
    }
    return n;
}

/* ---- bad ---- */

static HERE int
bad_branch(struct item *p, int n)
{
    if (p->value == 5)
        touch(n);
    return n;
}

static HERE int
bad_or(struct item *p, int n)
{
    if (!p->valid || p->value == 5)
        touch(n);
    if (p[1].value > 5)
        touch(1);
    return n;
}

static HERE int
bad_reordered(struct item *p, int n)
{
    if (p->value > 3 && n)          /* n is not 0 */
        touch(n);
    return n;
}

static HERE int
bad_result(struct item *p, int n)
{
    int r = n;

    if (p->value > 3) {
        __asm__ volatile("" : "+r"(r));     /* no conditional move */
        r += 5;
    }
    return r;
}

static HERE int
bad_loop(struct item *p, int n)
{
    (void)n;
    for (int i = 0; i < p->value % 16; i++)
        touch(i);
    return 0;
}

static HERE int
bad_swap(struct item *p, int n)
{
    if (p->value < p[1].value) {
        p->rank = 1;
        p[1].rank = 2;
    }
    return n;
}

const struct judged CONCAT(judged, VARIANT)[] = {
    {"good_and", good_and}, {"good_and_branch", good_and_branch}, {"good_and_of_three", good_and_of_three}, {"good_or_of_ands", good_or_of_ands},
    {"good_count", good_count}, {"good_find", good_find}, {"good_equal", good_equal}, {"good_choice", good_choice}, {"good_kinds", good_kinds},
    {"good_nested", good_nested}, {"good_range", good_range}, {"good_out_parameter", good_out_parameter}, {"good_copy", good_copy}, {"good_arguments", good_arguments},
    {"good_sign", good_sign}, {"good_bitfield", good_bitfield}, {"good_reordered", good_reordered}, {"good_reordered_nest", good_reordered_nest},
    {"good_reordered_chain", good_reordered_chain}, {"good_reordered_load", good_reordered_load}, {"bad_reordered", bad_reordered}, {"bad_result", bad_result}, {"bad_branch", bad_branch}, {"bad_or", bad_or}, {"bad_loop", bad_loop}, {"bad_swap", bad_swap}, {0, 0},
};
