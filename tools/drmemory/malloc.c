/* The functions by which the program allocates: malloc and its family, the C++
 * operators, those that jemalloc adds.
 *
 * Where one of them fails, the program's own function runs with a size that
 * cannot be had, so that it sets errno, throws, or calls the new handler
 * exactly as it does natively.
 * See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "heap.h"
#include "instrument.h"
#include "replace.h"

#define MAX_SIZE ((uint64_t)INT64_MAX)
#define IMPOSSIBLE ((uint64_t)-1)               /* a size */
enum { PAGE = 4096, E_NOMEM = 12, E_INVAL = 22 };

/* What a thread is about: a function of the program's own is running, because ours had no memory. Its stack pointer at the entry. */
struct within { uint64_t sp; };
static uint32_t within_slot;

static const struct replaced *function_of(uint64_t arg) { return (const struct replaced *)arg; }
static const char *name_of(const struct replaced *r) { return r->what->shown ? r->what->shown : r->what->name; }

static const char *
family_name(unsigned family)
{
    static const char *const names[] = {[HEAP_MALLOC] = "malloc", [HEAP_NEW] = "operator new", [HEAP_NEW_ARRAY] = "operator new[]",
                                        [HEAP_POOL] = "a pool", [HEAP_MIXED] = "an allocator"};
    return names[family];
}

static stack_id allocation_stack(const struct dr_mcontext *mc) { return opt.malloc_max_frames ? stack_here(mc, opt.malloc_max_frames) : 0; }
static stack_id free_stack(const struct dr_mcontext *mc) { return opt.free_max_frames ? stack_here(mc, opt.free_max_frames) : 0; }

static bool
returns(struct dr_mcontext *mc, uint64_t value)
{
    replace_result(mc, value);
    return true;
}

/* Is one at work that has called mc's? Its calls are not the program's, and may serve any family. */
static bool
within_own(const struct dr_mcontext *mc)
{
    uint64_t sp;

    __asm__("mov %%gs:(%1), %0" : "=r"(sp) : "r"((uint64_t)within_slot));
    if (!sp || mc->gpr[RSP] < sp)
        return sp != 0;
    ((struct within *)dr_thread_at(dr_thread_current(), within_slot))->sp = 0;
    return false;
}

/* A decision hangs on argument register r. In clean mode all are defined. */
static void
argument(const struct replaced *f, const struct dr_mcontext *mc, enum reg r)
{
    if (dr_mode(dr_thread_current()) && regstate_of(dr_thread_current())->gpr[r])
        report_uninitialized(mc, UNINIT_READ, name_of(f), 0, 8);
}

static bool
bad_size(const struct replaced *f, const struct dr_mcontext *mc, uint64_t size)
{
    if (size <= MAX_SIZE)
        return false;
    if (!within_own(mc))
        report_heap(mc, HEAP_BAD_SIZE, name_of(f), size, NULL);
    return true;
}

/* Has the program's own function run. */
static bool
run_own(const struct dr_mcontext *mc)
{
    struct within *w = dr_thread_at(dr_thread_current(), within_slot);

    if (!w->sp)
        w->sp = mc->gpr[RSP];
    return false;
}

/* … with a size in `r` for which there is no memory. */
static bool
fail(struct dr_mcontext *mc, enum reg r)
{
    mc->gpr[r] = IMPOSSIBLE;
    return run_own(mc);
}

static uint64_t
allocate(const struct replaced *f, const struct dr_mcontext *mc, uint64_t size, uint64_t align, unsigned flags)
{
    unsigned family = within_own(mc) ? HEAP_MIXED : f->family;

    return heap_allocate(size, align, family, flags, allocation_stack(mc));
}

/* A power of two of at least HEAP_ALIGNMENT and `align`. */
static uint64_t
rounded(uint64_t align)
{
    uint64_t a = HEAP_ALIGNMENT;

    while (a < align && a < 1ull << 62)
        a *= 2;
    return a;
}

static bool power_of_two(uint64_t x) { return x && !(x & (x - 1)); }

/* ---- malloc and its kind ---- */

static bool
on_malloc(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);

    argument(f, mc, RDI);
    if (bad_size(f, mc, mc->gpr[RDI]))
        return false;
    uint64_t p = allocate(f, mc, mc->gpr[RDI], HEAP_ALIGNMENT, 0);
    return p ? returns(mc, p) : fail(mc, RDI);
}

static bool
on_calloc(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);
    uint64_t size;

    argument(f, mc, RDI);
    argument(f, mc, RSI);
    if (bad_size(f, mc, mc->gpr[RDI]) || bad_size(f, mc, mc->gpr[RSI]) || __builtin_mul_overflow(mc->gpr[RDI], mc->gpr[RSI], &size))
        return false;
    uint64_t p = size <= MAX_SIZE ? allocate(f, mc, size, HEAP_ALIGNMENT, HEAP_ZEROED) : 0;
    if (p)
        return returns(mc, p);
    mc->gpr[RSI] = 2;
    return fail(mc, RDI);
}

/* What follows from freeing or resizing something wrong. b: not for HEAP_FOREIGN. */
static void
complain(const struct replaced *f, const struct dr_mcontext *mc, enum heap_verdict v, uint64_t a, const struct heap_block *b)
{
    if (v == HEAP_FOREIGN || v == HEAP_INTERIOR)
        report_heap(mc, HEAP_INVALID_FREE, name_of(f), a, NULL);
    else if (v == HEAP_FREED)
        report_heap(mc, HEAP_DOUBLE_FREE, name_of(f), a, family_name(b->family));
}

static bool
belong_together(unsigned allocated, unsigned freed)
{
    if (allocated == freed || allocated == HEAP_MIXED || freed == HEAP_MIXED)
        return true;
    return replace_mixed_operators && (allocated == HEAP_MALLOC || freed == HEAP_MALLOC);
}

static void
check_family(const struct replaced *f, const struct dr_mcontext *mc, const struct heap_block *b)
{
    if (opt.check_mismatches && !belong_together(b->family, f->family))
        report_heap(mc, HEAP_MISMATCH, name_of(f), b->start, family_name(b->family));
}

static bool
on_realloc(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);
    uint64_t a = mc->gpr[RDI], size = mc->gpr[RSI], p;
    struct heap_block b;

    argument(f, mc, RDI);
    argument(f, mc, RSI);
    if (bad_size(f, mc, size)) {
        mc->gpr[RDI] = 0;
        return run_own(mc);
    }
    if (!a) {
        p = allocate(f, mc, size, HEAP_ALIGNMENT, 0);
        return p ? returns(mc, p) : fail(mc, RSI);
    }
    enum heap_verdict v = size ? heap_resize(a, size, allocation_stack(mc), &p, &b) : heap_release(a, free_stack(mc), &b);
    if (v == HEAP_FOREIGN && f->has_own_blocks)
        return false;
    complain(f, mc, v, a, &b);
    if (v != HEAP_VALID)
        return returns(mc, 0);
    check_family(f, mc, &b);
    if (!size) {
        if (opt.check_realloc_zero)
            report_heap(mc, HEAP_REALLOC_ZERO, name_of(f), a, NULL);
        return returns(mc, 0);
    }
    if (!p) {
        mc->gpr[RDI] = 0;
        return fail(mc, RSI);
    }
    return returns(mc, p);
}

static bool
on_free(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);
    uint64_t a = mc->gpr[RDI];
    struct heap_block b;

    argument(f, mc, RDI);
    if (!a)
        return true;
    enum heap_verdict v = heap_release(a, free_stack(mc), &b);
    if (v == HEAP_FOREIGN && f->has_own_blocks)
        return false;
    complain(f, mc, v, a, &b);
    if (v == HEAP_VALID)
        check_family(f, mc, &b);
    return true;
}

/* memalign and aligned_alloc round the alignment up to a power of two, as glibc does. */
static bool
on_memalign(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);
    uint64_t align = mc->gpr[RDI], size = mc->gpr[RSI];

    argument(f, mc, RDI);
    argument(f, mc, RSI);
    if (!power_of_two(align))
        report_heap(mc, HEAP_BAD_ALIGNMENT, name_of(f), align, NULL);
    if (bad_size(f, mc, size))
        return false;
    uint64_t p = align <= MAX_SIZE ? allocate(f, mc, size, rounded(align), 0) : 0;
    return p ? returns(mc, p) : fail(mc, RSI);
}

/* C11 7.22.3.1 asked for a size that is a multiple of the alignment; later versions do not. */
static bool
on_aligned_alloc(uint64_t arg, struct dr_mcontext *mc)
{
    uint64_t align = mc->gpr[RDI];

    if (opt.strict_alignment && power_of_two(align) && mc->gpr[RSI] % align)
        report_heap(mc, HEAP_BAD_ALIGNMENT, name_of(function_of(arg)), align, NULL);
    return on_memalign(arg, mc);
}

static bool
on_posix_memalign(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);
    uint64_t to = mc->gpr[RDI], align = mc->gpr[RSI], size = mc->gpr[RDX];
    struct heap_block b;

    argument(f, mc, RSI);
    argument(f, mc, RDX);
    if (!power_of_two(align) || align % sizeof(void *)) {
        report_heap(mc, HEAP_BAD_ALIGNMENT, name_of(f), align, NULL);
        return returns(mc, E_INVAL);
    }
    if (bad_size(f, mc, size))
        return returns(mc, E_NOMEM);
    uint64_t p = allocate(f, mc, size, rounded(align), 0);
    if (!p)
        return returns(mc, E_NOMEM);
    if (!opt.leaks_only && shadow_find_unaddressable(to, sizeof p) != to + sizeof p)
        report_unaddressable(mc, ACCESS_IS_WRITE, to, sizeof p);
    if (!dr_safe_write(to, &p, sizeof p)) {     /* the program's own function faults there */
        heap_release(p, 0, &b);
        return false;
    }
    if (!opt.leaks_only)
        for (uint64_t i = to; i < to + sizeof p; i++)
            if (shadow_get(i) != SHADOW_UNADDRESSABLE)
                shadow_set(i, 1, SHADOW_DEFINED);
    return returns(mc, 0);
}

static bool
whole_pages(const struct replaced *f, struct dr_mcontext *mc, uint64_t size)
{
    argument(f, mc, RDI);
    if (bad_size(f, mc, mc->gpr[RDI]))
        return false;
    uint64_t p = allocate(f, mc, size, PAGE, 0);
    return p ? returns(mc, p) : fail(mc, RDI);
}

static bool on_valloc(uint64_t arg, struct dr_mcontext *mc) { return whole_pages(function_of(arg), mc, mc->gpr[RDI]); }
static bool on_pvalloc(uint64_t arg, struct dr_mcontext *mc) { return whole_pages(function_of(arg), mc, (mc->gpr[RDI] + PAGE - 1) & ~(uint64_t)(PAGE - 1)); }

static bool
on_usable_size(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);
    uint64_t a = mc->gpr[RDI];
    struct heap_block b;

    argument(f, mc, RDI);
    if (!a)
        return returns(mc, 0);
    enum heap_verdict v = heap_block_at(a, &b);
    if (v == HEAP_FOREIGN && f->has_own_blocks)
        return false;
    complain(f, mc, v, a, &b);
    return returns(mc, v == HEAP_VALID ? b.size : 0);
}

/* ---- operator new ---- */

static bool
make_new(const struct replaced *f, struct dr_mcontext *mc, uint64_t align)
{
    argument(f, mc, RDI);
    if (!bad_size(f, mc, mc->gpr[RDI])) {
        uint64_t p = allocate(f, mc, mc->gpr[RDI], align, 0);
        if (p)
            return returns(mc, p);
    }
    return run_own(mc);
}

static bool on_new(uint64_t arg, struct dr_mcontext *mc) { return make_new(function_of(arg), mc, HEAP_ALIGNMENT); }
static bool on_new_aligned(uint64_t arg, struct dr_mcontext *mc) { return make_new(function_of(arg), mc, rounded(mc->gpr[RSI])); }

/* ---- what jemalloc adds: flags hold the logarithm of the alignment, and whether to clear ---- */

enum { X_ALIGN = 0x3f, X_ZERO = 0x40 };

static uint64_t x_align(uint64_t flags) { return rounded(1ull << (flags & X_ALIGN)); }

static bool
on_mallocx(uint64_t arg, struct dr_mcontext *mc)
{
    uint64_t flags = mc->gpr[RSI], size = mc->gpr[RDI];

    if (bad_size(function_of(arg), mc, size))
        return returns(mc, 0);
    return returns(mc, allocate(function_of(arg), mc, size, x_align(flags), flags & X_ZERO ? HEAP_ZEROED : 0));
}

static bool
on_rallocx(uint64_t arg, struct dr_mcontext *mc)
{
    const struct replaced *f = function_of(arg);
    uint64_t a = mc->gpr[RDI], size = mc->gpr[RSI], flags = mc->gpr[RDX], p;
    struct heap_block b;

    enum heap_verdict v = heap_block_at(a, &b);
    if (v == HEAP_FOREIGN)
        return false;
    complain(f, mc, v, a, &b);
    if (v != HEAP_VALID || bad_size(f, mc, size) || !(p = allocate(f, mc, size, x_align(flags), flags & X_ZERO ? HEAP_ZEROED : 0)))
        return returns(mc, 0);
    uint64_t common = size < b.size ? size : b.size;
    dr_safe_read((void *)p, a, common);
    if (!opt.leaks_only)
        shadow_copy(p, a, common);
    heap_release(a, free_stack(mc), &b);
    return returns(mc, p);
}

/* In place only: never. The size that it has. */
static bool on_xallocx(uint64_t arg, struct dr_mcontext *mc) { return on_usable_size(arg, mc); }
static bool on_nallocx(uint64_t arg, struct dr_mcontext *mc) { return (void)arg, returns(mc, mc->gpr[RDI]); }

/* ---- the table ---- */

enum { OPERATOR = REPLACE_OPERATOR, PREFIXED = REPLACE_PREFIXED, ALLOCATES = REPLACE_ALLOCATES, EXTRA = REPLACE_EXTRA | PREFIXED, ONLY_PREFIXED = REPLACE_ONLY_PREFIXED | PREFIXED };

/* clang-format off */
static const struct replacement table[] = {
    {"malloc",              NULL, on_malloc,         HEAP_MALLOC, PREFIXED | ALLOCATES},
    {"calloc",              NULL, on_calloc,         HEAP_MALLOC, PREFIXED},
    {"realloc",             NULL, on_realloc,        HEAP_MALLOC, PREFIXED},
    {"free",                NULL, on_free,           HEAP_MALLOC, PREFIXED},
    {"cfree",               NULL, on_free,           HEAP_MALLOC, PREFIXED},
    {"memalign",            NULL, on_memalign,       HEAP_MALLOC, PREFIXED},
    {"aligned_alloc",       NULL, on_aligned_alloc,  HEAP_MALLOC, PREFIXED},
    {"posix_memalign",      NULL, on_posix_memalign, HEAP_MALLOC, PREFIXED},
    {"valloc",              NULL, on_valloc,         HEAP_MALLOC, PREFIXED},
    {"pvalloc",             NULL, on_pvalloc,        HEAP_MALLOC, PREFIXED},
    {"malloc_usable_size",  NULL, on_usable_size,    HEAP_MALLOC, PREFIXED},
    {"malloc_size",         NULL, on_usable_size,    HEAP_MALLOC, ONLY_PREFIXED},
    {"free_sized",          NULL, on_free,           HEAP_MALLOC, PREFIXED},
    {"free_aligned_sized",  NULL, on_free,           HEAP_MALLOC, PREFIXED},
    {"mallocx",             NULL, on_mallocx,        HEAP_MALLOC, EXTRA},
    {"rallocx",             NULL, on_rallocx,        HEAP_MALLOC, EXTRA},
    {"xallocx",             NULL, on_xallocx,        HEAP_MALLOC, EXTRA},
    {"sallocx",             NULL, on_usable_size,    HEAP_MALLOC, EXTRA},
    {"nallocx",             NULL, on_nallocx,        HEAP_MALLOC, EXTRA},
    {"dallocx",             NULL, on_free,           HEAP_MALLOC, EXTRA},
    {"sdallocx",            NULL, on_free,           HEAP_MALLOC, EXTRA},
    {"new",                 NULL, on_new,            HEAP_NEW,       ONLY_PREFIXED},      /* with tcmalloc's prefix */
    {"new_nothrow",         NULL, on_new,            HEAP_NEW,       ONLY_PREFIXED},
    {"newarray",            NULL, on_new,            HEAP_NEW_ARRAY, ONLY_PREFIXED},
    {"newarray_nothrow",    NULL, on_new,            HEAP_NEW_ARRAY, ONLY_PREFIXED},
    {"delete",              NULL, on_free,           HEAP_NEW,       ONLY_PREFIXED},
    {"delete_sized",        NULL, on_free,           HEAP_NEW,       ONLY_PREFIXED},
    {"delete_nothrow",      NULL, on_free,           HEAP_NEW,       ONLY_PREFIXED},
    {"deletearray",         NULL, on_free,           HEAP_NEW_ARRAY, ONLY_PREFIXED},
    {"deletearray_sized",   NULL, on_free,           HEAP_NEW_ARRAY, ONLY_PREFIXED},
    {"deletearray_nothrow", NULL, on_free,           HEAP_NEW_ARRAY, ONLY_PREFIXED},
    {"_Znwm",                                   "operator new",      on_new,         HEAP_NEW,       OPERATOR},
    {"_ZnwmRKSt9nothrow_t",                     "operator new",      on_new,         HEAP_NEW,       OPERATOR},
    {"_ZnwmSt11align_val_t",                    "operator new",      on_new_aligned, HEAP_NEW,       OPERATOR},
    {"_ZnwmSt11align_val_tRKSt9nothrow_t",      "operator new",      on_new_aligned, HEAP_NEW,       OPERATOR},
    {"_Znam",                                   "operator new[]",    on_new,         HEAP_NEW_ARRAY, OPERATOR},
    {"_ZnamRKSt9nothrow_t",                     "operator new[]",    on_new,         HEAP_NEW_ARRAY, OPERATOR},
    {"_ZnamSt11align_val_t",                    "operator new[]",    on_new_aligned, HEAP_NEW_ARRAY, OPERATOR},
    {"_ZnamSt11align_val_tRKSt9nothrow_t",      "operator new[]",    on_new_aligned, HEAP_NEW_ARRAY, OPERATOR},
    {"_ZdlPv",                                  "operator delete",   on_free,        HEAP_NEW,       OPERATOR},
    {"_ZdlPvm",                                 "operator delete",   on_free,        HEAP_NEW,       OPERATOR},
    {"_ZdlPvRKSt9nothrow_t",                    "operator delete",   on_free,        HEAP_NEW,       OPERATOR},
    {"_ZdlPvSt11align_val_t",                   "operator delete",   on_free,        HEAP_NEW,       OPERATOR},
    {"_ZdlPvmSt11align_val_t",                  "operator delete",   on_free,        HEAP_NEW,       OPERATOR},
    {"_ZdlPvSt11align_val_tRKSt9nothrow_t",     "operator delete",   on_free,        HEAP_NEW,       OPERATOR},
    {"_ZdaPv",                                  "operator delete[]", on_free,        HEAP_NEW_ARRAY, OPERATOR},
    {"_ZdaPvm",                                 "operator delete[]", on_free,        HEAP_NEW_ARRAY, OPERATOR},
    {"_ZdaPvRKSt9nothrow_t",                    "operator delete[]", on_free,        HEAP_NEW_ARRAY, OPERATOR},
    {"_ZdaPvSt11align_val_t",                   "operator delete[]", on_free,        HEAP_NEW_ARRAY, OPERATOR},
    {"_ZdaPvmSt11align_val_t",                  "operator delete[]", on_free,        HEAP_NEW_ARRAY, OPERATOR},
    {"_ZdaPvSt11align_val_tRKSt9nothrow_t",     "operator delete[]", on_free,        HEAP_NEW_ARRAY, OPERATOR},
};
/* clang-format on */

bool
malloc_init(void)
{
    replace_register(table, sizeof table / sizeof *table);
    within_slot = dr_thread_memory(sizeof(struct within));
    return within_slot != 0;
}
