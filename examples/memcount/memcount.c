/* memcount: how many instructions read memory, how many write it, by thread.
 *
 * Two counters a thread, raised by code inserted in front of the instruction that
 * they count. A signal or fault may cut a block short after an instruction was
 * counted and before it ran; it is counted again when it runs.
 * Threads: counters are their thread's own; the sums are under `lock`. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

static struct dr_mutex lock;
static struct { uint64_t reads, writes; } sum;
static uint32_t reads, writes;          /* offsets in each thread's memory */

static bool
init(int argc, const char *const *argv)
{
    if (argc > 1) {
        dr_print("memcount: there is no option %s\n", argv[1]);
        return false;
    }
    reads = dr_thread_memory(8);
    writes = dr_thread_memory(8);
    return reads && writes;
}

static void
block_insn(dr_block *b, unsigned index)
{
    const struct dr_insn *in = dr_block_insn(b, index);

    if (in->system_call)             /* what the kernel touches is another matter */
        return;
    if (in->reads_memory)
        dr_insert_add(b, index, reads, 1);
    if (in->writes_memory)
        dr_insert_add(b, index, writes, 1);
}

static bool block_begin(dr_block *b) { return dr_block_count(b) > 0; }     /* all of them */

static void
thread_exit(dr_thread *t)
{
    uint64_t r = *(uint64_t *)dr_thread_at(t, reads), w = *(uint64_t *)dr_thread_at(t, writes);

    dr_lock(&lock);
    sum.reads += r;
    sum.writes += w;
    dr_unlock(&lock);
    if (!dr_quiet())
        dr_print("memcount: thread %d: %lu read, %lu write\n", dr_thread_id(t), r, w);
}

static void
finish(void)
{
    if (!dr_quiet())
        dr_print("memcount: all: %lu read, %lu write\n", sum.reads, sum.writes);
}

/* In the child the counters go on from where the parent's stood. */
static void
fork_child(dr_thread *t)
{
    *(uint64_t *)dr_thread_at(t, reads) = *(uint64_t *)dr_thread_at(t, writes) = 0;
    sum.reads = sum.writes = 0;
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "memcount",
    .init = init, .block_begin = block_begin, .block_insn = block_insn,
    .thread_exit = thread_exit, .fork_child = fork_child, .exit = finish};
