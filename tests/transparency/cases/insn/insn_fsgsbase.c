//! need: cpu:fsgsbase
#include "tl.h"
#include <asm/prctl.h>

/* the segment bases: by instruction, by arch_prctl, per thread, across fork and signals, and zeroed by selector loads */
static uint64_t area[64];

static uint64_t
rdgs(void)
{
    uint64_t v;
    asm volatile("rdgsbase %0" : "=r"(v));
    return v;
}

static uint64_t
rdfs(void)
{
    uint64_t v;
    asm volatile("rdfsbase %0" : "=r"(v));
    return v;
}

static void
wrgs(uint64_t v)
{
    asm volatile("wrgsbase %0" ::"r"(v) : "memory");
}

static volatile uint64_t in_handler;

static void
hd(int s, siginfo_t *si, void *v)
{
    in_handler = rdgs();
}

static void *
thread(void *a)
{
    uint64_t own[4] = {(uint64_t)a, 0, 0, 0}, v;
    EQ(rdgs(), area); /* inherited by clone */
    wrgs((uint64_t)own);
    for (int i = 0; i < 2000; i++) {
        asm volatile("incq %%gs:8\n mov %%gs:0,%0" : "=r"(v)::"memory", "cc");
        if (v != (uint64_t)a)
            return (void *)1;
        if (i % 100 == 0)
            sched_yield();
    }
    return (void *)(own[1] != 2000);
}

int
main(void)
{
    uint64_t v, w;
    EQ(rdgs(), 0);
    CHECK(getauxval(AT_HWCAP2) & 2);
    EQ(rdfs(), pthread_self());
    EQ(syscall(SYS_arch_prctl, ARCH_GET_FS, &v), 0);
    EQ(v, pthread_self());
    for (int i = 0; i < 64; i++)
        area[i] = i * 1000;
    wrgs((uint64_t)area);
    EQ(syscall(SYS_arch_prctl, ARCH_GET_GS, &v), 0);
    EQ(v, area);
    EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, area + 8), 0);
    EQ(rdgs(), area + 8);
    asm volatile("mov %%gs:8,%0" : "=r"(v));
    EQ(v, 9000);
    wrgs(~0x7fffull << 32 | 0x1000); /* any canonical value */
    EQ(rdgs(), ~0x7fffull << 32 | 0x1000);
    EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, 0xffff800000000000ull), -1);
    EQ(errno, EPERM);
    asm volatile("wrgsbase %k0" ::"r"(0x1234567887654321ull));
    EQ(rdgs(), 0x87654321);
    wrgs((uint64_t)area);
    tl_on(SIGUSR1, hd, 0);
    raise(SIGUSR1);
    EQ(in_handler, area);
    pthread_t t[4];
    for (long i = 0; i < 4; i++)
        pthread_create(t + i, 0, thread, (void *)(i + 7));
    for (int i = 0; i < 4; i++) {
        void *r;
        pthread_join(t[i], &r);
        EQ(r, 0);
    }
    EQ(rdgs(), area);
    pid_t p = fork();
    if (!p)
        _exit(rdgs() == (uint64_t)area ? 5 : 6);
    int st;
    waitpid(p, &st, 0);
    EQ(WEXITSTATUS(st), 5);
    /* loading a null selector clears the base */
    asm volatile("mov %k0,%%gs" ::"r"(0) : "memory");
    EQ(rdgs(), 0);
    wrgs((uint64_t)area);
    asm volatile("push $0\n pop %%gs" ::: "memory");
    EQ(rdgs(), 0);
    asm volatile("mov %%gs,%k0" : "=r"(v));
    EQ((uint16_t)v, 0);
    /* fs moved elsewhere and back */
    w = rdfs();
    asm volatile("wrfsbase %1\n mov %%fs:16,%0\n addq $1,%%fs:24\n wrfsbase %2"
                 : "=&r"(v)
                 : "r"(area), "r"(w)
                 : "memory");
    EQ(v, 2000);
    EQ(area[3], 3001);
    return tl_end();
}
