/* bpf: one union of structs, in which each command has its own pointers and answers.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/bpf.h>

#include "syscall_walk.h"

enum { OBJECT_NAME = 4096, LICENSE = 128, INSN = 8, NO_COUNT = 0xffff };

/* Extents of what a pointer in the union leads to. */
enum bpf_memory {
    BYTES_IN,  /* *count × each                                        */
    BYTES_OUT, /* the same; after the call as many as *count then says */
    LOG_OUT,   /* text, at most *count; how much only the kernel knows */
    STRING_IN, /* at most `each`                                       */
    UNKNOWN,   /* as large as a key or value of the map               */
};

struct bpf_pointer {
    uint8_t cmd, memory;
    uint16_t at, count_at; /* offsets of the pointer and of its 32-bit count */
    uint16_t each;
    const char *name;
};

/* clang-format off */
static const struct bpf_pointer pointers[] = {
    {BPF_MAP_LOOKUP_ELEM,      UNKNOWN,     8, NO_COUNT, 0, "key"},
    {BPF_MAP_UPDATE_ELEM,      UNKNOWN,     8, NO_COUNT, 0, "key"},
    {BPF_MAP_DELETE_ELEM,      UNKNOWN,     8, NO_COUNT, 0, "key"},
    {BPF_MAP_GET_NEXT_KEY,     UNKNOWN,     8, NO_COUNT, 0, "key"},
    {BPF_MAP_LOOKUP_AND_DELETE_ELEM, UNKNOWN, 8, NO_COUNT, 0, "key"},
    {BPF_MAP_LOOKUP_BATCH,     UNKNOWN,     0, NO_COUNT, 0, "in_batch"},
    {BPF_MAP_LOOKUP_AND_DELETE_BATCH, UNKNOWN, 0, NO_COUNT, 0, "in_batch"},
    {BPF_MAP_UPDATE_BATCH,     UNKNOWN,    16, NO_COUNT, 0, "keys"},
    {BPF_MAP_DELETE_BATCH,     UNKNOWN,    16, NO_COUNT, 0, "keys"},
    {BPF_PROG_LOAD,            BYTES_IN,    8,        4, INSN, "insns"},
    {BPF_PROG_LOAD,            STRING_IN,  16, NO_COUNT, LICENSE, "license"},
    {BPF_PROG_LOAD,            LOG_OUT,    32,       28, 1, "log_buf"},
    {BPF_OBJ_PIN,              STRING_IN,   0, NO_COUNT, OBJECT_NAME, "pathname"},
    {BPF_OBJ_GET,              STRING_IN,   0, NO_COUNT, OBJECT_NAME, "pathname"},
    {BPF_PROG_TEST_RUN,        BYTES_IN,   16,        8, 1, "data_in"},
    {BPF_PROG_TEST_RUN,        BYTES_OUT,  24,       12, 1, "data_out"},
    {BPF_PROG_TEST_RUN,        BYTES_IN,   48,       40, 1, "ctx_in"},
    {BPF_PROG_TEST_RUN,        BYTES_OUT,  56,       44, 1, "ctx_out"},
    {BPF_OBJ_GET_INFO_BY_FD,   BYTES_IN,    8,        4, 1, "info"},
    {BPF_OBJ_GET_INFO_BY_FD,   BYTES_OUT,   8,        4, 1, "info"},
    {BPF_PROG_QUERY,           BYTES_OUT,  16,       24, 4, "prog_ids"},
    {BPF_RAW_TRACEPOINT_OPEN,  STRING_IN,   0, NO_COUNT, LICENSE, "name"},
    {BPF_BTF_LOAD,             BYTES_IN,    0,       16, 1, "btf"},
    {BPF_BTF_LOAD,             LOG_OUT,     8,       20, 1, "btf_log_buf"},
    {BPF_TASK_FD_QUERY,        BYTES_OUT,  16,       12, 1, "buf"},
};

/* Members of the union that the kernel stores. */
static const struct bpf_answer { uint8_t cmd; uint16_t at, size; const char *name; } answers[] = {
    {BPF_PROG_TEST_RUN,        4, 4, "retval"},
    {BPF_PROG_TEST_RUN,       12, 4, "data_size_out"},
    {BPF_PROG_TEST_RUN,       36, 4, "duration"},
    {BPF_PROG_TEST_RUN,       44, 4, "ctx_size_out"},
    {BPF_PROG_GET_NEXT_ID,     4, 4, "next_id"},
    {BPF_MAP_GET_NEXT_ID,      4, 4, "next_id"},
    {BPF_BTF_GET_NEXT_ID,      4, 4, "next_id"},
    {BPF_LINK_GET_NEXT_ID,     4, 4, "next_id"},
    {BPF_OBJ_GET_INFO_BY_FD,   4, 4, "info_len"},
    {BPF_PROG_QUERY,          12, 4, "attach_flags"},
    {BPF_PROG_QUERY,          24, 4, "prog_cnt"},
    {BPF_TASK_FD_QUERY,       12, 4, "buf_len"},
    {BPF_TASK_FD_QUERY,       24, 24, "prog_id"},
    {BPF_MAP_LOOKUP_BATCH,    32, 4, "count"},
    {BPF_MAP_LOOKUP_AND_DELETE_BATCH, 32, 4, "count"},
    {BPF_MAP_UPDATE_BATCH,    32, 4, "count"},
    {BPF_MAP_DELETE_BATCH,    32, 4, "count"},
};

/* clang-format on */

static void
follow(struct syscall_walk *w, const struct bpf_pointer *p, uint64_t attr)
{
    uint64_t to = walk_fetch64(w, attr + p->at), n = 0;

    if (p->count_at != NO_COUNT)
        n = (uint64_t)(p->memory == BYTES_OUT ? walk_length(w, attr + p->count_at)
                                              : walk_fetch32(w, attr + p->count_at)) *
            p->each;
    if (!to)
        return;
    switch (p->memory) {
    case BYTES_IN: walk_in(w, to, n, p->name); break;
    case BYTES_OUT: walk_out(w, to, n, p->name); break;
    case STRING_IN: walk_string(w, to, p->each, p->name); break;
    case LOG_OUT:
        w->maybe = true;
        walk_out(w, to, n, p->name);
        w->maybe = false;
        break;
    default: walk_unknown(w); break;
    }
}

/* Elements of maps begin with a descriptor and 4 bytes of padding, which the kernel skips. */
static bool
has_hole(unsigned cmd)
{
    return cmd == BPF_MAP_LOOKUP_ELEM || cmd == BPF_MAP_UPDATE_ELEM || cmd == BPF_MAP_DELETE_ELEM ||
           cmd == BPF_MAP_GET_NEXT_KEY || cmd == BPF_MAP_LOOKUP_AND_DELETE_ELEM;
}

static void
walk_attr(struct syscall_walk *w, unsigned k)
{
    uint64_t attr = w->call->arg[k], size = walk_count(w, 2);
    unsigned cmd = (unsigned)walk_arg(w, 0);

    if (size > 4096)
        return;
    if (has_hole(cmd) && size > 8) {
        walk_in(w, attr, 4, "map_fd");
        walk_copy(w, attr + 4, 4, NULL);
        walk_in(w, attr + 8, size - 8, NULL);
    } else {
        walk_in(w, attr, size, NULL);
    }
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (answers[i].cmd == cmd && answers[i].at + answers[i].size <= size)
            walk_out(w, attr + answers[i].at, answers[i].size, answers[i].name);
    for (unsigned i = 0; i < sizeof pointers / sizeof pointers[0]; i++)
        if (pointers[i].cmd == cmd && pointers[i].at + 8u <= size)
            follow(w, &pointers[i], attr);
}

static uint32_t
command_key(const uint64_t *arg)
{
    return (uint32_t)arg[0];
}

#define ATTR    IN_WALK("attr", walk_attr), INT("size")
#define ANSWERS INOUT_WALK("attr", walk_attr), INT("size")
/* clang-format off */
static const struct syscall_variant rows[] = {
    VARIANT(BPF_MAP_CREATE,            NEWFD, ATTR),
    VARIANT(BPF_MAP_LOOKUP_ELEM,       FARMEM, ATTR),
    VARIANT(BPF_MAP_UPDATE_ELEM,       0, ATTR),
    VARIANT(BPF_MAP_DELETE_ELEM,       0, ATTR),
    VARIANT(BPF_MAP_GET_NEXT_KEY,      FARMEM, ATTR),
    VARIANT(BPF_PROG_LOAD,             NEWFD, ANSWERS),
    VARIANT(BPF_OBJ_PIN,               0, ATTR),
    VARIANT(BPF_OBJ_GET,               NEWFD, ATTR),
    VARIANT(BPF_PROG_ATTACH,           0, ATTR),
    VARIANT(BPF_PROG_DETACH,           0, ATTR),
    VARIANT(BPF_PROG_TEST_RUN,         0, ANSWERS),
    VARIANT(BPF_PROG_GET_NEXT_ID,      0, ANSWERS),
    VARIANT(BPF_MAP_GET_NEXT_ID,       0, ANSWERS),
    VARIANT(BPF_PROG_GET_FD_BY_ID,     NEWFD, ATTR),
    VARIANT(BPF_MAP_GET_FD_BY_ID,      NEWFD, ATTR),
    VARIANT(BPF_OBJ_GET_INFO_BY_FD,    FARMEM, ANSWERS),
    VARIANT(BPF_PROG_QUERY,            0, ANSWERS),
    VARIANT(BPF_RAW_TRACEPOINT_OPEN,   NEWFD, ATTR),
    VARIANT(BPF_BTF_LOAD,              NEWFD, ANSWERS),
    VARIANT(BPF_BTF_GET_FD_BY_ID,      NEWFD, ATTR),
    VARIANT(BPF_TASK_FD_QUERY,         0, ANSWERS),
    VARIANT(BPF_MAP_LOOKUP_AND_DELETE_ELEM, FARMEM, ATTR),
    VARIANT(BPF_MAP_FREEZE,            0, ATTR),
    VARIANT(BPF_BTF_GET_NEXT_ID,       0, ANSWERS),
    VARIANT(BPF_MAP_LOOKUP_BATCH,      FARMEM, ANSWERS),
    VARIANT(BPF_MAP_LOOKUP_AND_DELETE_BATCH, FARMEM, ANSWERS),
    VARIANT(BPF_MAP_UPDATE_BATCH,      0, ANSWERS),
    VARIANT(BPF_MAP_DELETE_BATCH,      0, ANSWERS),
    VARIANT(BPF_LINK_CREATE,           NEWFD, ATTR),
    VARIANT(BPF_LINK_UPDATE,           0, ATTR),
    VARIANT(BPF_LINK_GET_FD_BY_ID,     NEWFD, ATTR),
    VARIANT(BPF_LINK_GET_NEXT_ID,      0, ANSWERS),
    VARIANT(BPF_ENABLE_STATS,          NEWFD, ATTR),
    VARIANT(BPF_ITER_CREATE,           NEWFD, ATTR),
    VARIANT(BPF_LINK_DETACH,           0, ATTR),
    VARIANT(BPF_PROG_BIND_MAP,         0, ATTR),
};
/* clang-format on */
const struct syscall_variants bpf_commands = VARIANTS(command_key, 1, rows);
