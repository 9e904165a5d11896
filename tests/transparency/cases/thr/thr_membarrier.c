#include "tl.h"
#include <linux/membarrier.h>

static volatile int run = 1;

static void *
f(void *a)
{
    while (run)
        ;
    return 0;
}

int
main(void)
{
    long q = syscall(SYS_membarrier, 0, 0, 0);
    CHECK(q > 0);
    printf("%d %d\n", !!(q & MEMBARRIER_CMD_PRIVATE_EXPEDITED),
           !!(q & MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE));
    EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), -1);
    EQ(errno, EPERM);
    EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
    pthread_t t;
    pthread_create(&t, 0, f, 0);
    for (int i = 0; i < 500; i++)
        EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
    run = 0;
    pthread_join(t, 0);
    EQ(syscall(SYS_membarrier, 1 << 30, 0, 0), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
