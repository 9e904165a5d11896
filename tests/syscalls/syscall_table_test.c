/* The table against the headers and against itself, and the iterators against
 * memory that is not what they hope for. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/syscall_abi.h"
#include "linux/syscall_rows.h"

static unsigned failures;

#define EXPECT(c, ...)                     \
    do {                                   \
        if (!(c)) {                        \
            printf("FAIL %s: ", __func__); \
            printf(__VA_ARGS__);           \
            printf("\n");                  \
            failures++;                    \
        }                                  \
    } while (0)

enum { NUMBERS = 1024 };

/* Completeness. */

static const struct {
    const char *name;
    unsigned nr;
} header_calls[] = {

#define X(name, nr) {#name, nr},
#include "unistd_calls.h"
};

static void
every_call_of_the_headers_has_a_row_of_its_name(void)
{
    for (unsigned i = 0; i < sizeof header_calls / sizeof header_calls[0]; i++) {
        const char *name = syscall_name(header_calls[i].nr);

        EXPECT(name && strcmp(name, header_calls[i].name) == 0, "%u is %s, not %s", header_calls[i].nr,
               header_calls[i].name, name ? name : "unknown");
    }
}

static void
unknown_numbers_are_unknown(void)
{
    static const unsigned unknown[] = {400, 1000, 0x40000000, 0x40000001, 0xffffffff};

    for (unsigned i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        struct syscall_args a = {.nr = unknown[i]};
        struct syscall_view v;

        EXPECT(!syscall_info(unknown[i]) && !syscall_name(unknown[i]), "%u is known", unknown[i]);
        EXPECT(!syscall_view(&a, &v) && v.nargs == 0, "%u has a view", unknown[i]);
        EXPECT(syscall_may_write(unknown[i]), "%u surely writes nothing", unknown[i]);
    }
}

/* Rows. */

static void
check_layout(const char *where, const struct syscall_layout *l)
{
    unsigned end = 0;

    for (unsigned i = 0; i < l->nfields; i++) {
        EXPECT(l->field[i].offset >= end, "%s: field %s is out of order", where, l->field[i].name);
        end = l->field[i].offset + l->field[i].size;
    }
    EXPECT(end <= l->size, "%s: fields end at %u, the struct at %u", where, end, l->size);
}

/* nargs: of the whole call, after `first` arguments that a variant leaves alone. */
static void
check_args(const char *where, const struct syscall_arg *g, unsigned n, unsigned first)
{
    unsigned nargs = first + n;

    EXPECT(nargs <= SYSCALL_MAX_ARGS, "%s: too many arguments", where);
    for (unsigned i = 0; i < n; i++) {
        bool counts = g[i].how == HOW_COUNT || g[i].how == HOW_RESULT || g[i].how == HOW_FITS ||
                      g[i].how == HOW_LENGTH || g[i].how == HOW_IOVEC || g[i].how == HOW_IOVEC_ONLY;

        EXPECT(g[i].name && *g[i].name, "%s: argument %u has no name", where, i);
        EXPECT(g[i].kind != SYSCALL_ARG_NONE, "%s: argument %s has no kind", where, g[i].name);
        EXPECT(g[i].bits == 0 || g[i].bits == 8 || g[i].bits == 16 || g[i].bits == 32 || g[i].bits == 64,
               "%s: %s: bits", where, g[i].name);
        EXPECT((g[i].how == HOW_NONE) == (g[i].access == 0), "%s: %s: access without extent, or the reverse",
               where, g[i].name);
        EXPECT(g[i].how == HOW_NONE || g[i].bits == 64, "%s: %s: a pointer of %u bits", where, g[i].name,
               g[i].bits);
        EXPECT(!counts || g[i].count_arg < nargs, "%s: %s: counted by an argument that is not there", where,
               g[i].name);
        EXPECT(!counts || g[i].count_arg < first || g[i].count_arg != first + i, "%s: %s counts itself",
               where, g[i].name);
        EXPECT(g[i].how != HOW_WALK || g[i].walk, "%s: %s: no walker", where, g[i].name);
        EXPECT(g[i].if_how == IF_ALWAYS || g[i].if_arg < nargs, "%s: %s: condition on no argument", where,
               g[i].name);
        if (g[i].how == HOW_LAYOUT)
            check_layout(where, g[i].layout);
    }
}

static void
rows_are_consistent(void)
{
    for (unsigned nr = 0; nr < NUMBERS; nr++) {
        const struct syscall_info *info = syscall_info(nr);

        if (!info)
            continue;
        check_args(info->name, info->arg, info->nargs, 0);
        EXPECT(!(info->flags & SYSCALL_NEWFD) || (info->flags & SYSCALL_FDS), "%s: NEWFD without FDS",
               info->name);
        EXPECT(!(info->flags & SYSCALL_OBSOLETE) || info->nargs == 0, "%s: obsolete, with arguments",
               info->name);
        EXPECT(!(info->flags & (SYSCALL_RESTART_SA | SYSCALL_RESTART_NOHAND | SYSCALL_RESTART_BLOCK)) ||
                   (info->flags & SYSCALL_BLOCKS),
               "%s: restarts without sleeping", info->name);
    }
}

static void
variants_are_consistent(void)
{
    for (unsigned nr = 0; nr < NUMBERS; nr++) {
        const struct syscall_info *info = syscall_info(nr);
        const struct syscall_variants *v = info ? info->variants : NULL;

        for (unsigned i = 0; v && i < v->n; i++) {
            char where[100];

            snprintf(where, sizeof where, "%s(%s)", info->name, v->row[i].name);
            EXPECT(v->row[i].name[0] >= 'A' && v->row[i].name[0] <= 'Z', "%s: not a name", where);
            check_args(where, v->row[i].arg, v->row[i].nargs, v->first);
            EXPECT(!(v->row[i].flags & ~info->flags), "%s: flags that the call's row lacks: %x", where,
                   v->row[i].flags & ~info->flags);
            for (unsigned j = 0; j < i; j++)
                EXPECT(v->row[j].key != v->row[i].key, "%s: same key as %s", where, v->row[j].name);
        }
        if (v && v->other)
            EXPECT(!(v->other->flags & ~info->flags), "%s: flags of unknown commands", info->name);
    }
}

/* Views. */

static struct syscall_view
view(unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct syscall_args a = {.nr = nr, .arg = {a0, a1, a2, a3, a4, a5}};
    struct syscall_view v;

    syscall_view(&a, &v);
    return v;
}

static void
views_follow_flags_and_commands(void)
{
    struct syscall_view v = view(__NR_open, 0, 0, 0, 0, 0, 0);

    EXPECT(v.bits[0] == 64 && v.bits[1] == 32 && v.bits[2] == 0, "the mode of an open that creates nothing");
    v = view(__NR_open, 0, 0100, 0, 0, 0, 0);
    EXPECT(v.bits[2] == 16, "the mode of an open that creates");
    v = view(__NR_mmap, 0, 0, 0, 0x22, 0, 0);
    EXPECT(v.bits[4] == 0, "the descriptor of an anonymous mapping");
    v = view(__NR_fcntl, 0, 2 /* F_SETFD */, 0, 0, 0, 0);
    EXPECT(v.command && strcmp(v.command, "F_SETFD") == 0 && v.nargs == 3, "F_SETFD");
    v = view(__NR_fcntl, 0, 7 /* F_SETLKW */, 0, 0, 0, 0);
    EXPECT((v.flags & SYSCALL_BLOCKS) && v.arg[2]->kind == SYSCALL_ARG_POINTER, "F_SETLKW");
    v = view(__NR_fcntl, 0, 3 /* F_GETFL */, 0, 0, 0, 0);
    EXPECT(v.nargs == 2 && !(v.flags & SYSCALL_BLOCKS), "F_GETFL");
    v = view(__NR_fcntl, 0, 999, 0, 0, 0, 0);
    EXPECT(!v.command && v.bits[0] == 32 && v.bits[1] == 32 && v.bits[2] == 0, "an unknown fcntl");
    v = view(__NR_futex, 0, 128 /* private wait */, 0, 0, 0, 0);
    EXPECT(v.command && strcmp(v.command, "FUTEX_WAIT") == 0 && v.nargs == 4, "a private futex wait");
    v = view(__NR_ioctl, 0, 0x5401, 0, 0, 0, 0);
    EXPECT(v.command && strcmp(v.command, "TCGETS") == 0, "TCGETS is %s", v.command);
}

/* Iterators, on memory of the test's own: addresses are offsets in `arena`. */

static uint8_t arena[4096];
static size_t readable = sizeof arena;

struct seen {
    unsigned n, most;
    struct syscall_range r[4096];
};

static bool
read_arena(void *dst, uint64_t addr, size_t n, void *cookie)
{
    (void)cookie;
    if (addr > readable || n > readable - addr)
        return false;
    memcpy(dst, arena + addr, n);
    return true;
}

static bool
note(const struct syscall_range *r, void *cookie)
{
    struct seen *s = cookie;

    s->r[s->n % 4096] = *r;
    return ++s->n < s->most;
}

static struct seen seen;

static bool
pre(unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
    struct syscall_args a = {.nr = nr, .arg = {a0, a1, a2}, .safe_read = read_arena};

    seen = (struct seen){.most = 4000};
    return syscall_memory_pre(&a, note, &seen);
}

static bool
saw(uint64_t addr, uint64_t size, unsigned access, const char *name)
{
    for (unsigned i = 0; i < seen.n; i++) {
        char buf[100];

        syscall_range_name(&seen.r[i], buf, sizeof buf);
        if (seen.r[i].addr == addr && seen.r[i].size == size && seen.r[i].access == access &&
            strcmp(buf, name) == 0)
            return true;
    }
    return false;
}

static void
put64(uint64_t at, uint64_t v)
{
    memcpy(arena + at, &v, 8);
}

static void
ranges_have_the_names_of_members(void)
{
    memset(arena, 0, sizeof arena);
    put64(16, 200); /* msg_iov      */
    put64(24, 2);   /* msg_iovlen   */
    put64(200, 300);
    put64(208, 5);
    put64(216, 400);
    put64(224, 6);
    EXPECT(pre(__NR_sendmsg, 3, 0, 0) == true, "sendmsg is incomplete");
    EXPECT(saw(200, 32, SYSCALL_READ, "msg.msg_iov"), "msg_iov");
    EXPECT(saw(400, 6, SYSCALL_READ, "msg.msg_iov[1].iov_base"), "iov_base");

    memset(arena + 64, 0, 64);
    put64(64 + 16, 216);
    put64(64 + 24, 1);
    EXPECT(pre(__NR_sendmmsg, 3, 0, 2), "sendmmsg is incomplete");
    EXPECT(saw(400, 6, SYSCALL_READ, "msgvec[1].msg_hdr.msg_iov[0].iov_base"),
           "iov_base of the second message");
    EXPECT(saw(64 + 56, 4, SYSCALL_WRITE, "msgvec[1].msg_len"), "msg_len of the second message");

    memset(arena, 0, sizeof arena);
    strcpy((char *)arena + 100, "name");
    put64(8, 100);
    EXPECT(pre(__NR_execve, 100, 8, 0), "execve is incomplete");
    EXPECT(saw(100, 5, SYSCALL_READ, "path") && saw(100, 5, SYSCALL_READ, "argv[0]") &&
               saw(16, 8, SYSCALL_READ, "argv[1]"),
           "argv");
}

static void
long_names_are_cut_and_ended(void)
{
    struct syscall_range r = {
        .arg = "msgvec", .outer = "[%].msg_hdr", .member = "msg_iov[%].iov_base", .index = {4294967295u, 7}};
    char buf[10];

    EXPECT(syscall_range_name(&r, buf, sizeof buf) ==
               strlen("msgvec[4294967295].msg_hdr.msg_iov[7].iov_base"),
           "length");
    EXPECT(strcmp(buf, "msgvec[42") == 0, "cut: %s", buf);
}

/* Strings are read up to a multiple of 64 bytes at a time, where pages end too. */
static void
memory_that_ends_makes_a_walk_incomplete(void)
{
    memset(arena, 'a', sizeof arena);
    readable = 128;
    EXPECT(!pre(__NR_open, 120, 0, 0) && saw(120, 9, SYSCALL_READ, "path"), "a string that runs off");
    EXPECT(!pre(__NR_sendmsg, 3, 90, 0), "a message header that runs off");
    EXPECT(!pre(__NR_writev, 3, 120, 1) && saw(120, 16, SYSCALL_READ, "vec"), "an iovec that runs off");
    EXPECT(!pre(__NR_execve, 120, 120, 0), "an argument list that runs off");
    readable = sizeof arena;
}

static void
visitors_can_stop(void)
{
    struct syscall_args a = {.nr = __NR_poll, .arg = {0, 50, 0}, .safe_read = read_arena};

    seen = (struct seen){.most = 3};
    EXPECT(!syscall_memory_pre(&a, note, &seen) && seen.n == 3, "%u visits after the stop", seen.n - 3);
}

static void
nothing_is_written_by_a_call_that_failed(void)
{
    struct syscall_args a = {.nr = __NR_fstat, .arg = {3, 8}, .safe_read = read_arena};

    seen = (struct seen){.most = 4000};
    EXPECT(syscall_memory_post(&a, -9, note, &seen) && seen.n == 0, "fstat");
    EXPECT(syscall_memory_post(&a, 0, note, &seen) && seen.n == 1, "fstat that worked");
}

/* Completed asynchronous reads count as written when their event is fetched. */
static void
io_getevents_leads_to_the_buffers(void)
{
    struct syscall_args a = {.nr = __NR_io_getevents, .arg = {1, 1, 4, 0, 0}, .safe_read = read_arena};

    memset(arena, 0, sizeof arena);
    put64(8, 512);         /* event 0: its iocb …     */
    put64(16, 33);         /* … and 33 bytes          */
    arena[512 + 16] = 0;   /* IOCB_CMD_PREAD          */
    put64(512 + 24, 1000); /* aio_buf                 */
    put64(512 + 32, 64);   /* aio_nbytes              */
    seen = (struct seen){.most = 4000};
    EXPECT(syscall_memory_post(&a, 1, note, &seen), "incomplete");
    EXPECT(saw(0, 32, SYSCALL_WRITE, "events") && saw(1000, 33, SYSCALL_WRITE, "events[0].obj.aio_buf"),
           "ranges");
}

/* Any arguments, any memory: the walk ends, stays silent on what the row calls impossible. */

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool
read_noise(void *dst, uint64_t addr, size_t n, void *cookie)
{
    static uint64_t state = 88172645463325252u;
    uint8_t *d = dst;

    (void)cookie;
    if (addr % 61 == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        d[i] = next_random(&state) % 3 ? 0 : (uint8_t)(next_random(&state) >> 16);
    return true;
}

static void
walks_end_whatever_the_arguments_are(void)
{
    static const uint64_t sizes[] = {
        0, 1, 2, 8, 100, 1024, 1025, 0x7fffffff, 0xffffffff, ~(uint64_t)0, (uint64_t)1 << 63};
    uint64_t state = 2463534242u;

    for (unsigned i = 0; i < 200000; i++) {
        struct syscall_args a = {.nr = (uint32_t)(next_random(&state) >> 8) % 480, .safe_read = read_noise};

        for (unsigned k = 0; k < 6; k++)
            a.arg[k] = next_random(&state) % 3 ? sizes[(next_random(&state) >> 8) % 11]
                                               : next_random(&state) >> (next_random(&state) >> 8) % 64;
        seen = (struct seen){.most = 2000};
        syscall_memory_pre(&a, note, &seen);
        for (unsigned k = 0; k < seen.n && k < 2000; k++) {
            EXPECT(seen.r[k].size != 0, "%s: an empty range", syscall_name(a.nr));
            EXPECT(seen.r[k].access != SYSCALL_WRITE || syscall_may_write(a.nr), "%s writes",
                   syscall_name(a.nr));
        }
        seen = (struct seen){.most = 2000};
        syscall_memory_post(&a, (int64_t)a.arg[next_random(&state) % 6], note, &seen);
        for (unsigned k = 0; k < seen.n && k < 2000; k++)
            EXPECT(seen.r[k].access == SYSCALL_WRITE, "%s: a read after the call", syscall_name(a.nr));
    }
}

int
main(void)
{
    every_call_of_the_headers_has_a_row_of_its_name();
    unknown_numbers_are_unknown();
    rows_are_consistent();
    variants_are_consistent();
    views_follow_flags_and_commands();
    ranges_have_the_names_of_members();
    long_names_are_cut_and_ended();
    memory_that_ends_makes_a_walk_incomplete();
    visitors_can_stop();
    nothing_is_written_by_a_call_that_failed();
    io_getevents_leads_to_the_buffers();
    walks_end_whatever_the_arguments_are();
    printf("%u failures\n", failures);
    return failures != 0;
}
