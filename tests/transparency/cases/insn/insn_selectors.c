#include "tl.h"

/* segment registers and selectors as a user program may handle them */
int
main(void)
{
    uint16_t cs, ss, ds, es, fs, gs;
    for (int i = 0; i < 300; i++) {
        asm volatile("mov %%cs,%0\n mov %%ss,%1\n mov %%ds,%2\n mov %%es,%3\n mov %%fs,%4\n mov %%gs,%5"
                     : "=r"(cs), "=r"(ss), "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
        if (!i)
            printf("%x %x %x %x %x %x\n", cs, ss, ds, es, fs, gs);
        /* ds and es take null and data selectors; a pointer through them works all the same */
        uint32_t v = 0;
        uint16_t sel = i & 1 ? 0x2b : 0;
        asm volatile("mov %1,%%ds\n mov %1,%%es\n mov %%es,%0\n" : "+r"(v) : "r"((uint32_t)sel));
        EQ((uint16_t)v, sel);
        uint64_t wide = ~0ull;
        asm volatile("mov %%ss,%0" : "+r"(wide));
        EQ(wide, ss);
        wide = ~0ull;
        asm volatile("movw %%ss,%w0" : "+r"(wide));
        EQ(wide, 0xffffffffffff0000ull | ss);
        uint16_t m[4] = {9, 9, 9, 9};
        asm volatile("mov %%cs,%0" : "=m"(m[1]));
        EQ(m[1], cs);
        EQ(m[2], 9);
        asm volatile("mov %0,%%es" ::"m"(m[3] = 0, m[3]));
        /* ss reloaded with itself: the next instruction still runs */
        asm volatile("mov %%ss,%%eax\n mov %%eax,%%ss\n lea (%%rsp),%%rsp\n" ::: "rax");
    }
    uint32_t ar = 0, lim = 0;
    uint8_t z;
    asm volatile("lar %2,%0\n setz %1" : "+r"(ar), "=q"(z) : "r"((uint32_t)cs) : "cc");
    printf("lar cs %x %d ", ar, z);
    asm volatile("lar %2,%0\n setz %1" : "+r"(ar), "=q"(z) : "r"(0x18) : "cc");
    printf("%x %d ", ar, z);
    asm volatile("lsl %2,%0\n setz %1" : "+r"(lim), "=q"(z) : "r"((uint32_t)ss) : "cc");
    printf("lsl ss %x %d ", lim, z);
    asm volatile("verr %w1\n setz %0" : "=q"(z) : "r"((uint32_t)cs) : "cc");
    printf("verr %d ", z);
    asm volatile("verw %w1\n setz %0" : "=q"(z) : "r"((uint32_t)cs) : "cc");
    printf("verw cs %d ", z);
    asm volatile("verw %w1\n setz %0" : "=q"(z) : "r"((uint32_t)ss) : "cc");
    printf("verw ss %d\n", z);
    asm volatile("push %%fs\n pop %%rax\n push %%gs\n pop %%rax\n push $0\n pop %%gs" ::: "rax", "memory");
    return tl_end();
}
