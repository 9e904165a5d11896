#include "tl.h"

/* code is written through one mapping of a memfd and run through another */
int
main(void)
{
    int fd = syscall(SYS_memfd_create, "jit", 0);
    ftruncate(fd, 8192);
    unsigned char *w = mmap(0, 8192, 3, MAP_SHARED, fd, 0), *x = mmap(0, 8192, 5, MAP_SHARED, fd, 0);
    NEED(w != MAP_FAILED && x != MAP_FAILED);
    w[100] = 0xb8;
    w[105] = 0xc3;
    for (int i = 0; i < 3000; i++) {
        *(int *)(w + 101) = i;
        if (((int (*)(void))(x + 100))() != i) {
            EQ(((int (*)(void))(x + 100))(), i);
            break;
        }
    }
    w[4096] = 0xb8;
    w[4101] = 0xc3;
    for (int i = 0; i < 300; i++) {
        int v = i * 5;
        pwrite(fd, &v, 4, 4097);
        EQ(((int (*)(void))(x + 4096))(), v);
        if (tl_bad)
            break;
    }
    return tl_end();
}
