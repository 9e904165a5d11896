#include "tl.h"

/* one indirect call, one indirect jump and one return site with 30,000 targets each */
enum { N = 30000, SIZE = 32 };

int
main(void)
{
    unsigned char *p = tl_rwx(0, N * SIZE + 4096);
    for (int i = 0; i < N; i++) {
        /* lea rax,[rdi+i] ; ret */
        unsigned char c[] = {0x48, 0x8d, 0x87, 0, 0, 0, 0, 0xc3};
        memcpy(c + 3, &i, 4);
        memcpy(p + i * SIZE, c, sizeof c);
    }
    uint64_t s = 31, h = FNV0;
    for (int i = 0; i < 300000; i++) {
        unsigned k = i < 100000 ? i % N : tl_rng(&s) % N;
        long r = ((long (*)(long))(p + k * SIZE))(i);
        if (r != i + (long)k) {
            EQ(r, i + (long)k);
            break;
        }
        h = h * 31 + r;
    }
    printf("calls %llx\n", (unsigned long long)h);
    for (int i = 0; i < N; i++) {
        /* lea rax,[rax+i] ; jmp rdx */
        unsigned char c[] = {0x48, 0x8d, 0x80, 0, 0, 0, 0, 0xff, 0xe2};
        memcpy(c + 3, &i, 4);
        memcpy(p + i * SIZE, c, sizeof c);
    }
    h = FNV0;
    for (int i = 0; i < 200000; i++) {
        unsigned k = tl_rng(&s) % N;
        uint64_t a = i;
        asm volatile("lea 1f(%%rip),%%rdx\n jmp *%1\n 1:" : "+a"(a) : "r"(p + k * SIZE) : "rdx", "memory");
        if (a != i + k) {
            EQ(a, i + k);
            break;
        }
        h = h * 31 + a;
    }
    printf("jumps %llx\n", (unsigned long long)h);
    /* one callee that returns to N places: at each, call callee ; jmp next */
    unsigned char *callee = p + N * SIZE;
    memcpy(callee, "\x48\x01\xf8\xc3", 4); /* add rax,rdi ; ret */
    for (int i = 0; i < N; i++) {
        unsigned char *q = p + i * SIZE, c[] = {0xff, 0xd1, 0x48, 0x83, 0xc7, 1, 0xe9, 0, 0, 0, 0};
        unsigned char *next = p + ((i + 7919) % N) * SIZE;
        int d = next - (q + sizeof c);
        memcpy(c + 7, &d, 4);
        memcpy(q, c, sizeof c);
    }
    memcpy(p + (N / 2) * SIZE, "\xc3", 1);
    uint64_t a = 0, n = 0;
    for (int i = 0; i < 20; i++)
        asm volatile("call *%2" : "+a"(a), "+D"(n) : "r"(p + i * SIZE), "c"(callee) : "memory", "cc");
    printf("returns %llu %llu\n", (unsigned long long)a, (unsigned long long)n);
    return tl_end();
}
