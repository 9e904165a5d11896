/* The reader library as its users have it: counts of a trace's references, then of those from the thread's middle on. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <drtools/trace.h>
#include <stdio.h>

static unsigned long
count(struct dr_trace *t, unsigned long first, unsigned long *blocks)
{
    struct dr_trace_cursor *c = dr_trace_cursor(t, 0, first);
    struct dr_trace_ref r;
    unsigned long n = 0;

    *blocks = 0;
    while (dr_trace_next(c, &r)) {
        n += r.kind != DR_TRACE_MARKER;
        *blocks += r.kind == DR_TRACE_FETCH && r.block_begins;
    }
    dr_trace_cursor_close(c);
    return n;
}

int
main(int argc, char **argv)
{
    char error[256];
    struct dr_trace *t = argc > 1 ? dr_trace_open(argv[1], error, sizeof error) : NULL;
    unsigned long blocks, later, refs, later_refs;

    if (!t) {
        fprintf(stderr, "%s\n", argc > 1 ? error : "usage: reader TRACE");
        return 2;
    }
    refs = count(t, 0, &blocks);
    later_refs = count(t, blocks / 2, &later);
    printf("%lu %lu %d\n", refs, blocks, later_refs < refs && later >= blocks - blocks / 2);
    dr_trace_close(t);
    return 0;
}
