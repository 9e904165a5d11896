#include "tl.h"

/* code copied over code by rep movsb, stosb, vector stores, push and a syscall's result, then run */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 8192), a[16] = {0xb8, 1, 0, 0, 0, 0xc3}, b[16] = {0xb8, 2, 0, 0, 0, 0xc3};
    int (*f)(void) = (void *)(p + 64);
    int pp[2];
    pipe(pp);
    for (int i = 0; i < 1500; i++) {
        void *s = i & 1 ? b : a, *d = p + 64;
        long n = 16;
        int w = 1 + (i & 1);
        switch (i % 6) {
        case 0: asm volatile("rep movsb" : "+S"(s), "+D"(d), "+c"(n)::"memory"); break;
        case 1:
            asm volatile("movups (%0),%%xmm0\n"
                         " movups %%xmm0,(%1)" ::"r"(s),
                         "r"(d)
                         : "xmm0", "memory");
            break;
        case 2: p[65] = w; break;
        case 3:
            write(pp[1], s, 16);
            read(pp[0], d, 16);
            break;
        case 4:
            asm volatile("xchg %b0,(%1)" : "+q"(w) : "r"(p + 65) : "memory");
            w = 1 + (i & 1);
            break;
        case 5:
            asm volatile("mov %%rsp,%%rdx\n"
                         " lea 72(%1),%%rsp\n"
                         " push (%0)\n"
                         " mov %%rdx,%%rsp" ::"r"(s),
                         "r"(p)
                         : "rdx", "memory");
            break;
        }
        if (f() != w) {
            printf("FAIL way %d at %d\n", i % 6, i);
            tl_bad++;
            break;
        }
    }
    return tl_end();
}
