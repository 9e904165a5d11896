#include "tl.h"

/* code in memory shared between processes: one writes, the other runs; and private code that a fork parts */
static void
emit(volatile unsigned char *q, int v)
{
    q[0] = 0xb8;
    *(volatile int *)(q + 1) = v;
    q[5] = 0xc3;
}

int
main(void)
{
    unsigned char *p = mmap(0, 4096, 7, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int (*f)(void) = (void *)p;
    int to[2], from[2], st;
    pipe(to);
    pipe(from);
    emit(p, 1);
    EQ(f(), 1);
    pid_t k = fork();
    if (!k) {
        int v;
        while (read(to[0], &v, 4) == 4) {
            if (v & 1)
                f();
            emit(p, v);
            write(from[1], &v, 4);
        }
        _exit(0);
    }
    for (int i = 2; i < 600; i++) {
        int v = i * 3;
        write(to[1], &v, 4);
        read(from[0], &v, 4);
        EQ(f(), i * 3);
        if (tl_bad)
            break;
    }
    close(to[1]);
    kill(k, SIGKILL);
    waitpid(k, &st, 0);
    /* private: the child's changes are its own, whichever side writes first */
    unsigned char *q = tl_rwx(0, 4096);
    f = (void *)q;
    for (int i = 0; i < 30; i++) {
        emit(q, i);
        f();
        k = fork();
        if (!k) {
            if (f() != i)
                _exit(1);
            emit(q, i + 100);
            if (f() != i + 100)
                _exit(2);
            _exit(7);
        }
        if (i & 1) {
            emit(q, i + 50);
            EQ(f(), i + 50);
        }
        waitpid(k, &st, 0);
        EQ(WEXITSTATUS(st), 7);
        EQ(f(), i & 1 ? i + 50 : i);
        if (tl_bad)
            break;
    }
    return tl_end();
}
