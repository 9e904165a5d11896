/* What shared objects in the engine's process may import: the tool API, and the
 * few libc functions that libZydis wants. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/tools.h"
#include "drtools/syscalls.h"
#include "linux/descriptors.h"
#include "linux/memory.h"
#include "linux/sys.h"
#include "util/heap.h"

void *dr_map(size_t bytes) { return engine_map(bytes); }
int dr_reserve(uint64_t at, uint64_t bytes) { return (int)engine_reserve(at, bytes); }
void dr_unmap(void *p, size_t bytes) { engine_unmap(p, bytes); }
void *dr_program_map(size_t bytes) { return program_map(bytes); }
void dr_program_unmap(void *p, size_t bytes) { program_unmap(p, bytes); }
bool dr_program_discard(void *p, size_t bytes) { return program_discard(p, bytes); }

static volatile uint64_t pieces, piece_bytes;

uint64_t
heap_of_tools(uint64_t *bytes)
{
    *bytes = piece_bytes;
    return pieces;
}

void *
dr_alloc(size_t bytes)
{
    void *p = heap_alloc(bytes);

    if (p) {
        __atomic_fetch_add(&pieces, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&piece_bytes, bytes, __ATOMIC_RELAXED);
    }
    return p;
}

void
dr_free(void *p)
{
    if (!p)
        return;
    __atomic_fetch_sub(&piece_bytes, heap_free(p), __ATOMIC_RELAXED);
    __atomic_fetch_sub(&pieces, 1, __ATOMIC_RELAXED);
}

bool dr_safe_read(void *dst, uint64_t a, size_t n) { return safe_read(dst, a, n); }
bool dr_safe_write(uint64_t a, const void *src, size_t n) { return safe_write(a, src, n); }

bool
dr_try(void (*f)(void *arg), void *arg)
{
    struct thread *t = thread_self();
    struct recover here, *volatile outer = t->recover;
    volatile bool whole = false;

    if (!recover_set(&here)) {
        t->recover = &here;
        f(arg);
        whole = true;
    }
    t->recover = outer;
    return whole;
}

bool dr_quiet(void) { return options.quiet; }
const char *dr_program(void) { return program.exe; }
void dr_locate(uint64_t pc, struct dr_location *out) { locate(pc, out); }
void dr_lock(struct dr_mutex *m) { mutex_lock((struct mutex *)m); }
void dr_unlock(struct dr_mutex *m) { mutex_unlock((struct mutex *)m); }
void dr_check_failed(const char *file, int line, const char *what) { check_failed(file, line, what); }

bool
dr_access(uint64_t at, uint64_t bytes, bool accessible)
{
    enum { MADV_NOHUGEPAGE_ADVICE = 15, MADV_DONTDUMP_ADVICE = 16 };

    DR_CHECK(engine_touches(at, at + bytes), "dr_access is given reserved memory");
    if (sys_failed(sys3(__NR_mprotect, (long)at, (long)bytes, accessible ? PROT_R | PROT_W : 0)))
        return false;
    if (accessible) {                    /* advice: sparse use, nothing that a core dump is looked into for */
        sys3(__NR_madvise, (long)at, (long)bytes, MADV_NOHUGEPAGE_ADVICE);
        sys3(__NR_madvise, (long)at, (long)bytes, MADV_DONTDUMP_ADVICE);
    }
    return true;
}

bool
dr_reset(uint64_t at, uint64_t bytes)
{
    enum { MADV_DONTNEED_ADVICE = 4 };

    DR_CHECK(engine_touches(at, at + bytes), "dr_reset is given reserved memory");
    return !sys_failed(sys3(__NR_madvise, (long)at, (long)bytes, MADV_DONTNEED_ADVICE));
}

size_t
dr_format(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    size_t n = format_v(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

static bool
write_all(int fd, const char *s, size_t n)
{
    while (n) {
        long r = sys_write(fd, s, n);
        if (r == -4 /* EINTR */)
            continue;
        if (r <= 0)
            return false;
        s += r;
        n -= (size_t)r;
    }
    return true;
}

void
dr_print(const char *fmt, ...)
{
    char line[2048];
    va_list ap;

    va_start(ap, fmt);
    size_t n = format_v(line, sizeof line, fmt, ap);
    va_end(ap);
    write_all(console_fd, line, MIN(n, sizeof line - 1));
}

/* Files of tools. A tool has a handle; the number behind it may move out of the program's way. */
enum { MAX_FILES = 16 };
static int files[MAX_FILES];         /* descriptor, 0: free */
static struct mutex files_lock;

void
files_lock_for_fork(void)
{
    mutex_lock(&files_lock);
}

void
files_unlock_after_fork(bool child)
{
    if (child)
        mutex_init(&files_lock);
    else
        mutex_unlock(&files_lock);
}

int
dr_create(const char *path)
{
    int h = 0;

    mutex_lock(&files_lock);
    while (h < MAX_FILES && files[h])
        h++;
    long fd = h < MAX_FILES ? sys_openat(-100, path, 01 | 0100 | 01000 | 02000000, 0644) : -24;   /* O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC */
    if (fd >= 0) {
        files[h] = (int)fd;
        descriptor_hide(&files[h]);
    }
    mutex_unlock(&files_lock);
    return fd < 0 ? (int)fd : h;
}

bool
dr_write(int handle, const void *p, size_t n)
{
    return handle >= 0 && handle < MAX_FILES && files[handle] && write_all(files[handle], p, n);
}

void
dr_close(int handle)
{
    mutex_lock(&files_lock);
    descriptor_forget(&files[handle]);
    sys_close(files[handle]);
    files[handle] = 0;
    mutex_unlock(&files_lock);
}

static int
file_of(int handle)
{
    return handle >= 0 && handle < MAX_FILES ? files[handle] : 0;
}

/* Lengthening a file beyond this limit would bring the program a signal. */
static bool
file_may_have(uint64_t bytes)
{
    uint64_t limit[2];

    return sys_failed(sys4(__NR_prlimit64, 0, 1 /* RLIMIT_FSIZE */, 0, (long)limit)) || limit[0] >= bytes;
}

void *
dr_map_file(const char *path, void *at, size_t bytes, int *handle)
{
    long e = file_may_have(bytes) ? 0 : -27 /* EFBIG */;
    void *p = NULL;
    int h = 0;

    mutex_lock(&files_lock);
    while (h < MAX_FILES && files[h])
        h++;
    if (!e)
        e = h < MAX_FILES ? sys_openat(-100, path, 02 | 0100 | 0200 | 02000000, 0600) : -24;   /* O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC */
    if (!sys_failed(e)) {
        int fd = (int)e;
        e = sys2(__NR_ftruncate, fd, (long)bytes);
        p = sys_failed(e) ? NULL : engine_map_shared(at, fd, bytes);
        if (p) {
            files[h] = fd;
            descriptor_hide(&files[h]);
        } else {
            e = sys_failed(e) ? e : -12;
            sys_close(fd);
        }
    }
    mutex_unlock(&files_lock);
    *handle = p ? h : (int)e;
    return p;
}

bool
dr_file_space(int handle, uint64_t from, uint64_t bytes)
{
    long e;

    do
        e = sys4(__NR_fallocate, file_of(handle), 0, (long)from, (long)bytes);
    while (e == -4 /* EINTR */);
    return e == 0;
}

int dr_parent_id(void) { return (int)sys0(__NR_getppid); }

static void
assert_failed(const char *what, const char *file, unsigned line)
{
    check_failed(file, (int)line, what);
}

static void
stack_check_failed(void)
{
    check_failed("libZydis", 0, "its stack protector is intact");
}

#define E(name) {#name, (void *)name}
static const struct { const char *name; void *address; } exports[] = {
    E(dr_block_tag), E(dr_block_mode), E(dr_block_count), E(dr_block_insn), E(dr_flags_dead),
    E(dr_emit), E(dr_flags_unread), E(dr_hold_register), E(dr_holds), E(dr_side), E(dr_side_begin), E(dr_side_jump_back), E(dr_side_call), E(dr_side_take_rcx),
    E(dr_side_give_rcx), E(dr_side_use_rcx), E(dr_side_rcx), E(dr_side_call_over), E(dr_side_back),
    E(dr_insert_function), E(syscall_memory_pre), E(syscall_memory_post), E(syscall_view), E(syscall_name), E(syscall_info), E(syscall_range_name),
    E(dr_insert_add), E(dr_take_register), E(dr_take_this_register), E(dr_give_registers), E(dr_insert_call),
    E(dr_memory_operands), E(dr_emit_address), E(dr_memory_addresses),
    E(dr_encode), E(dr_decode), E(dr_insert_encoded), E(dr_insert_mode_exit), E(dr_modes), E(dr_mode), E(dr_set_mode), E(dr_redirect),
    E(dr_thread_memory), E(dr_thread_at), E(dr_thread_id), E(dr_process_id), E(dr_thread_current), E(dr_thread_name),
    E(dr_suspend_others), E(dr_resume_others), E(dr_each_thread), E(dr_thread_context), E(dr_set_thread_context),
    E(dr_flush), E(dr_flush_synchronously), E(dr_flush_later), E(dr_alloc), E(dr_free),
    E(dr_map), E(dr_unmap), E(dr_reserve), E(dr_access), E(dr_reset), E(dr_safe_read), E(dr_safe_write), E(dr_try), E(dr_format), E(dr_print),
    E(dr_map_file), E(dr_file_space), E(dr_parent_id), E(dr_inserted), E(dr_side_give_registers),
    E(dr_create), E(dr_write), E(dr_close), E(dr_quiet), E(dr_program), E(dr_locate),
    E(dr_module_lookup), E(dr_each_module), E(dr_module_segment), E(dr_each_symbol), E(dr_symbol_address),
    E(dr_unwind), E(dr_unwind_trail), E(dr_unwind_find),
    E(dr_disassemble), E(dr_record), E(dr_record_enabled), E(dr_record_stamp),
    E(dr_lock), E(dr_unlock), E(dr_check_failed),
    E(dr_program_map), E(dr_program_unmap), E(dr_program_discard), E(dr_each_region), E(dr_each_touched),
    E(memcpy), E(memmove), E(memset), E(memcmp), E(strlen), E(strcmp), E(strncmp),
    {"__assert_fail", (void *)assert_failed},
    {"__stack_chk_fail", (void *)stack_check_failed},
};

void *
export_find(const char *name)
{
    for (unsigned i = 0; i < COUNT_OF(exports); i++)
        if (strcmp(exports[i].name, name) == 0)
            return exports[i].address;
    return NULL;
}
