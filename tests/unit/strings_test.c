/* drmemory's string functions against libc's on random memory, alignments and sizes; what they report and what they do to
 * the shadow against a plain statement of it. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "replace_strings.h"
#include "instrument.h"
#include "tool_shim.h"
#include "unit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <wchar.h>

#undef strlen

/* ---- what strings.c finds around it ---- */

static __thread sigjmp_buf *within;
static void on_fault(int sig) { (void)sig; siglongjmp(*within, 1); }

bool
dr_try(void (*f)(void *arg), void *arg)
{
    sigjmp_buf here, *volatile outer = within;
    volatile bool whole = false;

    if (!sigsetjmp(here, 1)) {
        within = &here;
        f(arg);
        whole = true;
    }
    within = outer;
    return whole;
}

static struct regstate regs;
static unsigned reads, writes, undefined, overlaps, mode_updates;
static uint64_t report_at, report_size;
static const char *name_at_call;

struct regstate *regstate_of(dr_thread *t) { (void)t; return &regs; }
void mode_update(dr_thread *t) { (void)t; mode_updates++; }
void replace_register(const struct replacement *t, size_t n) { (void)t, (void)n; }
struct replacement resolvers[MAX_STRINGS];
bool ifunc_init(void) { return true; }
const char *called_name(const struct dr_mcontext *mc) { (void)mc; return name_at_call; }

void
replace_result(struct dr_mcontext *mc, uint64_t value)
{
    mc->gpr[RAX] = value;
    regs.gpr[RAX] = 0;
    regs.summary &= ~1ull;
}

void
report_unaddressable(const struct dr_mcontext *mc, enum access_kind kind, uint64_t a, unsigned size)
{
    (void)mc;
    *(kind == ACCESS_IS_READ ? &reads : &writes) += 1;
    report_at = a;
    report_size = size;
}

void
report_uninitialized(const struct dr_mcontext *mc, enum uninit_kind kind, const char *detail, uint64_t a, unsigned size)
{
    (void)mc, (void)kind, (void)detail, (void)size;
    undefined++;
    report_at = a;
}

void
report_overlap(const struct dr_mcontext *mc, const char *function, uint64_t dst, uint64_t src, uint64_t n)
{
    (void)mc, (void)function, (void)dst, (void)src, (void)n;
    overlaps++;
}

static void
nothing_reported(void)
{
    reads = writes = undefined = overlaps = mode_updates = 0;
    report_at = report_size = 0;
}

/* ---- calls ---- */

static bool
call(const char *name, uint64_t a, uint64_t b, uint64_t n, uint64_t d, uint64_t *result)
{
    unsigned length = 0;

    while (name[length])
        length++;
    struct replaced r = {.what = strings_find(name, length)};
    struct dr_mcontext mc = {0};
    mc.gpr[RDI] = a;
    mc.gpr[RSI] = b;
    mc.gpr[RDX] = n;
    mc.gpr[RCX] = d;
    bool done = r.what->f((uint64_t)&r, &mc);
    *result = mc.gpr[RAX];
    return done;
}

static uint64_t seed = 88172645463325252ull;
static uint64_t
any(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

enum { SIZE = 1 << 15, ROUNDS = 8000 };
static uint8_t *ours, *theirs;

enum result { POINTER, COUNT, SIGN, NONE };
typedef uint64_t function(uint64_t, uint64_t, uint64_t, uint64_t);
struct row { const char *name; void *f; char kind; enum result result; };
/* kind: m memory, s strings, c a character in place of b, w wide, C wide and a character; n uses of the third argument follow from it */
static const struct row rows[] = {
    {"memcpy", memcpy, 'd', POINTER}, {"memmove", memmove, 'm', POINTER}, {"mempcpy", mempcpy, 'd', POINTER}, {"bcopy", bcopy, 'm', NONE},
    {"memset", memset, 'c', POINTER}, {"memchr", memchr, 'c', POINTER}, {"memrchr", memrchr, 'c', POINTER}, {"memcmp", memcmp, 'm', SIGN}, {"bcmp", bcmp, 'm', SIGN},
    {"strlen", strlen, 's', COUNT}, {"strnlen", strnlen, 'n', COUNT}, {"strcpy", strcpy, 't', POINTER}, {"stpcpy", stpcpy, 't', POINTER},
    {"strncpy", strncpy, 't', POINTER}, {"stpncpy", stpncpy, 't', POINTER}, {"strcat", strcat, 't', POINTER}, {"strncat", strncat, 't', POINTER},
    {"strcmp", strcmp, 's', SIGN}, {"strncmp", strncmp, 's', SIGN}, {"strcasecmp", strcasecmp, 's', SIGN}, {"strncasecmp", strncasecmp, 's', SIGN},
    {"strchr", strchr, 'S', POINTER}, {"strchrnul", strchrnul, 'S', POINTER}, {"strrchr", strrchr, 'S', POINTER}, {"index", index, 'S', POINTER},
    {"strstr", strstr, 'h', POINTER}, {"strspn", strspn, 'h', COUNT}, {"strcspn", strcspn, 'h', COUNT}, {"strpbrk", strpbrk, 'h', POINTER},
    {"wcslen", wcslen, 'w', COUNT}, {"wcscpy", wcscpy, 'W', POINTER}, {"wcscat", wcscat, 'W', POINTER}, {"wcsncpy", wcsncpy, 'W', POINTER},
    {"wmemcpy", wmemcpy, 'W', POINTER}, {"wmemset", wmemset, 'C', POINTER}, {"wmemchr", wmemchr, 'C', POINTER}, {"wmemcmp", wmemcmp, 'w', SIGN},
    {"wcscmp", wcscmp, 'w', SIGN}, {"wcsncmp", wcsncmp, 'w', SIGN}, {"wcschr", wcschr, 'C', POINTER}, {"wcsrchr", wcsrchr, 'C', POINTER},
};

/* Few different bytes, so that searches find and comparisons go far; a zero here and there and at the ends. */
static void
fill(bool wide)
{
    uint64_t zero = 1 + any(400), letters = 1 + any(5);

    for (unsigned i = 0; i < SIZE; i++)
        theirs[i] = any(zero) ? (uint8_t)("aBbAZz"[any(letters)]) : 0;
    if (wide)
        for (unsigned i = 0; i < SIZE; i++)
            if (i % 4)
                theirs[i] = 0;
    for (unsigned i = SIZE / 2 - 16; i < SIZE / 2; i++)
        theirs[i] = theirs[i + SIZE / 2] = 0;
    memcpy(ours, theirs, SIZE);
}

static long sign(uint64_t v) { return ((int32_t)v > 0) - ((int32_t)v < 0); }

static void
one(const struct row *r)
{
    static const uint64_t sizes[] = {1, 16, 40, 130, 700, 3000};
    bool wide = r->kind == 'w' || r->kind == 'W' || r->kind == 'C';
    uint64_t unit = wide ? 4 : 1, n = any(sizes[any(6)]), half = SIZE / 2, room = half - 1000 - n * unit;
    uint64_t a = any(room), b = half + any(room), got, want;

    if (wide)
        a &= ~3ull, b &= ~3ull;
    fill(wide);
    switch (r->kind) {
    case 'm': case 's':
        if (any(2))                  /* within one half: equal contents, or overlapping */
            b = any(2) ? a + any(40) : a - any(40 < a ? 40 : a + 1);
        else if (any(2))
            memcpy(theirs + b, theirs + a, n + 1 + any(50));
        break;
    case 't':                        /* a short string behind, room in front */
        theirs[b + any(600)] = theirs[b + 700] = theirs[a + any(300)] = theirs[a + 400] = 0;
        break;
    case 'h':
        b = half + any(200);
        theirs[b + any(6)] = 0;
        break;
    case 'W':
        memset(theirs + ((b + any(600)) & ~3ull), 0, 4);
        break;
    }
    memcpy(ours, theirs, SIZE);
    bool character = r->kind == 'c' || r->kind == 'S' || r->kind == 'C';
    uint64_t c = any(10) ? (uint64_t)"aBbAZz"[any(6)] : 0;
    if (any(2) && !wide)
        c |= any(100) << 8;          /* only the low byte counts */
    if (r->kind == 'n')
        want = ((function *)r->f)((uint64_t)theirs + a, n, 0, 0);
    else
        want = ((function *)r->f)((uint64_t)theirs + a, character ? c : (uint64_t)theirs + b, n, 0);
    bool done = call(r->name, (uint64_t)ours + a, r->kind == 'n' ? n : character ? c : (uint64_t)ours + b, n, 0, &got);
    EXPECT_EQUAL(r->name, done, true);
    if (memcmp(ours, theirs, SIZE) != 0)
        EXPECT_EQUAL(r->name, n, -1);
    if (r->result == POINTER)
        EXPECT_EQUAL(r->name, got ? (int64_t)(got - (uint64_t)ours) : -1, want ? (int64_t)(want - (uint64_t)theirs) : -1);
    else if (r->result == COUNT)
        EXPECT_EQUAL(r->name, got, want);
    else if (r->result == SIGN)
        EXPECT_EQUAL(r->name, sign(got), sign(want));
}

static void
start(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    shim_start();
    opt.check_overlap = true;
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    ours = dr_map(SIZE);
    theirs = dr_map(SIZE);
    EXPECT_EQUAL("init", strings_init(), true);
}

TEST(strings, results_and_memory_are_those_of_libc)
{
    start();
    for (unsigned i = 0; i < ROUNDS && unit_failures < 20; i++)
        one(&rows[any(sizeof rows / sizeof *rows)]);
    nothing_reported();
}

/* Random shadow, then a copy: where both bytes are addressable the destination's bits are the source's, else as they were. */
TEST(strings, shadow_goes_where_the_data_goes)
{
    enum { N = 400 };
    uint8_t before[2 * N], after[2 * N];
    uint64_t result;

    start();
    for (unsigned round = 0; round < 3000 && unit_failures < 20; round++) {
        uint64_t base = (uint64_t)ours + any(64), n = any(N / 2), dst, src;
        bool clean = any(3) == 0;
        shadow_set((uint64_t)ours, SIZE, SHADOW_DEFINED);
        for (unsigned i = 0; i < 2 * N && !clean; i++)
            if (any(4) == 0)
                shadow_set(base + i, 1 + any(3), any(8) ? SHADOW_UNDEFINED : SHADOW_UNADDRESSABLE);
            else if (any(9) == 0)
                shadow_store(base + i, 1, &(uint8_t){(uint8_t)any(256)});
        dst = base + any(2 * N - n);
        src = base + any(2 * N - n);
        enum shadow_state was[2 * N];
        for (unsigned i = 0; i < 2 * N; i++)
            was[i] = shadow_get(base + i);
        shadow_load(base, 2 * N, before);
        EXPECT_EQUAL("memmove", call("memmove", dst, src, n, 0, &result), true);
        shadow_load(base, 2 * N, after);
        for (uint64_t i = 0; i < 2 * N; i++) {
            bool in = base + i - dst < n;
            if (was[i] == SHADOW_UNADDRESSABLE)
                EXPECT_EQUAL("stays unaddressable", shadow_get(base + i), SHADOW_UNADDRESSABLE);
            else
                EXPECT_EQUAL("bits", after[i], in ? before[i + (src - dst)] : before[i]);
        }
    }
    shadow_set((uint64_t)ours, SIZE, SHADOW_DEFINED);
    nothing_reported();
}

TEST(strings, what_is_beyond_the_block_is_reported_and_done)
{
    uint64_t p, result;

    start();
    p = (uint64_t)ours + 64;
    memset(ours, 'x', 256);
    ours[64 + 20] = 0;
    shadow_set(p + 16, 16, SHADOW_UNADDRESSABLE);
    EXPECT_EQUAL("strlen", call("strlen", p, 0, 0, 0, &result), true);
    EXPECT_EQUAL("its result", result, 20);
    EXPECT_EQUAL("one read", reads * 100 + writes, 100);
    EXPECT_EQUAL("from the first bad byte", report_at, p + 16);
    EXPECT_EQUAL("as far as the string goes", report_size, 5);
    nothing_reported();
    call("memset", p + 8, 7, 12, 0, &result);
    EXPECT_EQUAL("one write", reads * 100 + writes, 1);
    EXPECT_EQUAL("size", report_size, 4);
    EXPECT_EQUAL("written", ours[64 + 19], 7);
    EXPECT_EQUAL("still bad", shadow_get(p + 17), SHADOW_UNADDRESSABLE);
    nothing_reported();
    call("memcpy", (uint64_t)ours + 1000, p, 16, 0, &result);
    call("strncmp", p, p + 100, 8, 0, &result);
    EXPECT_EQUAL("within", reads + writes + undefined, 0);
    shadow_set((uint64_t)ours, SIZE, SHADOW_DEFINED);
}

TEST(strings, undefined_bytes_are_reported_where_they_decide)
{
    uint64_t p, q, result;

    start();
    p = (uint64_t)ours;
    q = p + 200;
    memset(ours, 'a', 400);
    ours[50] = ours[250] = 0;
    nothing_reported();
    shadow_set(p + 60, 10, SHADOW_UNDEFINED);
    call("strlen", p, 0, 0, 0, &result);
    call("strcmp", p, q, 0, 0, &result);
    EXPECT_EQUAL("behind the end", undefined, 0);
    shadow_set(p + 10, 1, SHADOW_UNDEFINED);
    call("strlen", p, 0, 0, 0, &result);
    EXPECT_EQUAL("before the end", undefined, 1);
    EXPECT_EQUAL("where", report_at, p + 10);
    nothing_reported();
    shadow_set(p + 10, 1, SHADOW_DEFINED);
    shadow_store(p + 10, 1, &(uint8_t){0x0f});       /* 'a' is 0x61: its upper bits say that it is not 0 */
    call("strlen", p, 0, 0, 0, &result);
    EXPECT_EQUAL("defined bits decide", undefined, 0);
    call("memcmp", p, q, 20, 0, &result);
    EXPECT_EQUAL("equality does not", undefined, 1);
    nothing_reported();
    ours[210] = 0x91;                                /* differs in bits that are defined */
    call("memcmp", p, q, 20, 0, &result);
    EXPECT_EQUAL("they surely differ", undefined, 0);
    EXPECT_EQUAL("by how much is undefined", regs.gpr[RAX], 0xffffffff);
    EXPECT_EQUAL("mode", mode_updates, 1);
    regs.gpr[RAX] = 0;
    regs.summary = 0;
    nothing_reported();
    call("memcpy", q, p, 30, 0, &result);
    EXPECT_EQUAL("a copy decides nothing", undefined, 0);
    regs.gpr[RDX] = 0xff;
    regs.summary = 1 << RDX;
    call("memcpy", q, p, 30, 0, &result);
    EXPECT_EQUAL("its size does", undefined, 1);
    regs.gpr[RDX] = 0;
    regs.gpr[RSI] = 0xff;
    regs.summary = 1 << RSI;
    nothing_reported();
    call("memset", p, 3, 30, 0, &result);
    EXPECT_EQUAL("a value does not", undefined, 0);
    EXPECT_EQUAL("it is stored", shadow_get(p + 29), SHADOW_UNDEFINED);
    regs = (struct regstate){0};
    shadow_set(p, SIZE, SHADOW_DEFINED);
}

TEST(strings, overlap_is_memcpys_and_not_memmoves)
{
    uint64_t p, result;

    start();
    p = (uint64_t)ours;
    nothing_reported();
    call("memmove", p, p + 20, 40, 0, &result);
    call("memcpy", p, p + 40, 40, 0, &result);
    call("memcpy", p, p, 40, 0, &result);
    name_at_call = "memmove";
    call("memcpy", p, p + 20, 40, 0, &result);
    EXPECT_EQUAL("none", overlaps, 0);
    name_at_call = "memcpy";
    call("memmove", p, p + 20, 40, 0, &result);
    call("memcpy", p + 20, p, 21, 0, &result);
    name_at_call = NULL;
    call("memcpy", p + 20, p, 21, 0, &result);
    EXPECT_EQUAL("three", overlaps, 3);
    memset(ours, 'a', 100);
    ours[30] = 0;
    call("strcpy", p + 10, p, 0, 0, &result);
    call("strcpy", p, p, 0, 0, &result);
    call("mempcpy", p, p, 20, 0, &result);
    EXPECT_EQUAL("strcpy", overlaps, 5);
    nothing_reported();
}

TEST(strings, faults_are_left_to_the_programs_own_function)
{
    uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t edge, result;

    start();
    mprotect(page + 4096, 4096, PROT_NONE);
    memset(page, 'x', 4096);
    edge = (uint64_t)page + 4096;
    nothing_reported();
    EXPECT_EQUAL("strlen", call("strlen", edge - 100, 0, 0, 0, &result), false);
    EXPECT_EQUAL("memcpy from", call("memcpy", (uint64_t)ours, edge - 100, 101, 0, &result), false);
    EXPECT_EQUAL("memcpy to", call("memcpy", edge - 100, (uint64_t)ours, 101, 0, &result), false);
    EXPECT_EQUAL("to the edge", call("memcpy", edge - 100, (uint64_t)ours, 100, 0, &result), true);
    page[4090] = 0;
    EXPECT_EQUAL("strlen to the edge", call("strlen", edge - 100, 0, 0, 0, &result), true);
    EXPECT_EQUAL("wild", call("memset", 0x4141414141414141, 0, 10, 0, &result), false);
    EXPECT_EQUAL("NULL", call("strlen", 0, 0, 0, 0, &result), false);
    EXPECT_EQUAL("a negative size", call("memcpy", (uint64_t)ours, (uint64_t)theirs, (uint64_t)-5, 0, &result), false);
    EXPECT_EQUAL("a size beyond all memory", call("memset", (uint64_t)page, 0, 1ull << 45, 0, &result), false);
    EXPECT_EQUAL("a buffer that is too small", call("__memcpy_chk", (uint64_t)ours, (uint64_t)theirs, 10, 9, &result), false);
    EXPECT_EQUAL("a buffer that is not", call("__memcpy_chk", (uint64_t)ours, (uint64_t)theirs, 10, 10, &result), true);

    /* A move that overlaps and cannot be done has not begun. */
    for (unsigned i = 0; i < 4096; i++)
        page[i] = (uint8_t)(i * 7);
    EXPECT_EQUAL("memmove", call("memmove", edge - 50, edge - 58, 58, 0, &result), false);
    EXPECT_EQUAL("short memmove", call("memmove", edge - 5, edge - 8, 8, 0, &result), false);
    for (unsigned i = 0; i < 4096; i++)
        if (page[i] != (uint8_t)(i * 7))
            EXPECT_EQUAL("untouched", i, -1);
    munmap(page, 8192);
    nothing_reported();
}

UNIT_MAIN
