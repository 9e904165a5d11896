/* The iterators: turns the row of a call, its arguments and (after the call)
 * its result into the ranges of program memory that the kernel touches.
 * Invariant: every address that is followed was read through safe_read, every
 *            loop has a bound.
 * Threads:   any; all state is on the caller's stack. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/errno.h>

#include "syscall_abi.h"
#include "syscall_walk.h"

enum {
    STRING_CHUNK = 64,        /* aligned, so that no chunk crosses a page            */
    MAX_STRING = 32 * 4096,   /* MAX_ARG_STRLEN                                      */
    MAX_UNSAVED_LENGTH = 128, /* sizeof(struct sockaddr_storage)                     */
    MAX_ERRNO = 4095,
};

static const uint64_t MAX_COUNT = (uint64_t)1 << 47; /* user addresses end there */

uint64_t
walk_arg(const struct syscall_walk *w, unsigned k)
{
    unsigned bits = k < w->view->nargs ? w->view->arg[k]->bits : 64;
    uint64_t v = w->call->arg[k];

    return bits > 0 && bits < 64 ? v & (((uint64_t)1 << bits) - 1) : v;
}

uint64_t
walk_count(const struct syscall_walk *w, unsigned k)
{
    unsigned bits = k < w->view->nargs ? w->view->arg[k]->bits : 64;
    uint64_t v = walk_arg(w, k);

    return v > (bits == 32 ? INT32_MAX : MAX_COUNT) ? 0 : v;
}

bool
walk_fetch(struct syscall_walk *w, void *dst, uint64_t addr, size_t n)
{
    if (w->call->safe_read(dst, addr, n, w->cookie))
        return true;
    walk_unknown(w);
    return false;
}

uint32_t
walk_fetch32(struct syscall_walk *w, uint64_t addr)
{
    uint32_t v;

    return walk_fetch(w, &v, addr, sizeof v) ? v : 0;
}

uint64_t
walk_fetch64(struct syscall_walk *w, uint64_t addr)
{
    uint64_t v;

    return walk_fetch(w, &v, addr, sizeof v) ? v : 0;
}

void
walk_unknown(struct syscall_walk *w)
{
    w->complete = false;
}

bool
walk_ok(const struct syscall_walk *w)
{
    return !w->post || w->result < -MAX_ERRNO || w->result >= 0;
}

bool
walk_wrote(const struct syscall_walk *w, unsigned wrote)
{
    if (!w->post)
        return true;
    switch (wrote) {
    case WROTE_OK: return walk_ok(w);
    case WROTE_POSITIVE: return w->result > 0;
    case WROTE_INTERRUPTED: return w->result == -EINTR;
    case WROTE_ALWAYS: return true;
    default: return false;
    }
}

static void
report(struct syscall_walk *w, unsigned access, uint64_t addr, uint64_t n, const char *member, bool string)
{
    struct syscall_range r = {
        .addr = addr,
        .size = n,
        .access = (uint8_t)access,
        .argno = w->argno,
        .string = string,
        .maybe = w->maybe,
        .arg = w->view->arg[w->argno]->name,
        .outer = w->outer,
        .member = member,
        .index = {w->index[0], w->index[1]},
    };

    if (n == 0 || w->stopped)
        return;
    if (!w->visit(&r, w->cookie)) {
        w->stopped = true;
        w->complete = false;
    }
}

void
walk_in(struct syscall_walk *w, uint64_t addr, uint64_t n, const char *member)
{
    if (!w->post)
        report(w, SYSCALL_READ, addr, n, member, false);
}

void
walk_copy(struct syscall_walk *w, uint64_t addr, uint64_t n, const char *member)
{
    if (!w->post)
        report(w, SYSCALL_COPY, addr, n, member, false);
}

void
walk_out(struct syscall_walk *w, uint64_t addr, uint64_t n, const char *member)
{
    report(w, SYSCALL_WRITE, addr, n, member, false);
}

/* Bytes up to and with the NUL, at most `max`. Where memory ends first: one
 * byte more than could be read, the one that the kernel faults on. */
static uint64_t
string_extent(struct syscall_walk *w, uint64_t addr, uint64_t max)
{
    uint8_t chunk[STRING_CHUNK];

    for (uint64_t n = 0; n < max;) {
        uint64_t step = STRING_CHUNK - (addr + n) % STRING_CHUNK;

        if (step > max - n)
            step = max - n;
        if (!walk_fetch(w, chunk, addr + n, step))
            return n + 1;
        for (uint64_t i = 0; i < step; i++)
            if (chunk[i] == 0)
                return n + i + 1;
        n += step;
    }
    return max;
}

void
walk_string(struct syscall_walk *w, uint64_t addr, uint64_t max, const char *member)
{
    if (!w->post)
        report(w, SYSCALL_READ, addr, string_extent(w, addr, max), member, true);
}

void
walk_strings(struct syscall_walk *w, uint64_t addr)
{
    for (uint32_t i = 0; i < SYSCALL_MAX_STRINGS && !w->stopped; i++, addr += 8) {
        uint64_t string;

        walk_enter(w, i);
        walk_in(w, addr, 8, "[%]");
        string = walk_fetch64(w, addr);
        if (string)
            walk_string(w, string, MAX_STRING, "[%]");
        walk_leave(w);
        if (!string)
            return;
    }
    walk_unknown(w);
}

static bool
field_counts(const struct syscall_field *f, uint32_t flags)
{
    return (f->if_mask == 0 || (flags & f->if_mask)) && !(flags & f->if_not);
}

static bool
layout_is_conditional(const struct syscall_layout *l)
{
    for (unsigned i = 0; i < l->nfields; i++)
        if (l->field[i].if_mask | l->field[i].if_not)
            return true;
    return false;
}

void
walk_layout_in(struct syscall_walk *w, uint64_t addr, const struct syscall_layout *l, uint64_t limit)
{
    uint32_t flags = 0;
    uint64_t at = 0;

    if (w->post)
        return;
    if (layout_is_conditional(l))
        flags = walk_fetch32(w, addr + l->flags_at);
    for (unsigned i = 0; i < l->nfields && l->field[i].offset < limit; i++) {
        const struct syscall_field *f = &l->field[i];
        uint64_t end = (uint64_t)f->offset + f->size;

        if (end > limit)
            end = limit;
        walk_copy(w, addr + at, f->offset - at, NULL);
        if (field_counts(f, flags))
            walk_in(w, addr + f->offset, end - f->offset, f->name);
        else
            walk_copy(w, addr + f->offset, end - f->offset, f->name);
        at = end;
    }
    if (limit >
        l->size) { /* a struct newer than this table: the kernel wants zeroes in what it does not know */
        walk_copy(w, addr + at, l->size - at, NULL);
        walk_in(w, addr + l->size, limit - l->size, NULL);
    } else {
        walk_copy(w, addr + at, limit - at, NULL);
    }
}

void
walk_layout_out(struct syscall_walk *w, uint64_t addr, const struct syscall_layout *l)
{
    for (unsigned i = 0; i < l->nfields; i++)
        walk_out(w, addr + l->field[i].offset, l->field[i].size, l->field[i].name);
}

uint64_t
walk_limit(const struct syscall_walk *w)
{
    if (!w->post)
        return MAX_COUNT;
    return w->result > 0 ? (uint64_t)w->result : 0;
}

void
walk_iovec(struct syscall_walk *w, uint64_t vec, uint64_t n, unsigned access, uint64_t limit,
           const char *member, const char *base_member)
{
    if (n > SYSCALL_MAX_IOV)
        return; /* EINVAL before anything is read */
    walk_in(w, vec, n * 16, member);
    for (uint32_t i = 0; access && i < n && limit && !w->stopped; i++) {
        uint64_t iov[2], len; /* iov_base, iov_len */

        if (!walk_fetch(w, iov, vec + i * 16, sizeof iov))
            return;
        len = iov[1] < limit ? iov[1] : limit;
        walk_enter(w, i);
        if (access & ACCESS_IN)
            walk_in(w, iov[0], len, base_member);
        if (access & ACCESS_OUT)
            walk_out(w, iov[0], len, base_member);
        walk_leave(w);
        limit -= len;
    }
}

bool
walk_remember(struct syscall_walk *w, uint32_t *v)
{
    unsigned slot = w->next_saved++;

    if (w->keep) {
        if (slot < SYSCALL_SAVED) {
            w->keep->saved[slot] = *v;
            w->keep->nsaved = (uint8_t)(slot + 1);
        }
        return true;
    }
    if (slot >= w->call->nsaved)
        return false;
    *v = w->call->saved[slot];
    return true;
}

uint32_t
walk_length(struct syscall_walk *w, uint64_t addr)
{
    uint32_t now = walk_fetch32(w, addr), before;

    if ((int32_t)now < 0)
        now = 0;
    before = now;
    if (!walk_remember(w, &before))
        before = MAX_UNSAVED_LENGTH;
    return now < before ? now : before;
}

/* What is read and then written is read for certain: MAYBE is about the answer. */
static void
both(struct syscall_walk *w, unsigned access, uint64_t addr, uint64_t n)
{
    bool maybe = w->maybe;

    if (access & ACCESS_IN) {
        w->maybe = maybe && !(access & ACCESS_OUT);
        walk_in(w, addr, n, NULL);
        w->maybe = maybe;
    }
    if (access & ACCESS_OUT)
        walk_out(w, addr, n, NULL);
}

/* Elements that the result covers. */
static uint64_t
result_count(const struct syscall_walk *w, const struct syscall_arg *g)
{
    uint64_t room = walk_count(w, g->count_arg), n = walk_limit(w);

    if (!w->post || n <= room)
        return n < room ? n : room;
    return g->how == HOW_FITS ? 0 : room;
}

static void
walk_argument(struct syscall_walk *w, unsigned k)
{
    const struct syscall_arg *g = w->view->arg[k];
    uint64_t addr = w->call->arg[k];

    switch (g->how) {
    case HOW_FIXED: both(w, g->access, addr, g->size); break;
    case HOW_COUNT: both(w, g->access, addr, walk_count(w, g->count_arg) * g->size); break;
    case HOW_RESULT:
    case HOW_FITS: walk_out(w, addr, result_count(w, g) * g->size, NULL); break;
    case HOW_LENGTH:
        walk_out(w, addr, (uint64_t)walk_length(w, w->call->arg[g->count_arg]) * g->size, NULL);
        break;
    case HOW_STRING: walk_string(w, addr, g->size, NULL); break;
    case HOW_STRINGS: walk_strings(w, addr); break;
    case HOW_LAYOUT:
        if (g->access & ACCESS_IN)
            walk_layout_in(w, addr, g->layout, g->layout->size);
        else
            walk_layout_out(w, addr, g->layout);
        break;
    case HOW_IOVEC:
        walk_iovec(w, addr, walk_count(w, g->count_arg), g->access, walk_limit(w), NULL, "[%].iov_base");
        break;
    case HOW_IOVEC_ONLY: walk_iovec(w, addr, walk_count(w, g->count_arg), 0, 0, NULL, NULL); break;
    case HOW_WALK: g->walk(w, k); break;
    default: break;
    }
}

static bool
applies(const struct syscall_walk *w, unsigned k)
{
    const struct syscall_arg *g = w->view->arg[k];

    if (g->how == HOW_NONE || w->view->bits[k] == 0)
        return false;
    if (g->optional && w->call->arg[k] == 0)
        return false;
    return !w->post || ((g->access & ACCESS_OUT) && walk_wrote(w, g->wrote));
}

static bool
walk_call(struct syscall_walk *w)
{
    struct syscall_view view;

    w->complete = syscall_view(w->call, &view);
    w->view = &view;
    if (view.flags & SYSCALL_INT_RESULT)
        w->result = (int32_t)w->result;
    for (unsigned k = 0; k < view.nargs && !w->stopped; k++) {
        if (!applies(w, k))
            continue;
        w->argno = (uint8_t)k;
        w->maybe = view.arg[k]->maybe;
        w->outer = NULL;
        w->depth = 0;
        walk_argument(w, k);
    }
    return w->complete;
}

bool
syscall_memory_pre(struct syscall_args *a, syscall_visit_fn *f, void *cookie)
{
    struct syscall_walk w = {.call = a, .keep = a, .visit = f, .cookie = cookie};

    a->nsaved = 0;
    return walk_call(&w);
}

bool
syscall_memory_post(const struct syscall_args *a, int64_t result, syscall_visit_fn *f, void *cookie)
{
    struct syscall_walk w = {.call = a, .visit = f, .cookie = cookie, .post = true, .result = result};

    return walk_call(&w);
}

static size_t
append(char *buf, size_t n, size_t at, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at + i + 1 < n)
            buf[at + i] = s[i];
    return at + len;
}

static size_t
append_decimal(char *buf, size_t n, size_t at, uint32_t v)
{
    char digits[10];
    size_t len = 0;

    do
        digits[sizeof digits - ++len] = (char)('0' + v % 10);
    while (v /= 10);
    return append(buf, n, at, digits + sizeof digits - len, len);
}

size_t
syscall_range_name(const struct syscall_range *r, char *buf, size_t n)
{
    const char *part[] = {r->arg, r->outer, r->member};
    unsigned next_index = 0;
    size_t at = 0;

    for (unsigned i = 0; i < sizeof part / sizeof part[0]; i++) {
        if (!part[i])
            continue;
        if (at > 0 && part[i][0] != '[')
            at = append(buf, n, at, ".", 1);
        for (const char *s = part[i]; *s; s++) {
            if (*s == '%' && next_index < 2)
                at = append_decimal(buf, n, at, r->index[next_index++]);
            else
                at = append(buf, n, at, s, 1);
        }
    }
    if (n > 0)
        buf[at < n ? at : n - 1] = 0;
    return at;
}
