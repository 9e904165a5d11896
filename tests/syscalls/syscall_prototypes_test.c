/* The table's argument counts and widths against the running kernel's own
 * prototypes, which tracing shows to root. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux/syscall_abi.h"
#include "drtools/syscalls.h"

enum { SKIP_CODE = 77 };

static const char events[] = "/sys/kernel/tracing/events/syscalls";
static unsigned failures, compared;

/* clang-format off */
/* The kernel's name where it is not the header's. */
static const char *const alias[][2] = {
    {"newstat", "stat"}, {"newfstat", "fstat"}, {"newlstat", "lstat"}, {"newuname", "uname"},
    {"sendfile64", "sendfile"}, {"umount", "umount2"},
};

/* Declared wider than what is looked at; each with its reason. */
static const struct { const char *call; unsigned arg, bits; } narrower[] = {
    {"exit", 0, 8}, {"exit_group", 0, 8},          /* & 0xff                      */
    {"umask", 0, 16},                              /* & S_IRWXUGO                 */
    {"preadv", 4, 0}, {"pwritev", 4, 0},           /* the high half of 64 bits on 32-bit machines */
    {"preadv2", 4, 0}, {"pwritev2", 4, 0},
    {"ptrace", 1, 32},                             /* a pid                       */
    {"io_cancel", 2, 0}, {"getcpu", 2, 0},         /* no longer used              */
    {"mmap", 4, 32},                               /* descriptors                 */
    {"readv", 0, 32}, {"writev", 0, 32}, {"preadv", 0, 32}, {"pwritev", 0, 32}, {"preadv2", 0, 32}, {"pwritev2", 0, 32},
};

/* Types of 32 bits. */
static const char *const ints[] = {
    "int", "unsigned", "u32", "__u32", "__s32", "pid_t", "uid_t", "gid_t", "qid_t", "key_t", "clockid_t", "timer_t", "mqd_t",
    "key_serial_t", "rwf_t", "unsigned int", "enum landlock_rule_type",
};

/* clang-format on */

static unsigned
declared_bits(const char *type)
{
    if (strncmp(type, "const ", 6) == 0)
        type += 6;
    if (strcmp(type, "umode_t") == 0)
        return 16;
    for (unsigned i = 0; i < sizeof ints / sizeof ints[0]; i++)
        if (strcmp(type, ints[i]) == 0)
            return 32;
    return 64;
}

static unsigned
examined_bits(const struct syscall_info *info, unsigned k, unsigned declared)
{
    for (unsigned i = 0; i < sizeof narrower / sizeof narrower[0]; i++)
        if (narrower[i].arg == k && strcmp(narrower[i].call, info->name) == 0)
            return narrower[i].bits;
    return declared;
}

static void
compare(const struct syscall_info *info, unsigned k, const char *type)
{
    unsigned want = examined_bits(info, k, declared_bits(type));

    if (k >= info->nargs) {
        printf("FAIL %s: argument %u (%s) is missing\n", info->name, k, type);
        failures++;
    } else if (info->arg[k].bits != want) {
        printf("FAIL %s: argument %u (%s) is %u bits wide, not %u\n", info->name, k, type, want,
               info->arg[k].bits);
        failures++;
    }
}

/* Lines such as "field:unsigned int fd; offset:16; size:8; signed:0;", arguments from offset 16 on. */
static void
compare_call(const struct syscall_info *info, FILE *format)
{
    char line[256], type[128];
    unsigned k = 0, offset;

    while (fgets(line, sizeof line, format)) {
        char *name;

        if (sscanf(line, " field:%127[^;]; offset:%u", type, &offset) != 2 || offset < 16)
            continue;
        name = strrchr(type, ' ');
        if (name)
            *name = 0;
        compare(info, k++, type);
    }
    if (k != info->nargs) {
        printf("FAIL %s: %u arguments, not %u\n", info->name, k, info->nargs);
        failures++;
    }
    compared++;
}

static const struct syscall_info *
find(const char *name)
{
    for (unsigned i = 0; i < sizeof alias / sizeof alias[0]; i++)
        if (strcmp(name, alias[i][0]) == 0)
            name = alias[i][1];
    for (unsigned nr = 0; nr < 1024; nr++)
        if (syscall_name(nr) && strcmp(syscall_name(nr), name) == 0)
            return syscall_info(nr);
    return NULL;
}

/* In a mount namespace of our own, so that nothing stays behind. */
static DIR *
open_events(void)
{
    DIR *d = opendir(events);

    if (!d && unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", "/sys/kernel/tracing", "tracefs", 0, NULL) == 0)
        d = opendir(events);
    return d;
}

int
main(void)
{
    DIR *d = open_events();

    if (!d) {
        printf(
            "skip: the kernel's prototypes (%s) are not to be seen: not root, or no CONFIG_FTRACE_SYSCALLS\n",
            events);
        return SKIP_CODE;
    }
    for (struct dirent *e; (e = readdir(d));) {
        const char *name = e->d_name + strlen("sys_enter_");
        const struct syscall_info *info;
        char path[400];
        FILE *format;

        if (strncmp(e->d_name, "sys_enter_", strlen("sys_enter_")) != 0)
            continue;
        info = find(name);
        if (!info) {
            printf("note: this kernel has a call that the table does not: %s\n", name);
            continue;
        }
        snprintf(path, sizeof path, "%s/%s/format", events, e->d_name);
        format = fopen(path, "r");
        if (!format)
            continue;
        compare_call(info, format);
        fclose(format);
    }
    closedir(d);
    printf("%u calls compared, %u differences\n", compared, failures);
    return failures || compared < 100;
}
