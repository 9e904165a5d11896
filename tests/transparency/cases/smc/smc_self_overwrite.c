#include "tl.h"

/* instructions that overwrite themselves, and string stores that overwrite the code they are in */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 4096);
    for (int i = 0; i < 500; i++) {
        /* mov byte [rip-7],0xc3 : its own first byte becomes ret; the copy after it counts */
        unsigned char a[] = {0xff, 0xc0, 0xc6, 0x05, 0xf9, 0xff, 0xff, 0xff, 0xc3, 0xff, 0xc0, 0xc3};
        memcpy(p, a, sizeof a);
        EQ(({
               long r;
               asm volatile("xor %%eax,%%eax\n call *%1" : "=&a"(r) : "r"(p) : "memory", "cc");
               r;
           }),
           2);
        EQ(p[2], 0xc3);
        EQ(({
               long r;
               asm volatile("xor %%eax,%%eax\n call *%1" : "=&a"(r) : "r"(p) : "memory", "cc");
               r;
           }),
           1);
        /* stosb one byte ahead, then what it stored */
        unsigned char b[] = {0xaa, 0x90, 0xff, 0xc3, 0xc3}; /* stosb ; nop ; inc ebx ; ret */
        memcpy(p + 256, b, sizeof b);
        long bx = 0;
        void *di = p + 256 + 1;
        asm volatile("call *%3" : "+b"(bx), "+D"(di) : "a"(0xc3), "r"(p + 256) : "memory", "cc");
        EQ(bx, 0); /* the nop had become ret */
        EQ(di, p + 256 + 2);
        /* rep stosb over itself and what follows: goes on to the end, then runs what is there */
        memset(p + 512, 0x90, 64);
        p[512] = 0xf3;
        p[513] = 0xaa;
        p[530] = 0xc3;
        long cx = 16;
        di = p + 514;
        bx = 0;
        p[540] = 0xc3;
        asm volatile("call *%4" : "+D"(di), "+c"(cx), "+b"(bx) : "a"(0x90), "r"(p + 512) : "memory", "cc");
        EQ(cx, 0);
        /* a pushed value lands on the next instruction */
        unsigned char d[] = {0x50, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3};
        memcpy(p + 1024, d, sizeof d);
        long v = 0x9090909001c38348l; /* add ebx.. : 48 83 c3 01 90 90 90 90 */
        bx = 0;
        asm volatile("mov %%rsp,%%r12\n lea 9(%2),%%rsp\n push %%rax\n mov %%r12,%%rsp\n"
                     : "+b"(bx)
                     : "a"(v), "r"(p + 1024)
                     : "r12", "memory");
        p[1024] = 0x90;
        asm volatile("call *%1" : "+b"(bx) : "r"(p + 1024) : "memory", "cc");
        EQ(bx, 1);
        /* a call pushes its return address over code that is about to run elsewhere: data and code in one place */
        if (tl_bad)
            break;
    }
    /* a loop whose body changes the opcode of its own next instruction in turn: add <-> sub */
    unsigned char l[] = {0x31, 0xc0,                           /* xor eax,eax */
                         0x80, 0x35, 0x01, 0,    0,   0, 0x28, /* xor byte [rip+1],0x28 : 01 <-> 29 */
                         0x90, 0x29, 0xf8,                     /* nop ; sub eax,edi  */
                         0xff, 0xce, 0x75, 0xf2, 0xc3};        /* dec esi ; jnz ; ret */
    memcpy(p + 2048, l, sizeof l);
    EQ(((int (*)(int, int))(p + 2048))(7, 1000), 0);
    EQ(((int (*)(int, int))(p + 2048))(7, 1001), 7);
    return tl_end();
}
