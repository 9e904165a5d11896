/* From the kernel's entry to the program's first instruction.
 *
 * The kernel has given us the program's stack, with three words in front of
 * its argv. We load the program, turn that stack into what the kernel would
 * have made, tell the kernel the true bounds (PR_SET_MM_MAP), and go.
 * Places: the code cache, a PIE with its heap above, and libraries below lie
 * within 2 GiB of each other, so that RIP-relative operands reach from the
 * cache. Without address-space randomization everything is where it always is.
 * See docs/ARCHITECTURE.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>
#include <linux/prctl.h>

#include "core/cache.h"
#include "core/engine.h"
#include "core/records.h"
#include "core/tools.h"
#include "core/translate.h"
#include "linux/descriptors.h"
#include "linux/elf.h"
#include "linux/memory.h"
#include "linux/modules.h"
#include "linux/released.h"
#include "linux/signal.h"
#include "linux/sigframe.h"
#include "linux/sys.h"
#include "linux/syscall.h"
#include "util/log.h"

struct program program;
int engine_fd = -1, exe_fd = -1;
bool no_aslr;

struct start {
    uint64_t *sp, *argv, *envp;
    Elf64_auxv_t *auxv, *auxv_end;      /* auxv_end: after AT_NULL */
    long argc;
    struct image app, interp;
    uint64_t brk;
};

void
start_failed(int status, const char *fmt, ...)
{
    char line[4600];
    va_list ap;

    size_t n = format(line, sizeof line, "drrun: ");
    va_start(ap, fmt);
    n += format_v(line + n, sizeof line - n - 1, fmt, ap);
    va_end(ap);
    n = MIN(n, sizeof line - 2);
    line[n++] = '\n';
    sys_write(2, line, n);
    sys_exit_group(status);
}

static uint64_t
aux_get(const struct start *s, uint64_t type)
{
    for (Elf64_auxv_t *a = s->auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == type)
            return a->a_un.a_val;
    return 0;
}

static void
aux_set(struct start *s, uint64_t type, uint64_t value)
{
    for (Elf64_auxv_t *a = s->auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == type)
            a->a_un.a_val = value;
}

static void
read_stack(struct start *s, uint64_t *sp)
{
    s->sp = sp;
    s->argc = (long)sp[0];
    s->argv = sp + 1;
    s->envp = s->argv + s->argc + 1;
    uint64_t *p = s->envp;
    while (*p)
        p++;
    s->auxv = (Elf64_auxv_t *)(p + 1);
    for (s->auxv_end = s->auxv; s->auxv_end->a_type != AT_NULL;)
        s->auxv_end++;
    s->auxv_end++;
}

static char *
copy_string(const char *from)
{
    size_t n = strlen(from) + 1;
    char *to = engine_map(n);

    if (!to)
        start_failed(125, "no memory to start (address-space limit?)");
    memcpy(to, from, n);
    return to;
}

static void start_natively(struct start *s);

static void
read_options(struct start *s)
{
    const char *why = "";

    if (s->argc < 4 || !str_starts((char *)s->argv[1], "drtools=1\n")) {
        start_natively(s);
        start_failed(2, "this is the engine of drtools; run programs through drrun");
    }
    options.config = copy_string((char *)s->argv[1]);
    if (!options_parse(copy_string((char *)s->argv[1]), &why))
        start_failed(125, "engine and front end do not match: '%s'", why);
    program.path = copy_string((char *)s->argv[2]);
    if (options.log && !log_enable(options.log))
        start_failed(2, "unknown log subject in '%s'", options.log);
}

/* ---- places ---- */

enum { LAYOUT_GIB = 30 };
static const uint64_t PIE_BASE = 0x555555554000;    /* of Linux: ELF_ET_DYN_BASE, two thirds of the address space */
#define GIB (1ull << LAYOUT_GIB)

static uint64_t
random_pages(const struct start *s, unsigned bits, unsigned which)
{
    const uint64_t *r = (const uint64_t *)aux_get(s, AT_RANDOM);

    return r && !no_aslr ? (r[which & 1] * 0x9e3779b97f4a7c15ull >> (64 - bits)) * PAGE_SIZE : 0;
}

static void
place_cache(const struct start *s)
{
    uint64_t size = align_up(MAX(options.cache_max, 1u << 20), 1u << 20), limit[2];
    long probe = sys_mmap(NULL, PAGE_SIZE, 0, 0x4022, -1, 0);

    if (sys_failed(probe))
        start_failed(125, "no memory to start (address-space limit?)");
    sys_munmap((void *)probe, PAGE_SIZE);
    size = MIN(size, 512u << 20);
    if (!sys_failed(sys4(__NR_prlimit64, 0, 9 /* RLIMIT_AS */, 0, (long)limit)) && limit[0] != UINT64_MAX)
        size = MIN(size, align_up(MAX(limit[0] / 8, 1u << 20), 1u << 20));
    uint64_t at = (uint64_t)probe - (no_aslr ? GIB + GIB / 2 : 64 * GIB);
    if ((uint64_t)probe < PIE_BASE)      /* legacy layout (no limit of the stack): mappings grow up from below a PIE */
        at = PIE_BASE - (no_aslr ? GIB : 0);
    at = align_down(at, 2u << 20) + align_down(random_pages(s, 16, 0), 2u << 20);
    long r = sys_mmap((void *)at, size, 7, 0x4022 | 0x100000, -1, 0);
    if (sys_failed(r))
        start_failed(125, "no memory for the code cache (%lu bytes; address-space limit?)", size);
    engine_small_pages((void *)at, size);
    if (!cache_init((uint8_t *)at, size))
        start_failed(125, "no memory for the code cache's tables (address-space limit?)");
    if (!no_aslr) {
        lib_window_low = at - GIB - GIB / 2;
        lib_window_next = at - random_pages(s, 10, 1);
    }
}

/* Where a PIE goes. */
static uint64_t
place_pie(const struct start *s, uint64_t align)
{
    if (no_aslr)
        return align_up(PIE_BASE, align);
    return align_up((uint64_t)cache_base + cache_size + random_pages(s, 12, 1), align);
}

/* ---- the program ---- */

static void
load(struct start *s)
{
    uint64_t span, align;
    const char *bad;
    const char *path = options.app ? options.app : program.path;
    int fd = options.app_fd >= 0 ? options.app_fd : (int)sys_openat(-100, path, 02000000, 0);
    char magic[2] = {0};

    if (fd < 0)
        start_failed(fd == -2 ? 127 : 126, "cannot open %s (error %d)", program.path, -fd);
    char link[64];
    format(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = sys3(__NR_readlink, (long)link, (long)program.exe, sizeof program.exe - 1);
    program.exe[MAX(n, 0)] = 0;
    if (!options.app && sys_pread(fd, magic, 2, 0) == 2 && magic[0] == '#' && magic[1] == '!')
        exec_script(program.path, (uint64_t)(s->argv + 3), (uint64_t)s->envp);
    if ((bad = elf_probe(fd, &s->app, &span, &align)))
        start_failed(126, "cannot run %s: %s", program.path, bad);
    bool dynamic = s->app.interp[0];
    uint64_t at = !s->app.pie ? 0 : dynamic || !no_aslr ? place_pie(s, align) : 0;
    if ((bad = elf_map(fd, at, &s->app)))
        start_failed(126, "cannot run %s: %s", program.path, bad);
    if (options_nth("tool", 0))
        module_note_file(MODULE_PROGRAM, fd, s->app.base);
    exe_fd = fd;
    descriptor_hide(&exe_fd);
    if (dynamic) {
        char path[4096];
        memcpy(path, s->app.interp, sizeof path);
        int ifd = (int)sys_openat(-100, path, 02000000, 0);
        if (ifd < 0 || (bad = elf_probe(ifd, &s->interp, &span, &align)))
            start_failed(126, "cannot run %s: its interpreter %s: %s", program.path, path, ifd < 0 ? "cannot be opened" : bad);
        if ((bad = elf_map(ifd, no_aslr || !s->interp.pie ? 0 : align_down(place_library(span + align), align), &s->interp)))
            start_failed(126, "cannot run %s: its interpreter %s: %s", program.path, path, bad);
        if (options_nth("tool", 0))
            module_note_file(MODULE_INTERPRETER, ifd, s->interp.base);
        sys_close(ifd);
    }
    program.interp_base = dynamic ? s->interp.base : 0;
    program.own_entry = s->app.entry;
    program.entry = dynamic ? s->interp.entry : s->app.entry;
    program.exec_stack = s->app.exec_stack;
    program.brk = s->brk = PAGE_UP(s->app.brk) + random_pages(s, 13, 0);
    program.data_size = s->app.data_hi - s->app.data_lo;
}

/* The vdso runs from the cache like everything else. */
static void
note_vdso(const struct start *s)
{
    uint64_t at = aux_get(s, AT_SYSINFO_EHDR);
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)at;

    if (!at)
        return;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(at + eh->e_phoff);
    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD)
            regions_set(at + PAGE_DOWN(ph[i].p_vaddr), at + ph[i].p_vaddr + ph[i].p_memsz, PROT_R | PROT_X, 0);
    if (options_nth("tool", 0))
        module_note_vdso((const uint8_t *)at);
}

static void
make_stack_executable(const struct start *s)
{
    uint64_t limit[2] = {8u << 20}, page = PAGE_DOWN(s->sp), top;

    sys_mprotect((void *)page, PAGE_SIZE, 7 | 0x01000000 /* PROT_GROWSDOWN */);
    sys4(__NR_prlimit64, 0, 3 /* RLIMIT_STACK */, 0, (long)limit);
    top = PAGE_UP(aux_get(s, AT_EXECFN) + 1);
    sys_mprotect((void *)page, top - page, 7);
    regions_set(top - MIN(limit[0], 64u << 20), top, 7, 0);
}

/* ---- the stack ---- */

/* Our three words go: argc and argv move up over them, the rest moves down by
 * one word, which keeps the stack pointer 16-aligned as the ABI wants. */
static void
turn_stack(struct start *s)
{
    uint64_t *from = s->argv + 3, *to = s->argv + 2;
    size_t bytes = (size_t)((uint8_t *)s->auxv_end - (uint8_t *)from);

    memmove(to, from, bytes);
    s->argc -= 3;
    s->sp = to - 1;
    *s->sp = (uint64_t)s->argc;
    read_stack(s, s->sp);
}

static void
fix_auxv(struct start *s)
{
    aux_set(s, AT_PHDR, s->app.phdr);
    aux_set(s, AT_PHNUM, s->app.phnum);
    aux_set(s, AT_BASE, program.interp_base);
    aux_set(s, AT_ENTRY, s->app.entry);
}

/* The name that execve gives: the last part of the path, or since Linux 6.14 the
 * file's own name where there is no path. */
static void
set_name(void)
{
    char utsname[6 * 65] = {0}, *release = utsname + 2 * 65, name[4096];
    uint64_t major = 0, minor = 0;
    char *dot = sys_failed(sys1(__NR_uname, (long)utsname)) ? NULL : strchr(release, '.');

    memcpy(name, path_base(program.path), strlen(path_base(program.path)) + 1);
    if (options.app_unnamed && dot) {
        char *end = dot + 1;
        while (*end >= '0' && *end <= '9')
            end++;
        *dot = *end = 0;
        if (parse_u64(release, &major) && parse_u64(dot + 1, &minor) && (major > 6 || (major == 6 && minor >= 14)))
            memcpy(name, path_base(program.exe), strlen(path_base(program.exe)) + 1);
    }
    size_t n = strlen(name);
    const size_t deleted = sizeof " (deleted)" - 1;
    if (options.app_unnamed && n > deleted && strcmp(name + n - deleted, " (deleted)") == 0)
        name[n - deleted] = 0;
    sys2(__NR_prctl, PR_SET_NAME, (long)name);
}

static void
tell_kernel(struct start *s)
{
    uint64_t last_arg = s->argv[s->argc - 1], last_env = last_arg;

    for (uint64_t *e = s->envp; *e; e++)
        last_env = *e;
    struct prctl_mm_map map = {
        .start_code = s->app.code_lo, .end_code = MAX(s->app.code_hi, s->app.code_lo + 1),
        .start_data = s->app.data_lo, .end_data = s->app.data_hi,
        .start_brk = s->brk, .brk = s->brk,
        .start_stack = (uint64_t)s->sp,
        .arg_start = s->argv[0], .arg_end = last_arg + strlen((char *)last_arg) + 1,
        .env_start = last_arg + strlen((char *)last_arg) + 1, .env_end = last_env + strlen((char *)last_env) + 1,
        .auxv = (__u64 *)s->auxv, .auxv_size = (uint32_t)((uint8_t *)s->auxv_end - (uint8_t *)s->auxv),
        .exe_fd = (uint32_t)-1,
    };
    long r = sys6(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)&map, sizeof map, 0, 0);
    if (sys_failed(r))
        LOG(LOG_LOADER, "PR_SET_MM_MAP failed: %ld", r);
    set_name();
}

extern void leave_engine(const struct mcontext *mc, uint64_t gs) NORETURN;

/* Loads the program as the kernel would have, and gives it the CPU. Back if there is none (released.c). */
static void
start_natively(struct start *s)
{
    static struct mcontext mc;

    if (!(program.path = released_program()))
        return;
    no_aslr = true;
    load(s);
    fix_auxv(s);
    tell_kernel(s);
    sys_close(exe_fd);
    mc.gpr[RSP] = (uint64_t)s->sp;
    mc.gpr[RCX] = program.entry;         /* leave_engine goes on there */
    mc.rflags = 0x202;
    leave_engine(&mc, 0);
}

static void
run(void *arg)
{
    struct start *s = arg;
    struct thread *t = thread_self();

    t->s.mc.gpr[RSP] = (uint64_t)s->sp;
    t->s.mc.rflags = 0x202;
    LOG(LOG_LOADER, "%s at 0x%lx, interpreter at 0x%lx, cache at %p, stack 0x%lx", program.exe, s->app.base, program.interp_base,
        (void *)cache_base, (uint64_t)s->sp);
    dispatch_at(t, program.entry);
}

/* CPUID leaf 7: EBX bit 8 (SDM volume 2, CPUID). */
static bool
cpu_has_bmi2(void)
{
    uint32_t a = 7, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b >> 8 & 1;
}

extern void start_on_stack(void *sp, void (*f)(void *), void *arg) NORETURN;

void
engine_start(uint64_t *sp)
{
    static struct start s;

    read_stack(&s, sp);
    read_options(&s);
    if (!(aux_get(&s, AT_HWCAP2) & 2))
        start_failed(125, "this CPU or kernel lacks FSGSBASE");
    have_bmi2 = cpu_has_bmi2();
    narrow_detect();
    no_aslr = sys1(__NR_personality, 0xffffffff) & 0x0040000;
    engine_min_sigstack = MAX(aux_get(&s, 51 /* AT_MINSIGSTKSZ */), 2048);
    place_cache(&s);
    engine_fd = (int)sys_openat(-100, "/proc/self/exe", 02000000, 0);
    if (engine_fd >= 0)
        descriptor_hide(&engine_fd);
    if (options.logdir && options.log)
        log_open(options.logdir);
    load(&s);
    note_vdso(&s);
    if (program.exec_stack)
        make_stack_executable(&s);
    aux_set(&s, AT_EXECFN, s.argv[2]);
    turn_stack(&s);
    fix_auxv(&s);
    tell_kernel(&s);
    records_start(s.argc, s.argv);
    tools_start();
    struct thread *t = thread_create();
    if (!t)
        start_failed(125, "no memory for the first thread (address-space limit?)");
    t->tid = (int)sys0(__NR_gettid);
    set_gs_base(t);
    threads_add(t);
    signal_init_process(t);
    signal_init_thread(t);
    limits_inherit(options.limit_extra);
    modules_start();
    t->s.mc.gpr[RSP] = (uint64_t)s.sp;
    tools_thread_start(t);
    start_on_stack(t->s.dstack, run, &s);
}
