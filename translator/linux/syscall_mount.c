/* Mounting, in the old interface and the new, and what can be asked of mounts.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/mount.h>

#include "syscall_walk.h"

enum {
    PAGE = 4096,
    PARAMETER_NAME = 256, /* fsconfig: strndup_user(…, 256)                     */
    MNT_ID_REQ_MIN = 24,
    TYPE_NAME = 64, /* longer than any file system's name in use         */
};

/* A page at most, as far as it is mapped; nearly all filesystems take a string of it. */
void
walk_mount_data(struct syscall_walk *w, unsigned k)
{
    w->maybe = true;
    walk_string(w, w->call->arg[k], PAGE, NULL);
}

void
walk_mnt_id_req(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];
    uint32_t size = walk_fetch32(w, at);

    walk_in(w, at, size < MNT_ID_REQ_MIN || size > PAGE ? 4 : size, NULL);
}

/* The struct's first member tells how much there is, strings included. */
void
walk_statmount(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], room = walk_count(w, k + 1), used = room;

    if (w->post)
        used = walk_fetch32(w, at);
    walk_out(w, at, used < room ? used : room, NULL);
}

static uint32_t
key0(const uint64_t *arg)
{
    return (uint32_t)arg[0];
}

static uint32_t
key1(const uint64_t *arg)
{
    return (uint32_t)arg[1];
}

/* The name is written without a word of how long it is; no more than is there now can be told. */
static void
file_system_name(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], n = 0;
    char c = 1;

    if (!w->post) {
        walk_unknown(w);
        walk_out(w, at, 1, NULL);
        w->maybe = true;
        walk_out(w, at + 1, TYPE_NAME - 1, NULL);
        return;
    }
    while (c && n < TYPE_NAME && walk_fetch(w, &c, at + n, 1))
        n++;
    walk_out(w, at, n, NULL);
}

/* clang-format off */
static const struct syscall_variant fsconfig_rows[] = {
    VARIANT(FSCONFIG_SET_FLAG,        0, COMMAND("cmd"), STR("key", PARAMETER_NAME), ADDR("value"), INT("aux")),
    VARIANT(FSCONFIG_SET_STRING,      0, COMMAND("cmd"), STR("key", PARAMETER_NAME), STR("value", PARAMETER_NAME), INT("aux")),
    VARIANT(FSCONFIG_SET_BINARY,      0, COMMAND("cmd"), STR("key", PARAMETER_NAME), IN_COUNT("value", 4, 1), INT("aux")),
    VARIANT(FSCONFIG_SET_PATH,        0, COMMAND("cmd"), STR("key", PARAMETER_NAME), PATH("value"), FD("aux")),
    VARIANT(FSCONFIG_SET_PATH_EMPTY,  0, COMMAND("cmd"), STR("key", PARAMETER_NAME), PATH("value"), FD("aux")),
    VARIANT(FSCONFIG_SET_FD,          0, COMMAND("cmd"), STR("key", PARAMETER_NAME), ADDR("value"), FD("aux")),
    VARIANT(FSCONFIG_CMD_CREATE,      0, COMMAND("cmd"), ADDR("key"), ADDR("value"), INT("aux")),
    VARIANT(FSCONFIG_CMD_RECONFIGURE, 0, COMMAND("cmd"), ADDR("key"), ADDR("value"), INT("aux")),
    VARIANT_NR(8, FSCONFIG_CMD_CREATE_EXCL, 0, COMMAND("cmd"), ADDR("key"), ADDR("value"), INT("aux")),
};
const struct syscall_variants fsconfig_commands = VARIANTS(key1, 1, fsconfig_rows);

static const struct syscall_variant sysfs_rows[] = {
    VARIANT_NR(1, INDEX_OF_NAME, 0, PATH("fsname")),
    VARIANT_NR(2, NAME_OF_INDEX, 0, INT("fs_index"), OUT_WALK("buf", file_system_name)),
    VARIANT_NR(3, HOW_MANY,      0, UNUSED("arg1")),
};
const struct syscall_variants sysfs_commands = VARIANTS(key0, 1, sysfs_rows);
/* clang-format on */
