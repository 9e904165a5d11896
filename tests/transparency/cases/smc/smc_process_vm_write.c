#include "tl.h"

int
main(void)
{
    unsigned char *p = tl_rwx(0, 4096), *q = mmap(0, 4096, 5, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 0xb8;
    p[5] = 0xc3;
    int (*f)(void) = (void *)p, (*g)(void) = (void *)q;
    int fd = open("/proc/self/mem", O_RDWR);
    NEED(fd >= 0);
    unsigned char c[6] = {0xb8, 0, 0, 0, 0, 0xc3};
    for (int i = 0; i < 500; i++) {
        memcpy(c + 1, &i, 4);
        if (i & 1) {
            struct iovec l = {c, 6}, r = {p, 6};
            EQ(process_vm_writev(getpid(), &l, 1, &r, 1, 0), 6);
        } else
            EQ(pwrite(fd, c, 6, (off_t)p), 6);
        EQ(f(), i);
        EQ(pwrite(fd, c, 6, (off_t)q), 6);
        EQ(g(), i);
        if (tl_bad)
            break;
    }
    /* a child writes into the parent */
    for (int i = 0; i < 10; i++) {
        f();
        pid_t me = getpid(), k = fork();
        if (!k) {
            int v = i * 100;
            struct iovec l = {&v, 4}, r = {p + 1, 4};
            _exit(process_vm_writev(me, &l, 1, &r, 1, 0) != 4);
        }
        int st;
        waitpid(k, &st, 0);
        EQ(st, 0);
        EQ(f(), i * 100);
    }
    return tl_end();
}
