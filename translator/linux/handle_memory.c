/* System calls that map, protect and write memory: the list of code regions and
 * the code cache follow them.
 * Invariant: before memory stops holding the code it held, its fragments are gone.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache.h"
#include "linux/handle.h"
#include "linux/memory.h"
#include "linux/modules.h"

enum { MAPF_PRIVATE = 2, MAPF_TYPE = 15, MAPF_FIXED = 0x10, MAPF_ANON = 0x20, MAPF_32BIT = 0x40, MAPF_NOREPLACE = 0x100000 };
enum { READ_IMPLIES_EXEC_BIT = 0x400000, GROWSDOWN = 0x01000000, STACK_REACH = 64 << 20 /* the gap below a stack is larger */ };

static bool reading_implies_exec;

static bool
touches_engine(uint64_t lo, uint64_t n)
{
    return lo + n >= lo && engine_touches(lo, lo + n);
}

static void
flush(uint64_t lo, uint64_t hi)
{
    mutex_lock(&cache_lock);
    cache_flush_range(lo, hi);
    mutex_unlock(&cache_lock);
}

/* The mapping at [lo, lo+n) is about to be replaced or protected anew. */
static void
code_goes(uint64_t lo, uint64_t n)
{
    if (!n || !regions_intersect(lo, lo + PAGE_UP(n)))
        return;
    code_forget(lo, lo + PAGE_UP(n));
    flush(lo, lo + PAGE_UP(n));
}

/* … to be replaced, or there is to be nothing. */
static void
memory_goes(uint64_t lo, uint64_t n)
{
    modules_unmapped(lo, n);
    code_goes(lo, n);
}

/* The bytes of [lo, lo+n) change or move while their mapping stays. */
static void
code_changes(uint64_t lo, uint64_t n)
{
    if (!n || !regions_intersect(lo, lo + PAGE_UP(n)))
        return;
    code_release(lo, lo + PAGE_UP(n));
    flush(lo, lo + PAGE_UP(n));
}

void
code_written(uint64_t at, uint64_t n)
{
    if (n && regions_intersect(at, at + n))
        flush(at, at + n);
}

static int
effective_prot(int prot)
{
    return reading_implies_exec && (prot & PROT_R) ? prot | PROT_X : prot;
}

long
on_personality(struct thread *t)
{
    long r = native(t);

    if (!sys_failed(r) && (uint32_t)ARG0(t) != 0xffffffff)
        reading_implies_exec = ARG0(t) & READ_IMPLIES_EXEC_BIT;
    return r;
}

static bool
is_elf(int fd)
{
    uint32_t magic = 0;

    return sys_pread(fd, &magic, 4, 0) == 4 && magic == 0x464c457f;
}

/* Where the engine would like to have it: libraries near the code cache, nothing among its own memory. */
static uint64_t
placed(uint64_t at, uint64_t n, int flags, int fd)
{
    if (touches_engine(at, n))
        return 0;
    if (!at && fd >= 0 && !(flags & (MAPF_ANON | MAPF_32BIT)) && (flags & MAPF_TYPE) == MAPF_PRIVATE && is_elf(fd))
        return place_library(n);
    return at;
}

long
on_mmap(struct thread *t)
{
    uint64_t at = ARG0(t), n = ARG1(t);
    int prot = effective_prot((int)ARG2(t)), flags = (int)ARG3(t), fd = (int)ARG4(t);
    bool fixed = flags & (MAPF_FIXED | MAPF_NOREPLACE), shared = (flags & MAPF_TYPE) != MAPF_PRIVATE;
    struct mcontext m = t->s.mc;

    if (fixed && touches_engine(at, n))
        return flags & MAPF_NOREPLACE ? -E_EXIST : -E_NOMEM;
    if (!fixed)
        m.gpr[RDI] = placed(at, n, flags, fd);
    else if (!(flags & MAPF_NOREPLACE) && at % PAGE_SIZE == 0)
        memory_goes(at, n);
    long r = native_with(t, &m);
    if (!sys_failed(r) && (fixed || (prot & PROT_X) || shared))
        regions_set((uint64_t)r, (uint64_t)r + n, prot, shared ? REGION_SHARED : 0);
    if (!sys_failed(r) && (prot & PROT_X) && !(flags & MAPF_ANON))
        module_mapped((uint64_t)r, n, fd, ARG5(t));
    return r;
}

long
on_munmap(struct thread *t)
{
    uint64_t lo = ARG0(t), n = ARG1(t);

    if (lo % PAGE_SIZE || !n || lo + n < lo)
        return native(t);
    if (touches_engine(lo, n))
        return 0;                    /* nothing of the program's is there */
    bool code = regions_intersect(lo, lo + PAGE_UP(n));
    struct regions_kept kept;
    regions_keep(&kept, lo, lo + PAGE_UP(n));
    memory_goes(lo, n);
    regions_set(lo, lo + n, 0, 0);
    if (code)                        /* what another thread translated meanwhile: from here on it cannot */
        flush(lo, lo + PAGE_UP(n));
    long r = native(t);
    regions_drop_kept(&kept, sys_failed(r));
    if (!sys_failed(r))
        unplace_library(lo, n);
    return r;
}

long
on_mprotect(struct thread *t)
{
    uint64_t lo = ARG0(t), n = ARG1(t);
    int prot = effective_prot((int)ARG2(t));

    if (lo % PAGE_SIZE || lo + PAGE_UP(n) < lo)
        return native(t);
    if (touches_engine(lo, n))
        return -E_NOMEM;
    if (!(prot & PROT_X) || (prot & PROT_W))
        code_goes(lo, n);
    long r = native(t);
    if (!sys_failed(r) && (prot & GROWSDOWN) && (prot & PROT_X))     /* down to where the stack begins, and it may grow further */
        regions_set(lo - MIN(lo, STACK_REACH), lo + PAGE_UP(n), prot & 7, 0);
    else if (!sys_failed(r) && ((prot & PROT_X) || regions_intersect(lo, lo + PAGE_UP(n))))
        regions_protect(lo, lo + PAGE_UP(n), prot & 7);
    if (prot & PROT_W)               /* what another thread translated under the old protection */
        code_goes(lo, n);
    return r;
}

long
on_mremap(struct thread *t)
{
    uint64_t lo = ARG0(t), n = ARG1(t), to_n = ARG2(t), flags = ARG3(t);
    bool code = regions_intersect(lo, lo + MAX(PAGE_UP(n), PAGE_SIZE)), fixed = flags & 2 /* MREMAP_FIXED */;

    if (touches_engine(lo, n) || (fixed && touches_engine(ARG4(t), to_n)))
        return -E_FAULT;
    code_changes(lo, n ? n : to_n);
    if (fixed)
        memory_goes(ARG4(t), to_n);
    modules_unmapped(lo, n);
    long r = native(t);
    if (!sys_failed(r) && (code || fixed))
        regions_move(lo, flags & 4 /* MREMAP_DONTUNMAP */ ? 0 : n, (uint64_t)r, to_n);
    return r;
}

long
on_madvise(struct thread *t)
{
    static const uint64_t drops = 1ull << 4 /* DONTNEED */ | 1ull << 8 /* FREE */ | 1ull << 9 /* REMOVE */ | 1ull << 24 /* DONTNEED_LOCKED */;
    uint64_t advice = ARG2(t);

    if (touches_engine(ARG0(t), ARG1(t)))
        return -E_NOMEM;
    if (advice >= 64 || !(drops >> advice & 1))
        return native(t);
    long r = native(t);
    code_changes(ARG0(t), ARG1(t));
    return r;
}

/* Ranges of the program's own memory, as an array of struct iovec. */
static void
vector_changes(uint64_t v, uint64_t count, void (*act)(uint64_t, uint64_t))
{
    struct { uint64_t base, len; } e;

    for (uint64_t i = 0; i < MIN(count, 1024) && safe_read(&e, v + 16 * i, 16); i++)
        act(e.base, e.len);
}

long
on_process_madvise(struct thread *t)
{
    long r = native(t);

    vector_changes(ARG1(t), ARG2(t), code_changes);
    return r;
}

/* Writes that pass by page protection; where the kernel does look at it, ours must not show. */
long
on_process_vm_writev(struct thread *t)
{
    bool own = (int)ARG0(t) == (int)sys0(__NR_getpid);

    if (!own)
        return write_other_process(t);
    vector_changes(ARG3(t), ARG4(t), code_changes);
    long r = native(t);
    vector_changes(ARG3(t), ARG4(t), code_written);
    return r;
}

/* io_uring and AIO write later than any call tells, and meet our protection in the kernel's own threads. */
long
on_async_setup(struct thread *t)
{
    long r = native(t);

    if (!sys_failed(r))
        code_never_protect();
    return r;
}

volatile bool page_faults_are_served;

long
on_userfaultfd(struct thread *t)
{
    page_faults_are_served = true;
    return native(t);
}

/* ---- memory of the program's that tools ask for ---- */

void *
program_map(size_t n)
{
    long p = sys_mmap(NULL, n, PROT_R | PROT_W, MAPF_PRIVATE | MAPF_ANON, -1, 0);

    return sys_failed(p) ? NULL : (void *)p;
}

void
program_unmap(void *p, size_t n)
{
    code_goes((uint64_t)p, n);
    regions_set((uint64_t)p, (uint64_t)p + n, 0, 0);
    sys_munmap(p, n);
}

bool
program_discard(void *p, size_t n)
{
    enum { DONTNEED = 4 };
    bool done = !sys_failed(sys3(__NR_madvise, (long)p, (long)n, DONTNEED));

    code_changes((uint64_t)p, n);
    return done;
}

/* ---- System V shared memory ---- */

enum { SHM_EXEC_FLAG = 0100000, IPC_STAT_COMMAND = 2, SHMID_SEGSZ_AT = 48 };

long
on_shmat(struct thread *t)
{
    uint8_t ds[256] = {0};
    uint64_t size;
    long r = native(t);

    if (sys_failed(r) || !(ARG2(t) & SHM_EXEC_FLAG) || sys_failed(sys3(__NR_shmctl, (long)ARG0(t), IPC_STAT_COMMAND, (long)ds)))
        return r;
    memcpy(&size, ds + SHMID_SEGSZ_AT, 8);
    code_goes((uint64_t)r, size);
    regions_set((uint64_t)r, (uint64_t)r + size, PROT_R | PROT_X | (ARG2(t) & 010000 /* SHM_RDONLY */ ? 0 : PROT_W), REGION_SHARED);
    return r;
}

long
on_shmdt(struct thread *t)
{
    struct region r;
    bool code = regions_find(ARG0(t), &r) && r.lo == ARG0(t);

    if (code) {
        code_goes(r.lo, r.hi - r.lo);
        regions_set(r.lo, r.hi, 0, 0);
    }
    return native(t);
}
