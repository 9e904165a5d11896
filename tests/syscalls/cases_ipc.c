/* System V and POSIX IPC. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

static const struct timespec at_once = {0, 0};

static void
remove_shm(int id)
{
    shmctl(id, IPC_RMID, NULL);
}

static void
remove_sem(int id)
{
    semctl(id, 0, IPC_RMID);
}

static void
remove_msg(int id)
{
    msgctl(id, IPC_RMID, NULL);
}

static int
object(struct run *r, int id, void (*remove)(int))
{
    if (id < 0)
        skip(r, "no System V IPC here");
    undo(r, remove, id);
    return id;
}

static int
shm(struct run *r)
{
    return object(r, shmget(IPC_PRIVATE, 4096, 0600), remove_shm);
}

static int
sem(struct run *r)
{
    return object(r, semget(IPC_PRIVATE, 3, 0600), remove_sem);
}

static int
msg(struct run *r)
{
    return object(r, msgget(IPC_PRIVATE, 0600), remove_msg);
}

CASE(shmctl_stat) { return CALL(shmctl, shm(r), IPC_STAT, out(r, 112)); }
CASE(shmctl_rmid) { return CALL(shmctl, shm(r), IPC_RMID, room(r, 112)); }
CASE(ipc_info_of_shm) { return CALL(shmctl, 0, 3 /* IPC_INFO */, out(r, 72)); }
CASE(shm_info) { return CALL(shmctl, 0, SHM_INFO, out(r, 48)); }

CASE(shmctl_set)
{
    struct shmid_ds ds;

    memset(&ds, 0, sizeof ds);
    ds.shm_perm.uid = getuid();
    ds.shm_perm.gid = getgid();
    ds.shm_perm.mode = 0600;
    return CALL(shmctl, shm(r), IPC_SET, in(r, &ds, 112));
}

CASE(semctl_stat) { return CALL(semctl, sem(r), 0, IPC_STAT, out(r, 104)); }
CASE(semctl_setval) { return CALL(semctl, sem(r), 1, SETVAL, 5); }
CASE(semctl_getval) { return CALL(semctl, sem(r), 1, GETVAL, 0); }
CASE(sem_info) { return CALL(semctl, 0, 0, SEM_INFO, out(r, 40)); }
CASE(semctl_set)
{
    struct semid_ds ds;

    memset(&ds, 0, sizeof ds);
    ds.sem_perm.uid = getuid();
    ds.sem_perm.gid = getgid();
    ds.sem_perm.mode = 0600;
    return CALL(semctl, sem(r), 0, IPC_SET, in(r, &ds, 104));
}

static const struct sembuf up_both[2] = {{0, 1, 0}, {1, 2, 0}};
CASE(semop) { return CALL(semop, sem(r), in(r, up_both, sizeof up_both), 2); }
CASE(semtimedop) { return CALL(semtimedop, sem(r), in(r, up_both, sizeof up_both), 2, in(r, &at_once, 16)); }

struct letter { long type; char text[20]; };
static const struct letter letter = {7, "nineteen bytes here"};

static int
queue_with_letter(struct run *r)
{
    int id = msg(r);

    must(msgsnd(id, &letter, 20, 0) == 0, "msgsnd");
    return id;
}

CASE(msgctl_stat) { return CALL(msgctl, msg(r), IPC_STAT, out(r, 120)); }
CASE(msg_info) { return CALL(msgctl, 0, MSG_INFO, out(r, 32)); }
CASE(msgsnd) { return CALL(msgsnd, msg(r), in(r, &letter, 28), 20, 0); }
CASE(msgrcv) { return CALL(msgrcv, queue_with_letter(r), out(r, 28), 20, 0, 0); }
CASE(msgrcv_with_too_much_room) { return CALL(msgrcv, queue_with_letter(r), room(r, 60), 50, 0, 0); }
CASE(msgctl_set)
{
    struct msqid_ds ds;

    memset(&ds, 0, sizeof ds);
    ds.msg_perm.uid = getuid();
    ds.msg_perm.gid = getgid();
    ds.msg_perm.mode = 0600;
    ds.msg_qbytes = 100;
    return CALL(msgctl, msg(r), IPC_SET, in(r, &ds, 120));
}

/* POSIX message queues. */

static const char *
queue_name(void)
{
    static char name[40];

    snprintf(name, sizeof name, "drtools-test-%d", (int)getpid());
    return name;
}

static void
remove_queue(int unused)
{
    (void)unused;
    syscall(__NR_mq_unlink, queue_name());
}

static int
queue(struct run *r, bool filled)
{
    struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 64};
    int fd = (int)syscall(__NR_mq_open, queue_name(), O_CREAT | O_RDWR, 0600, &a);

    if (fd < 0)
        skip(r, "no POSIX message queues here");
    syscall(__NR_mq_unlink, queue_name());
    must(!filled || syscall(__NR_mq_timedsend, fd, "twelve bytes", 12, 3, NULL) == 0, "mq_send");
    return fd;
}

CASE(mq_open)
{
    struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 64};

    close(queue(r, false));
    undo(r, remove_queue, 0);
    return CALL(mq_open, text(r, queue_name()), O_CREAT | O_RDWR, 0600, in(r, &a, sizeof a));
}

CASE(mq_unlink)
{
    struct mq_attr a = {.mq_maxmsg = 1, .mq_msgsize = 8};

    close(queue(r, false));
    undo(r, remove_queue, 0);
    must(syscall(__NR_mq_open, queue_name(), O_CREAT | O_RDWR, 0600, &a) >= 0, "mq_open");
    return CALL(mq_unlink, text(r, queue_name()));
}

CASE(mq_timedsend) { return CALL(mq_timedsend, queue(r, false), in(r, "hello", 5), 5, 1, in(r, &at_once, 16)); }
CASE(mq_timedreceive) { return CALL(mq_timedreceive, queue(r, true), room(r, 64), 64, out(r, 4), in(r, &at_once, 16)); }

CASE(mq_getsetattr)
{
    struct mq_attr a = {.mq_flags = O_NONBLOCK};

    return CALL(mq_getsetattr, queue(r, false), in(r, &a, sizeof a), out(r, sizeof a));
}

CASE(mq_notify)
{
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

    return CALL(mq_notify, queue(r, false), in(r, &e, sizeof e));
}
