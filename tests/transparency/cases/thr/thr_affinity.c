#include "tl.h"

int
main(void)
{
    cpu_set_t o, s;
    sched_getaffinity(0, sizeof o, &o);
    printf("cpus %d\n", CPU_COUNT(&o));
    for (int c = 0; c < 8; c++)
        if (CPU_ISSET(c, &o)) {
            CPU_ZERO(&s);
            CPU_SET(c, &s);
            EQ(sched_setaffinity(0, sizeof s, &s), 0);
            for (int i = 0; i < 100; i++)
                EQ(sched_getcpu(), c);
            unsigned cpu;
            syscall(SYS_getcpu, &cpu, 0, 0);
            EQ(cpu, c);
            uint32_t aux;
            asm volatile("rdtscp" : "=c"(aux)::"rax", "rdx");
            EQ(aux & 0xfff, c);
            pid_t p = fork();
            if (!p)
                _exit(sched_getcpu());
            int st;
            waitpid(p, &st, 0);
            EQ(WEXITSTATUS(st), c);
        }
    sched_setaffinity(0, sizeof o, &o);
    EQ(sched_setaffinity(0, 0, &s), -1);
    EQ(sched_getscheduler(0), SCHED_OTHER);
    printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
    EQ(sched_get_priority_max(SCHED_FIFO), 99);
    return tl_end();
}
