#include "tl.h"

/* x87: rounding and precision control, every class of operation, the environment, BCD, stack faults */
int
main(void)
{
    uint64_t s = 17, h = FNV0;
    uint16_t cw0, cw, sw;
    asm volatile("fnstcw %0" : "=m"(cw0));
    printf("cw %x\n", cw0);
    for (int i = 0; i < 3000; i++) {
        double a = (double)(int64_t)tl_rng(&s) / 1e9, b = (double)(int64_t)tl_rng(&s) / 3e12 + 0.5, d[8];
        long double t[4];
        int32_t i32;
        int64_t i64;
        int16_t i16;
        float f;
        cw = (cw0 & ~0xf00) | (i & 3) << 10 | (i & 4 ? 0x300 : i & 8 ? 0x200 : 0);
        asm volatile("fldcw %0" ::"m"(cw));
        asm volatile(
            "fldl %5\n fldl %6\n fadd %%st(1),%%st\n fstl %0\n fmul %%st(1),%%st\n fsubr %%st,%%st(1)\n fdivp\n fstpl %1\n"
            "fldl %6\n fabs\n fsqrt\n fstpt %2\n fldl %5\n frndint\n fstpl %3\n fldl %5\n fsts %4\n fstp %%st"
            : "=m"(d[0]), "=m"(d[1]), "=m"(t[0]), "=m"(d[2]), "=m"(f)
            : "m"(a), "m"(b)
            : "st", "st(1)", "st(2)");
        asm volatile("fldl %3\n fistl %0\n fldl %4\n fistpll %1\n fldl %4\n fisttps %2\n fstp %%st"
                     : "=m"(i32), "=m"(i64), "=m"(i16)
                     : "m"(b), "m"(b)
                     : "st", "st(1)");
        asm volatile(
            "fldl %2\n fldl %3\n fcomi %%st(1),%%st\n seta %%al\n setp %%ah\n mov %%ax,%0\n fucom %%st(1)\n fnstsw %%ax\n mov %%ax,%1\n"
            "fxam\n fnstsw %%ax\n add %%ax,%1\n fcompp\n"
            : "=m"(i16), "=m"(sw)
            : "m"(a), "m"(b)
            : "rax", "st", "st(1)", "cc");
        h = tl_fnv(h, d, 24);
        h = tl_fnv(h, &f, 4);
        h = tl_fnv(h, t, 10);
        h = tl_fnv(h, &i64, 8) + i32 + i16 + (sw & 0x4700);
        asm volatile(
            "fldl %2\n fldl %3\n fyl2x\n fstpt %0\n fldl %3\n fld1\n fpatan\n fptan\n fstp %%st\n fsin\n fldpi\n fprem1\n fcos\n f2xm1\n"
            "fldl %3\n fscale\n fxtract\n fstp %%st(1)\n fxch\n fstp %%st\n fstpt %1\n fninit"
            : "=m"(t[0]), "=m"(t[1])
            : "m"(a), "m"(b)
            : "st", "st(1)", "st(2)", "st(3)");
        h = tl_fnv(h, t, 10);
        h = tl_fnv(h, t + 1, 10);
        char bcd[10];
        asm volatile("fldl %1\n fbstp %0\n fbld %0\n fchs\n fbstp %0" : "=m"(bcd) : "m"(b) : "st");
        h = tl_fnv(h, bcd, 10);
        asm volatile("fldl %1\n fldz\n fcmovb %%st(1),%%st\n fcmovne %%st(1),%%st\n fstpl %0\n fstp %%st"
                     : "=m"(d[0])
                     : "m"(a)
                     : "st", "st(1)");
        h = tl_fnv(h, d, 8);
    }
    printf("%llx\n", (unsigned long long)h);
    /* environment and state: save, disturb, restore */
    static unsigned char env[28], state[108], state2[108];
    double out;
    asm volatile(
        "fninit\n fld1\n fldl2e\n fldz\n fnstenv %0\n fldenv %0\n fnsave %1\n fld1\n frstor %1\n fnsave %2\n frstor %2\n fstp %%st\n fstpl %3\n fstp %%st"
        : "=m"(env), "=m"(state), "=m"(state2), "=m"(out)::"st", "st(1)", "st(2)");
    EQ(memcmp(state, state2, 12), 0);
    EQ(memcmp(state + 28, state2 + 28, 80), 0);
    printf("tags %x status %x %.17g\n", *(uint16_t *)(env + 8), *(uint16_t *)(env + 4), out);
    /* nine pushes overflow the stack; popping an empty one underflows */
    asm volatile("fninit\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fnstsw %0\n fninit"
                 : "=m"(sw));
    printf("overflow %x ", sw);
    asm volatile("fninit\n fstp %%st\n fnstsw %0\n fnclex\n fninit" : "=m"(sw));
    printf("underflow %x ", sw);
    asm volatile("fninit\n fld1\n fldz\n fdivrp\n fnstsw %0\n fninit" : "=m"(sw));
    printf("divide %x\n", sw);
    asm volatile("fninit\n fincstp\n fld1\n ffree %%st\n fdecstp\n fnstsw %0\n fnop\n fwait\n fninit"
                 : "=m"(sw));
    printf("top %x\n", sw >> 11 & 7);
    return tl_end();
}
