#include "tl.h"
#include <sys/shm.h>

/* other ways to the same bytes: mremap of size zero, System V memory attached twice, a file and its mapping, a shared page moved */
static int
run(void *q)
{
    return ((int (*)(void))q)();
}

static void
emit(unsigned char *q, int v)
{
    q[0] = 0xb8;
    memcpy(q + 1, &v, 4);
    q[5] = 0xc3;
}

int
main(void)
{
    unsigned char *a = mmap(0, 4096, 7, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned char *b = mremap(a, 0, 4096, MREMAP_MAYMOVE);
    NEED(b != MAP_FAILED && b != a);
    for (int i = 0; i < 1000 && !tl_bad; i++) {
        emit(i & 1 ? a : b, i);
        EQ(run(a), i);
        EQ(run(b), i);
    }
    mprotect(a, 4096, PROT_READ | PROT_EXEC);
    for (int i = 0; i < 1000 && !tl_bad; i++) {
        emit(b + 64, i);
        EQ(run(a + 64), i);
    }
    int id = shmget(IPC_PRIVATE, 8192, 0700);
    unsigned char *w = shmat(id, 0, 0), *x = shmat(id, 0, SHM_EXEC | SHM_RDONLY);
    shmctl(id, IPC_RMID, 0);
    NEED(w != (void *)-1 && x != (void *)-1);
    for (int i = 0; i < 1000 && !tl_bad; i++) {
        emit(w + i % 8000, i);
        EQ(run(x + i % 8000), i);
    }
    /* the writing view moves to another address */
    for (int i = 0; i < 100 && !tl_bad; i++) {
        unsigned char *n = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        b = mremap(b, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, n);
        emit(b + 128, i * 2);
        EQ(run(a + 128), i * 2);
        emit(b + 128, i * 3);
        EQ(run(a + 128), i * 3);
    }
    /* writes through the file */
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ftruncate(fd, 8192);
    unsigned char *m = mmap(0, 8192, 5, MAP_SHARED, fd, 0), c[6], *dw = mmap(0, 8192, 3, MAP_SHARED, fd, 0);
    int p[2];
    pipe(p);
    for (int i = 0; i < 600 && !tl_bad; i++) {
        emit(c, i);
        switch (i % 4) {
        case 0: pwrite(fd, c, 6, 4096); break;
        case 1:
            lseek(fd, 4096, 0);
            write(fd, c, 6);
            break;
        case 2: {
            loff_t off = 4096;
            write(p[1], c, 6);
            EQ(splice(p[0], 0, fd, &off, 6, 0), 6);
            break;
        }
        case 3: memcpy(dw + 4096, c, 6); break;
        }
        EQ(run(m + 4096), i);
    }
    return tl_end();
}
