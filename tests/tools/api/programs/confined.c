/* Filters system calls so that one of the engine's would end the process; another thread runs on. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *
runs(void *arg)
{
    while (arg)
        ++*(volatile int *)arg;
    return NULL;
}

int
main(void)
{
#define KILLS(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
    struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), KILLS(SYS_openat),
                                   KILLS(SYS_rt_tgsigqueueinfo), KILLS(SYS_readlink), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    pthread_t t;
    int n;

    pthread_create(&t, NULL, runs, &n);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)) {
        puts("no filter");
        return 77;
    }
    puts("confined");
    return 0;
}
