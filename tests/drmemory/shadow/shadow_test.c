/* shadow/shadow.c against a model that keeps a state and eight bits for each byte: random ranges, copies that
 * overlap, bits, searches, at every alignment. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "drtools/tool.h"
#include "shadow/shadow.h"

/* ---- of the tool API, what shadow.c calls ---- */

int
dr_reserve(uint64_t at, uint64_t bytes)
{
    void *p = mmap((void *)at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    return p == (void *)at ? 0 : -1;
}
bool dr_access(uint64_t at, uint64_t bytes, bool yes) { return mprotect((void *)at, bytes, yes ? PROT_READ | PROT_WRITE : PROT_NONE) == 0; }
bool dr_reset(uint64_t at, uint64_t bytes) { return madvise((void *)at, bytes, MADV_DONTNEED) == 0; }
void *dr_map(size_t bytes) { return calloc(1, bytes); }
void dr_unmap(void *p, size_t bytes) { (void)bytes; free(p); }
void dr_lock(struct dr_mutex *m) { (void)m; }
void dr_unlock(struct dr_mutex *m) { (void)m; }
void dr_check_failed(const char *file, int line, const char *what) { fprintf(stderr, "%s:%d: %s\n", file, line, what); abort(); }

/* ---- the model ---- */

enum { SPAN = 300, ROUNDS = 200000 };
static const uint64_t base = 0x7f0012345000ull;
static uint8_t state[SPAN], bits[SPAN];
static uint64_t seed = 1;

static unsigned
below(unsigned n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(seed >> 33) % n;
}

#define EXPECT(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: round %u: %s\n", __FILE__, __LINE__, round, #c), exit(1)))

static void
compare(unsigned round)
{
    for (unsigned i = 0; i < SPAN; i++) {
        uint8_t got;
        EXPECT(shadow_get(base + i) == state[i]);
        shadow_load(base + i, 1, &got);
        EXPECT(got == (state[i] == SHADOW_UNDEFINED ? 0xff : state[i] == SHADOW_MIXED ? bits[i] : 0));
    }
}

static void
one_round(unsigned round)
{
    static const enum shadow_state settable[] = {SHADOW_DEFINED, SHADOW_UNADDRESSABLE, SHADOW_UNDEFINED};
    unsigned a = below(SPAN), n = below(SPAN - a + 1), dst = below(SPAN - n + 1), want = below(4), i;
    uint8_t v[SPAN], s[SPAN], b[SPAN];

    switch (below(5)) {
    case 0: {
        enum shadow_state to = settable[below(3)];
        shadow_set(base + a, n, to);
        memset(state + a, (int)to, n);
        break;
    }
    case 1:
        shadow_copy(base + dst, base + a, n);
        memcpy(s, state + a, n);
        memcpy(b, bits + a, n);
        memcpy(state + dst, s, n);
        memcpy(bits + dst, b, n);
        break;
    case 2:
        for (i = 0; i < n; i++) {
            v[i] = (uint8_t)(below(3) == 0 ? 0 : below(3) == 0 ? 0xff : below(256));
            if (state[a + i] != SHADOW_UNADDRESSABLE) {
                state[a + i] = v[i] == 0 ? SHADOW_DEFINED : v[i] == 0xff ? SHADOW_UNDEFINED : SHADOW_MIXED;
                bits[a + i] = v[i];
            }
        }
        shadow_store(base + a, n, v);
        break;
    case 3:
        shadow_load(base + a, n, v);
        for (i = 0; i < n; i++)
            EXPECT(v[i] == (state[a + i] == SHADOW_UNDEFINED ? 0xff : state[a + i] == SHADOW_MIXED ? bits[a + i] : 0));
        break;
    default:
        for (i = a; i < a + n && state[i] != SHADOW_UNADDRESSABLE; i++) { }
        EXPECT(shadow_find_unaddressable(base + a, n) == base + i);
        for (i = a; i < a + n && state[i] == SHADOW_DEFINED; i++) { }
        EXPECT(shadow_find_not_defined(base + a, n) == base + i);
        for (i = a; i < a + n && state[i] == want; i++) { }
        EXPECT(shadow_find_other(base + a, n, (enum shadow_state)want) == base + i);
    }
    if (round % 64 == 0)
        compare(round);
}

int
main(void)
{
    const char *why = shadow_init();
    const unsigned round = 0;
    enum { LARGE = 64 << 20 };

    if (why) {
        printf("skipped: %s\n", why);
        return 77;
    }
    for (unsigned r = 0; r < ROUNDS; r++)
        one_round(r);
    /* What has no shadow is unaddressable, and left alone by ranges that reach across it. */
    EXPECT(shadow_get(SHADOW_BASE) == SHADOW_UNADDRESSABLE && shadow_get(SHADOW_APP_END) == SHADOW_UNADDRESSABLE);
    shadow_set(SHADOW_BASE - 10, 20, SHADOW_UNDEFINED);
    EXPECT(shadow_get(SHADOW_BASE - 1) == SHADOW_UNDEFINED);
    EXPECT(shadow_find_unaddressable(SHADOW_BASE - 10, 20) == SHADOW_BASE);
    /* Large ranges go back to the kernel, but for their ends. */
    shadow_set(base, LARGE, SHADOW_UNDEFINED);
    shadow_forget(base + 5, LARGE - 10);
    EXPECT(shadow_find_other(base, 5, SHADOW_UNDEFINED) == base + 5);
    EXPECT(shadow_find_not_defined(base + 5, LARGE - 10) == base + LARGE - 5);
    EXPECT(shadow_find_other(base + LARGE - 5, 5, SHADOW_UNDEFINED) == base + LARGE);
    printf("%d rounds\n", ROUNDS);
    return 0;
}
