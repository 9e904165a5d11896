#include "tl.h"
#include <sys/shm.h>
#include <sys/sem.h>
#include <sys/msg.h>

/* memory and messages shared between processes: anonymous, memfd, System V, POSIX; with atomics and condition variables in it */
struct area {
    pthread_mutex_t m;
    pthread_cond_t c;
    sem_t s;
    volatile long turn, sum, atomic;
};

static void
play(struct area *a, int me, int n)
{
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&a->m);
        while (a->turn % 2 != me)
            pthread_cond_wait(&a->c, &a->m);
        a->sum = a->sum * 3 + me + 1;
        a->turn++;
        pthread_cond_broadcast(&a->c);
        pthread_mutex_unlock(&a->m);
        for (int k = 0; k < 20; k++)
            __atomic_add_fetch(&a->atomic, 1, __ATOMIC_SEQ_CST);
        me ? sem_post(&a->s) : sem_wait(&a->s);
    }
}

static void
both(const char *name, struct area *a)
{
    memset(a, 0, sizeof *a);
    pthread_mutexattr_t ma;
    pthread_condattr_t ca;
    pthread_mutexattr_init(&ma);
    pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&ca);
    pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&a->m, &ma);
    pthread_cond_init(&a->c, &ca);
    sem_init(&a->s, 1, 0);
    fflush(stdout);
    pid_t p = fork();
    play(a, !p, 300);
    if (!p)
        _exit(0);
    int st;
    waitpid(p, &st, 0);
    printf("%s: sum %lx atomic %ld turn %ld\n", name, a->sum, a->atomic, a->turn);
}

int
main(void)
{
    both("anonymous", mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    int fd = syscall(SYS_memfd_create, "m", 0);
    ftruncate(fd, 8192);
    both("memfd", mmap(0, 4096, 3, MAP_SHARED, fd, 4096));
    int id = shmget(IPC_PRIVATE, 4096, 0600);
    void *at = shmat(id, 0, 0);
    shmctl(id, IPC_RMID, 0);
    both("System V", at);
    EQ(shmdt(at), 0);
    EQ(shmdt(at), -1);
    EQ(errno, EINVAL);
    int q = msgget(IPC_PRIVATE, 0600), s = semget(IPC_PRIVATE, 1, 0600);
    pid_t p = fork();
    if (!p) {
        for (long i = 1; i <= 50; i++) {
            struct {
                long type;
                long v;
            } m = {i % 3 + 1, i * i};

            msgsnd(q, &m, sizeof m.v, 0);
        }
        semop(s, &(struct sembuf){0, 5, 0}, 1);
        _exit(0);
    }
    long t = 0;
    for (int i = 0; i < 50; i++) {
        struct {
            long type;
            long v;
        } m;

        EQ(msgrcv(q, &m, sizeof m.v, 0, 0), sizeof m.v);
        t += m.v * m.type;
    }
    EQ(semop(s, &(struct sembuf){0, -5, 0}, 1), 0);
    int st;
    waitpid(p, &st, 0);
    msgctl(q, IPC_RMID, 0);
    semctl(s, 0, IPC_RMID);
    printf("messages %ld\n", t);
    /* copy on write stays private */
    volatile int *priv = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *priv = 5;
    p = fork();
    if (!p) {
        *priv = 6;
        _exit(*priv);
    }
    waitpid(p, &st, 0);
    EQ(*priv, 5);
    EQ(WEXITSTATUS(st), 6);
    return tl_end();
}
