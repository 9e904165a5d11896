/* System V IPC: the control multiplexers, and messages.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/shmbuf.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>

#include "syscall_walk.h"

enum { SHM_INFO_SIZE = 48 }; /* <linux/shm.h> needs a libc */

static uint32_t
key1(const uint64_t *arg)
{
    return (uint32_t)arg[1];
}

static uint32_t
key2(const uint64_t *arg)
{
    return (uint32_t)arg[2];
}

/* IPC_SET takes owner and mode, and of a message queue the room, from the struct that IPC_STAT fills. */
#define PERM_AT(m, n)                                       \
    {                                                       \
        "perm." #m, offsetof(struct ipc64_perm, m), n, 0, 0 \
    }
#define PERM PERM_AT(uid, 4), PERM_AT(gid, 4), PERM_AT(mode, 2)
/* clang-format off */
static const struct syscall_layout shmid_fields = LAYOUT(struct shmid64_ds, PERM);
static const struct syscall_layout semid_fields = LAYOUT(struct semid64_ds, PERM);
static const struct syscall_layout msqid_fields = LAYOUT(struct msqid64_ds, PERM, FIELD(struct msqid64_ds, msg_qbytes));

#define SHMID OUT("buf", sizeof(struct shmid64_ds))
static const struct syscall_variant shmctl_rows[] = {
    VARIANT(IPC_RMID,     0, COMMAND("cmd"), UNUSED("buf")),
    VARIANT(IPC_SET,      0, COMMAND("cmd"), IN_FIELDS("buf", shmid_fields)),
    VARIANT(IPC_STAT,     0, COMMAND("cmd"), SHMID),
    VARIANT(IPC_INFO,     0, COMMAND("cmd"), OUT("buf", sizeof(struct shminfo64))),
    VARIANT_NR(11, SHM_LOCK,     0, COMMAND("cmd"), UNUSED("buf")),
    VARIANT_NR(12, SHM_UNLOCK,   0, COMMAND("cmd"), UNUSED("buf")),
    VARIANT_NR(13, SHM_STAT,     0, COMMAND("cmd"), SHMID),
    VARIANT_NR(14, SHM_INFO,     0, COMMAND("cmd"), OUT("buf", SHM_INFO_SIZE)),
    VARIANT_NR(15, SHM_STAT_ANY, 0, COMMAND("cmd"), SHMID),
};
const struct syscall_variants shmctl_commands = VARIANTS(key1, 1, shmctl_rows);

/* One short for each semaphore of the set: how many those are only IPC_STAT tells. */
static void first_value(struct syscall_walk *w, unsigned k) {
    walk_unknown(w);
    if (w->view->arg[k]->access & ACCESS_OUT)
        walk_out(w, w->call->arg[k], 2, NULL);
    else
        walk_in(w, w->call->arg[k], 2, NULL);
}

#define SEMID OUT("buf", sizeof(struct semid64_ds))
static const struct syscall_variant semctl_rows[] = {
    VARIANT(IPC_RMID,     0, UNUSED("semnum"), COMMAND("cmd"), UNUSED("arg")),
    VARIANT(IPC_SET,      0, UNUSED("semnum"), COMMAND("cmd"), IN_FIELDS("buf", semid_fields)),
    VARIANT(IPC_STAT,     0, UNUSED("semnum"), COMMAND("cmd"), SEMID),
    VARIANT(IPC_INFO,     0, UNUSED("semnum"), COMMAND("cmd"), OUT("buf", sizeof(struct seminfo))),
    VARIANT(GETPID,       0, INT("semnum"), COMMAND("cmd"), UNUSED("arg")),
    VARIANT(GETVAL,       0, INT("semnum"), COMMAND("cmd"), UNUSED("arg")),
    VARIANT(GETALL,       0, UNUSED("semnum"), COMMAND("cmd"), OUT_WALK("array", first_value)),
    VARIANT(GETNCNT,      0, INT("semnum"), COMMAND("cmd"), UNUSED("arg")),
    VARIANT(GETZCNT,      0, INT("semnum"), COMMAND("cmd"), UNUSED("arg")),
    VARIANT(SETVAL,       0, INT("semnum"), COMMAND("cmd"), INT("val")),
    VARIANT(SETALL,       0, UNUSED("semnum"), COMMAND("cmd"), IN_WALK("array", first_value)),
    VARIANT(SEM_STAT,     0, UNUSED("semnum"), COMMAND("cmd"), SEMID),
    VARIANT(SEM_INFO,     0, UNUSED("semnum"), COMMAND("cmd"), OUT("buf", sizeof(struct seminfo))),
    VARIANT(SEM_STAT_ANY, 0, UNUSED("semnum"), COMMAND("cmd"), SEMID),
};
const struct syscall_variants semctl_commands = VARIANTS(key2, 1, semctl_rows);

#define MSQID OUT("buf", sizeof(struct msqid64_ds))
static const struct syscall_variant msgctl_rows[] = {
    VARIANT(IPC_RMID,     0, COMMAND("cmd"), UNUSED("buf")),
    VARIANT(IPC_SET,      0, COMMAND("cmd"), IN_FIELDS("buf", msqid_fields)),
    VARIANT(IPC_STAT,     0, COMMAND("cmd"), MSQID),
    VARIANT(IPC_INFO,     0, COMMAND("cmd"), OUT("buf", sizeof(struct msginfo))),
    VARIANT(MSG_STAT,     0, COMMAND("cmd"), MSQID),
    VARIANT(MSG_INFO,     0, COMMAND("cmd"), OUT("buf", sizeof(struct msginfo))),
    VARIANT(MSG_STAT_ANY, 0, COMMAND("cmd"), MSQID),
};
const struct syscall_variants msgctl_commands = VARIANTS(key1, 1, msgctl_rows);

/* clang-format on */

/* A message is a long and then the text. */
void
walk_msgsnd(struct syscall_walk *w, unsigned k)
{
    walk_in(w, w->call->arg[k], 8, "mtype");
    walk_in(w, w->call->arg[k] + 8, walk_count(w, k + 1), "mtext");
}

void
walk_msgrcv(struct syscall_walk *w, unsigned k)
{
    uint64_t room = walk_count(w, k + 1), n = walk_limit(w);

    walk_out(w, w->call->arg[k], 8, "mtype");
    walk_out(w, w->call->arg[k] + 8, n < room ? n : room, "mtext");
}
