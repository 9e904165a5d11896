/* See harness.h. Memory: each buffer has a window of its own between unmapped pages:
 *     | no access | WINDOW bytes, filled with the pattern | no access |
 * Plain runs put it in the middle of the window, tight ones against its end. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <stdarg.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    WINDOW = 8 * PAGE,
    MIDDLE = 2 * PAGE,
    MAX_BUFFERS = 48,
    MAX_RANGES = 512,
    WATCHDOG_SECONDS = 120,
    SKIP_CODE = 77,
    PROBE_FD = 230, /* the pipe that safe_read goes through: out of the cases' way */
};

enum mode { PLAIN, PLAIN_AGAIN, GARBAGE, TIGHT, SHORT, NULLED };

static const char *const mode_name[] = {"first pattern",
                                        "second pattern",
                                        "garbage where nothing should matter",
                                        "unmapped page right behind",
                                        "last byte unmapped",
                                        "NULL for an argument"};

/* Of each byte, kept from run to run. */
enum { CLAIMED = 1, CHANGED = 2, PREPARED = 4, FETCHED = 8 };

/* Shared between the runs of a case. */
struct buffer {
    size_t size, extent, sure_extent; /* asked for; claimed by the table, and claimed for certain */
    unsigned align;
    bool strict, tight_ok;
    uint8_t byte[WINDOW]; /* CLAIMED … by offset in the window of plain runs */
};

struct shared {
    struct buffer buffer[MAX_BUFFERS];
    unsigned nbuffers;
    bool done, skipped, failed, made_call, holes, partial, null_free;
    uint8_t pointers, strict_pointers; /* bit k: argument k leads to a buffer, and to a strict one */
    long result, expected;
    char message[600];
};

struct range_list {
    unsigned n;
    struct syscall_range r[MAX_RANGES];
};

struct run {
    struct shared *s;
    enum mode mode;
    unsigned nbuffers, victim; /* SHORT: the buffer that is cut; NULLED: the argument */
    uint8_t *window[MAX_BUFFERS], *base[MAX_BUFFERS];
    bool prepared[MAX_BUFFERS];
    uint8_t before[MAX_BUFFERS][WINDOW];
    void (*undo)(int);
    int undo_arg;
    struct range_list pre, post;
    const struct syscall_arg *nulled;
};

static struct test_case *cases, **cases_end = &cases;
static char scratch[64];

void
register_case(struct test_case *c)
{
    *cases_end = c;
    cases_end = &c->next;
}

void
undo(struct run *r, void (*fn)(int), int arg)
{
    r->undo = fn;
    r->undo_arg = arg;
}

static void end_run(struct run *r, int status) __attribute__((noreturn));

static void
end_run(struct run *r, int status)
{
    if (r->undo)
        r->undo(r->undo_arg);
    _exit(status);
}

static void fail(struct run *r, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));

static void
fail(struct run *r, const char *fmt, ...)
{
    va_list ap;
    size_t n = (size_t)snprintf(r->s->message, sizeof r->s->message, "%s: ", mode_name[r->mode]);

    va_start(ap, fmt);
    vsnprintf(r->s->message + n, sizeof r->s->message - n, fmt, ap);
    va_end(ap);
    r->s->failed = true;
    end_run(r, 1);
}

void
skip(struct run *r, const char *why)
{
    snprintf(r->s->message, sizeof r->s->message, "%s", why);
    r->s->skipped = true;
    end_run(r, 0);
}

void
must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "cannot prepare: %s: %s\n", what, strerror(errno));
    _exit(2);
}

void
expect(struct run *r, long result)
{
    r->s->expected = result;
}

void
partial(struct run *r)
{
    r->s->partial = true;
}

void
null_free(struct run *r)
{
    r->s->null_free = true;
}

void
holes(struct run *r)
{
    r->s->holes = true;
}

const char *
scratch_dir(void)
{
    return scratch;
}

int
scratch_file(const char *contents)
{
    char name[] = "fileXXXXXX";
    int fd = mkstemp(name);

    must(fd >= 0 && unlink(name) == 0, "scratch file");
    must(write(fd, contents, strlen(contents)) == (ssize_t)strlen(contents) && lseek(fd, 0, SEEK_SET) == 0,
         "scratch file");
    return fd;
}

/* Buffers. */

static uint8_t
pattern(const struct run *r)
{
    return r->mode == PLAIN_AGAIN ? 0x5a : 0xa5;
}

static size_t
place(const struct run *r, const struct buffer *b, unsigned i)
{
    size_t at;

    if (r->mode < TIGHT || r->mode == NULLED)
        return MIDDLE;
    at = WINDOW - b->extent;
    if (r->mode == SHORT && i == r->victim)
        at = WINDOW - b->sure_extent + b->align;
    return at & ~(size_t)(b->align - 1);
}

static uint64_t
buffer(struct run *r, const void *data, size_t n, bool strict)
{
    unsigned i = r->nbuffers++;
    struct buffer *b = &r->s->buffer[i];
    uint8_t *w;
    size_t at, fits;

    must(i < MAX_BUFFERS && n <= WINDOW - MIDDLE - PAGE, "buffer");
    if (r->mode == PLAIN) {
        *b = (struct buffer){.size = n, .align = 1, .strict = strict};
        r->s->nbuffers = r->nbuffers;
    }
    w = mmap(NULL, WINDOW + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(w != MAP_FAILED && mprotect(w + PAGE, WINDOW, PROT_READ | PROT_WRITE) == 0, "window");
    w += PAGE;
    memset(w, pattern(r), WINDOW);
    at = place(r, b, i);
    fits = n < WINDOW - at ? n : WINDOW - at;
    if (data && at < WINDOW)
        memcpy(w + at, data, fits);
    r->window[i] = w;
    r->base[i] = w + at;
    r->prepared[i] = data != NULL;
    return (uint64_t)(uintptr_t)(w + at);
}

uint64_t
out(struct run *r, size_t n)
{
    return buffer(r, NULL, n, true);
}

uint64_t
in(struct run *r, const void *data, size_t n)
{
    return buffer(r, data, n, true);
}

uint64_t
text(struct run *r, const char *s)
{
    return buffer(r, s, strlen(s) + 1, true);
}

uint64_t
room(struct run *r, size_t n)
{
    return buffer(r, NULL, n, false);
}

uint64_t
loose(struct run *r, const void *data, size_t n)
{
    return buffer(r, data, n, false);
}

void
aligned(struct run *r, size_t a)
{
    r->s->buffer[r->nbuffers - 1].align = (unsigned)a;
}

/* The table, and the kernel beside it. */

static bool
probe_read(void *dst, uint64_t addr, size_t n, void *cookie)
{
    (void)cookie;
    if (write(PROBE_FD + 1, PTR(addr), n) != (ssize_t)n) {
        static char sink[PAGE];

        fcntl(PROBE_FD, F_SETFL, O_NONBLOCK);
        while (read(PROBE_FD, sink, sizeof sink) > 0)
            ;
        return false;
    }
    return read(PROBE_FD, dst, n) == (ssize_t)n;
}

static bool
collect(const struct syscall_range *x, void *cookie)
{
    struct range_list *l = cookie;

    must(l->n < MAX_RANGES, "too many ranges");
    l->r[l->n++] = *x;
    return true;
}

static bool
claims(const struct range_list *l, unsigned access, uint64_t a)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->r[i].access == access && a - l->r[i].addr < l->r[i].size)
            return true;
    return false;
}

static bool
claims_write(const struct range_list *l, uint64_t a)
{
    return claims(l, SYSCALL_WRITE, a);
}

static const char *
range_text(const struct syscall_range *x)
{
    static char buf[128];

    syscall_range_name(x, buf, sizeof buf);
    return buf;
}

/* How far into each buffer the table says the call reaches. */
static void
measure(struct run *r)
{
    for (unsigned k = 0; k < r->pre.n; k++) {
        const struct syscall_range *x = &r->pre.r[k];

        if (x->addr < PAGE && !x->maybe)
            fail(r, "%s: claimed at NULL", range_text(x));
        for (unsigned i = 0; i < r->nbuffers; i++) {
            uint64_t off = x->addr - (uint64_t)(uintptr_t)r->base[i];
            struct buffer *b = &r->s->buffer[i];

            if (x->addr - (uint64_t)(uintptr_t)r->window[i] >= WINDOW)
                continue;
            for (uint64_t k = off; x->access != SYSCALL_WRITE && k < off + x->size && MIDDLE + k < WINDOW;
                 k++)
                b->byte[MIDDLE + k] |= FETCHED;
            if (x->addr < (uint64_t)(uintptr_t)r->base[i] || off + x->size > WINDOW - MIDDLE)
                fail(r, "%s: claim outside its buffer: offset %ld, %lu bytes", range_text(x), (long)off,
                     (unsigned long)x->size);
            if (off + x->size > b->extent)
                b->extent = off + x->size;
            if (!x->maybe && off + x->size > b->sure_extent)
                b->sure_extent = off + x->size;
        }
    }
}

static void
snapshot(struct run *r)
{
    for (unsigned i = 0; i < r->nbuffers; i++)
        memcpy(r->before[i], r->window[i], WINDOW);
}

static void
compare(struct run *r, long result)
{
    for (unsigned i = 0; i < r->nbuffers; i++)
        for (size_t k = 0; k < WINDOW; k++) {
            uint64_t a = (uint64_t)(uintptr_t)r->window[i] + k;

            if (r->window[i][k] == r->before[i][k])
                continue;
            r->s->buffer[i].byte[k] |= CHANGED;
            if (!claims_write(&r->post, a) || !claims_write(&r->pre, a))
                fail(r, "result %ld: byte %ld of buffer %u changed, which is not claimed %s the call", result,
                     (long)k - MIDDLE, i, claims_write(&r->pre, a) ? "after" : "before");
        }
}

static void
note_claims(struct run *r)
{
    for (unsigned k = 0; k < r->post.n; k++) {
        const struct syscall_range *x = &r->post.r[k];

        for (uint64_t a = x->addr; a < x->addr + x->size; a++)
            for (unsigned i = 0; i < r->nbuffers; i++) {
                uint64_t off = a - (uint64_t)(uintptr_t)r->window[i];

                if (off >= WINDOW)
                    continue;
                if (!claims_write(&r->pre, a))
                    fail(r, "%s: written after the call but not announced before it", range_text(x));
                if (!x->maybe)
                    r->s->buffer[i].byte[off] |= CLAIMED;
            }
    }
    for (unsigned i = 0; i < r->nbuffers; i++)
        if (r->prepared[i])
            for (size_t k = 0; k < r->s->buffer[i].size; k++)
                r->s->buffer[i].byte[MIDDLE + k] |= PREPARED;
}

static void
spoil(struct syscall_args *a)
{
    struct syscall_view v;

    syscall_view(a, &v);
    for (unsigned k = 0; k < SYSCALL_MAX_ARGS; k++) {
        unsigned bits = k < v.nargs ? v.bits[k] : 0;

        if (bits < 64)
            a->arg[k] = (a->arg[k] & (((uint64_t)1 << bits) - 1)) | ((uint64_t)0xdeadbeefcafef00d << bits);
    }
}

/* Contents that no range says are examined. */
static void
scramble(struct run *r)
{
    for (unsigned i = 0; i < r->nbuffers; i++)
        for (size_t k = 0; r->prepared[i] && k < r->s->buffer[i].size; k++)
            if (!claims(&r->pre, SYSCALL_READ, (uint64_t)(uintptr_t)r->base[i] + k))
                r->base[i][k] = (uint8_t)(0x91 + 7 * k);
}

static long
raw_syscall(unsigned nr, const uint64_t *a)
{
    register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((uint64_t)nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void
note_pointers(struct run *r, const struct syscall_args *a)
{
    struct syscall_view v;

    syscall_view(a, &v);
    for (unsigned k = 0; k < v.nargs; k++)
        for (unsigned i = 0; i < r->nbuffers; i++)
            if (v.bits[k] && v.arg[k]->access && a->arg[k] == (uint64_t)(uintptr_t)r->base[i] &&
                r->s->buffer[i].extent) {
                r->s->pointers |= (uint8_t)(1 << k);
                r->s->strict_pointers |= (uint8_t)(r->s->buffer[i].strict << k);
            }
}

/* An optional path is optional only with other flags. */
static void
judge_null(struct run *r, long result)
{
    bool claimed = false, sure = false, path = r->nulled->kind == SYSCALL_ARG_PATH && r->nulled->optional;

    for (unsigned i = 0; i < r->pre.n; i++)
        if (r->pre.r[i].addr < PAGE) {
            claimed = true;
            sure |= !r->pre.r[i].maybe;
        }
    if (sure && result >= 0 && (r->s->strict_pointers >> r->victim & 1))
        fail(r, "%s is NULL, which the table forbids, and the call succeeds", r->nulled->name);
    if (!claimed && result == -EFAULT && !path)
        fail(r, "%s is NULL, which the table allows, and the call fails with EFAULT", r->nulled->name);
}

static void
judge_result(struct run *r, long result)
{
    bool as_wanted = r->s->expected ? result == r->s->expected : result >= 0;

    if (r->mode == NULLED) {
        judge_null(r, result);
    } else if (r->mode == SHORT) {
        if (result != -EFAULT)
            fail(r, "buffer %u ends %u before the %lu bytes claimed, and the result is %ld, not EFAULT",
                 r->victim, r->s->buffer[r->victim].align, (unsigned long)r->s->buffer[r->victim].sure_extent,
                 result);
    } else if (!as_wanted) {
        if (r->mode == PLAIN && (result == -ENOSYS || result == -EPERM)) {
            char why[64];

            snprintf(why, sizeof why, "the kernel says %s", result == -ENOSYS ? "ENOSYS" : "EPERM");
            skip(r, why);
        }
        fail(r, "result %ld (%s), expected %ld", result, result < 0 ? strerror((int)-result) : "success",
             r->s->expected);
    }
}

long
call(struct run *r, unsigned nr, const uint64_t arg[6])
{
    static struct syscall_args a;
    bool complete;
    long result;

    a = (struct syscall_args){.nr = nr, .safe_read = probe_read};
    memcpy(a.arg, arg, sizeof a.arg);
    if (r->mode == GARBAGE)
        spoil(&a);
    if (r->mode == NULLED) {
        static struct syscall_view v;

        a.arg[r->victim] = 0;
        syscall_view(&a, &v);
        r->nulled = v.arg[r->victim];
    }
    complete = syscall_memory_pre(&a, collect, &r->pre);
    if (r->mode < TIGHT) {
        if (!complete && !r->s->partial)
            fail(r, "the table does not know all of this call");
        if (r->mode == GARBAGE)
            scramble(r);
        snapshot(r);
    }
    if (r->mode == PLAIN) {
        measure(r);
        note_pointers(r, &a);
    }
    result = raw_syscall(nr, a.arg);
    if (syscall_info(nr)->flags & SYSCALL_INT_RESULT)
        result = (int)result;
    r->s->result = result;
    if (r->mode < TIGHT) {
        complete = syscall_memory_post(&a, result, collect, &r->post);
        if (!complete && !r->s->partial)
            fail(r, "result %ld: the table does not know all that was written", result);
    }
    judge_result(r, result);
    if (r->mode < TIGHT) {
        compare(r, result);
        note_claims(r);
    }
    r->s->made_call = true;
    return result;
}

/* Runs. */

static void __attribute__((noreturn))
child(const struct test_case *c, struct shared *s, enum mode mode, unsigned victim)
{
    static struct run run;
    int probe[2];

    run = (struct run){.s = s, .mode = mode, .victim = victim};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(WATCHDOG_SECONDS);
    must(pipe(probe) == 0 && dup2(probe[0], PROBE_FD) >= 0 && dup2(probe[1], PROBE_FD + 1) >= 0,
         "probe pipe");
    close(probe[0]);
    close(probe[1]);
    must(chdir(scratch) == 0, "scratch directory");
    c->fn(&run);
    s->done = s->made_call;
    end_run(&run, 0);
}

static bool
run_once(const struct test_case *c, struct shared *s, enum mode mode, unsigned victim)
{
    int status = 0;
    pid_t pid;

    s->done = s->made_call = false;
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        child(c, s, mode, victim);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (s->done || s->skipped)
        return !s->skipped;
    if (!s->failed) {
        s->failed = true;
        snprintf(s->message, sizeof s->message, "%s: the run ended with wait status 0x%x", mode_name[mode],
                 status);
    }
    return false;
}

/* Claimed to be written, and not changed in either run. Where the case had put
 * something, the same may have been written over it: but not all over. */
static bool
unwritten_claim(struct shared *s)
{
    for (unsigned i = 0; i < s->nbuffers && !s->holes; i++) {
        unsigned blind = 0, changed = 0;

        for (size_t k = 0; k < WINDOW; k++) {
            uint8_t b = s->buffer[i].byte[k];

            changed += (b & CHANGED) != 0;
            blind += (b & CLAIMED) && (b & PREPARED) && !(b & FETCHED);
            if (b & PREPARED || (b & (CLAIMED | CHANGED)) != CLAIMED)
                continue;
            snprintf(s->message, sizeof s->message,
                     "byte %ld of buffer %u is claimed to be written, and is not", (long)k - MIDDLE, i);
            return true;
        }
        if (blind && !changed) {
            snprintf(s->message, sizeof s->message,
                     "buffer %u is claimed to be written and not to be read, and does not change", i);
            return true;
        }
    }
    return false;
}

static bool
run_all(const struct test_case *c, struct shared *s)
{
    if (!run_once(c, s, PLAIN, 0) || !run_once(c, s, PLAIN_AGAIN, 0))
        return false;
    if (unwritten_claim(s)) {
        s->failed = true;
        return false;
    }
    if (!run_once(c, s, GARBAGE, 0) || !run_once(c, s, TIGHT, 0))
        return false;
    for (unsigned i = 0; i < s->nbuffers; i++)
        if (s->buffer[i].strict && s->buffer[i].sure_extent > 0 && !run_once(c, s, SHORT, i))
            return false;
    for (unsigned k = 0; k < SYSCALL_MAX_ARGS && !s->null_free; k++)
        if ((s->pointers >> k & 1) && !run_once(c, s, NULLED, k))
            return false;
    return true;
}

static void
make_scratch(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(scratch, sizeof scratch, "%.40s/syscallsXXXXXX", tmp ? tmp : "/tmp");
    must(mkdtemp(scratch) != NULL, "scratch directory");
}

static bool
selected(const char *name, int argc, char **argv)
{
    if (argc < 2)
        return true;
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]))
            return true;
    return false;
}

int
run_cases(int argc, char **argv)
{
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned passed = 0, failed = 0, skipped = 0;
    char remove[96];

    must(s != MAP_FAILED, "shared memory");
    make_scratch();
    for (struct test_case *c = cases; c; c = c->next) {
        if (!selected(c->name, argc, argv))
            continue;
        memset(s, 0, sizeof *s);
        if (run_all(c, s)) {
            passed++;
        } else if (s->skipped) {
            skipped++;
            printf("skip %s: %s\n", c->name, s->message);
        } else {
            failed++;
            printf("FAIL %s: %s\n", c->name, s->message);
        }
    }
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    snprintf(remove, sizeof remove, "rm -rf '%s'", scratch);
    if (system(remove) != 0)
        return 1;
    return failed || passed == 0;
}
