#include "tl.h"

/* data on the page of the code that writes it: counters, tables, a stack; and code patched once in a while all the same */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 8192);
    /* inc qword [rip+d] ; mov rax,[rip+d] ; dec edi ; jnz ; ret -- the counter 128 bytes on */
    unsigned char c[] = {0x48, 0xff, 0x05, 0x79, 0,    0,    0,    0x48, 0x8b, 0x05,
                         0x72, 0,    0,    0,    0xff, 0xcf, 0x75, 0xee, 0xc3};
    memcpy(p, c, sizeof c);
    EQ(((long (*)(int))p)(3000000), 3000000);
    EQ(*(long *)(p + 128), 3000000);
    /* the code is patched now and then: inc becomes dec and back */
    for (int i = 0; i < 100; i++) {
        p[2] = i & 1 ? 0x05 : 0x0d;
        ((long (*)(int))p)(1000);
    }
    EQ(*(long *)(p + 128), 3000000);
    /* a table of function pointers and its code in one page, both changing */
    unsigned char *q = p + 4096;
    void **tab = (void **)(q + 2048);
    uint64_t h = FNV0;
    for (int i = 0; i < 20000; i++) {
        int k = i % 32;
        unsigned char *f = q + k * 16;
        if (i % 10 == 0) {
            unsigned char d[] = {0x8d, 0x47, i & 0x7f, 0xc3};
            memcpy(f, d, 4);
            tab[k] = f;
        }
        tab[(k + 7) % 32] = tab[k] ?: q;
        if (tab[k])
            h = h * 31 + ((int (*)(int))tab[k])(i);
        if (i < 10)
            memcpy(q, "\x31\xc0\xc3", 3);
    }
    printf("%llx\n", (unsigned long long)h);
    /* the stack on the page of the code */
    unsigned char *r = tl_rwx(0, 4096);
    unsigned char e[] = {0x48, 0x89, 0xe0, 0x48, 0x89, 0xfc, 0x50, 0x56,
                         0x5a, 0x48, 0x8d, 0x04, 0x12, 0x5c, 0xc3};
    memcpy(
        r, e,
        sizeof e); /* mov rax,rsp; mov rsp,rdi; push rax; push rsi; pop rdx; lea rax,[rdx+rdx]; pop rsp; ret */
    for (long i = 0; i < 5000; i++)
        EQ(((long (*)(void *, long))r)(r + 4096, i), 2 * i);
    return tl_end();
}
