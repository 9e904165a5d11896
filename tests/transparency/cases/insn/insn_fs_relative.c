#include "tl.h"

static __thread uint64_t tls[16] = {0x1122334455667788ull, 2, 3, 4};

int
main(void)
{
    for (int i = 0; i < 1000; i++) {
        uint64_t off = (uint64_t)tls - (uint64_t)pthread_self(), v, w;
        EQ((int64_t)off < 0, 1);
        asm volatile("mov %%fs:(%1),%0" : "=r"(v) : "r"(off));
        EQ(v, tls[0]);
        asm volatile("movzbl %%fs:3(%1),%k0" : "=r"(v) : "r"(off));
        EQ(v, ((uint8_t *)tls)[3]);
        asm volatile("movzwl %%fs:2(%1),%k0" : "=r"(v) : "r"(off));
        EQ(v, *(uint16_t *)((char *)tls + 2));
        asm volatile("addl $5,%%fs:8(%1)\n"
                     " mov %%fs:8(%1),%0\n"
                     " subl $5,%%fs:8(%1)"
                     : "=r"(v)
                     : "r"(off)
                     : "memory", "cc");
        EQ(v, tls[1] + 5);
        asm volatile("mov %%fs:(%1,%2,8),%0" : "=r"(v) : "r"(off), "r"(2ull));
        EQ(v, 3);
        asm volatile("lea %%fs:(%1),%0" : "=r"(v) : "r"(off));
        EQ(v, off);
        asm volatile("push %%fs:16(%1)\n"
                     " pop %%fs:24(%1)\n"
                     " movups %%fs:16(%1),%%xmm0\n"
                     " movq %%xmm0,%0\n"
                     " xchg %0,%%fs:32(%1)\n"
                     " lock incq %%fs:40(%1)"
                     : "=r"(v)
                     : "r"(off)
                     : "xmm0", "memory");
        EQ(tls[3], 3);
        EQ(tls[4], 3);
        EQ(tls[5], i + 1);
        uint64_t si = off, n = 4;
        void *di = tls + 8;
        asm volatile("rep movsq %%fs:(%%rsi),(%%rdi)" : "+S"(si), "+D"(di), "+c"(n)::"memory");
        EQ(memcmp(tls, tls + 8, 32), 0);
        EQ(si, off + 32);
        si = off;
        asm volatile("lodsb %%fs:(%%rsi),%%al\n"
                     " movzbl %%al,%%eax"
                     : "=a"(v), "+S"(si));
        EQ(v, 0x88);
        EQ(si, off + 1);
        asm volatile("mov %%fs:0x28,%0\n"
                     " cmp %%fs:0x28,%0\n"
                     " setne %b1\n"
                     " movzbl %b1,%k1"
                     : "=&r"(v), "=&q"(w)::"cc");
        EQ(w, 0);
        CHECK((v & 0xff) == 0);
        asm volatile("cmpq $2,%%fs:8(%1)\n"
                     " sete %b0\n"
                     " movzbl %b0,%k0"
                     : "=&q"(v)
                     : "r"(off)
                     : "cc");
        EQ(v, 1);
        if (tl_bad)
            break;
    }
    return tl_end();
}
