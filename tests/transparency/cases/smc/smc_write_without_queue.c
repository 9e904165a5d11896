//! build: gcc -O1 -w -I$INC $SRC -o $OUT
#include "tl.h"

/* another process writes into code while the user's queue of signals has no room left */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 4096);
    struct rlimit none = {0, 0};

    p[0] = 0xb8;
    memset(p + 1, 0, 4);
    p[5] = 0xc3;
    NEED(setrlimit(RLIMIT_SIGPENDING, &none) == 0);
    for (int i = 0; i < 20; i++) {
        ((int (*)(void))p)();
        pid_t me = getpid(), k = fork();
        if (!k) {
            int v = i * 100;
            struct iovec l = {&v, 4}, r = {p + 1, 4};
            _exit(process_vm_writev(me, &l, 1, &r, 1, 0) != 4);
        }
        int st;
        EQ(waitpid(k, &st, 0), k);
        EQ(st, 0);
        EQ(((int (*)(void))p)(), i * 100);
    }
    return tl_end();
}
