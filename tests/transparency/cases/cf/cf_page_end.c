//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* code up to the last byte of a mapping: what follows it faults only when control gets there */
static unsigned char *page;

static void *
at_end(const void *code, int n, int over)
{
    memset(page, 0xcc, 4096);
    unsigned char *p = page + 4096 - n + over;
    memcpy(p, code, n - over);
    return p;
}

#define END(name, over, rip_off, ...)                                        \
    do {                                                                     \
        unsigned char c_[] = {__VA_ARGS__};                                  \
        char *p_ = at_end(c_, sizeof c_, over);                              \
        fc_run(name, p_, (uint64_t)p_ + rip_off, (uint64_t)page + 4096, ~0); \
    } while (0)

int
main(void)
{
    fc_init();
    fc_defaults();
    page = tl_rwx((void *)0x27000000, 4096);
    for (int k = 0; k < 50; k++) {
        /* not reached: ret, jmp and a taken jcc end the page */
        unsigned char r[] = {0xb8, k, 0, 0, 0, 0xc3};
        EQ(((int (*)(void))at_end(r, sizeof r, 0))(), k);
        unsigned char j[] = {0xb8, k, 0, 0, 0, 0xc3, 0x39, 0xc0, 0x74, 0xf6};
        char *p = at_end(j, sizeof j, 0);
        EQ(((int (*)(void))(p + 6))(), k);
        unsigned char l[] = {0xb9, 3,    0,    0,    0,    0x31, 0xc0, 0xeb, 2,
                             0xc3, 0x90, 0xff, 0xc0, 0xe2, 0xfc, 0xeb, 0xf8};
        p = at_end(l, sizeof l, 0);
        EQ(((int (*)(void))p)(), 3);
        unsigned char s[] = {0xb8, 39, 0, 0, 0, 0xc3, 0x0f, 0x05};
        p = at_end(s, sizeof s, 0);
        if (k == 49) { /* a system call is the last instruction; after it, the next page */
            fc_in[0] = SYS_getpid;
            fc_target = (uint64_t)p + 6;
            fc_go();
            EQ(fc_uc.uc_mcontext.gregs[REG_RIP], (uint64_t)page + 4096);
            EQ(fc_uc.uc_mcontext.gregs[REG_RAX], getpid());
            fc_defaults();
        }
    }
    END("falls off", 0, 3, 0x48, 0xff, 0xc0);
    END("falls off after a jump not taken", 0, 5, 0x48, 0x85, 0xc0, 0x74, 0xf0);
    END("falls off after a call returns", 0, 8, 0xeb, 1, 0xc3, 0xe8, 0xfa, 0xff, 0xff, 0xff);
    END("instruction straddles by 1", 1, 3, 0x48, 0xff, 0xc0, 0x48, 0x83, 0xc0, 0x01);
    END("instruction straddles by 3", 3, 0, 0x48, 0x81, 0xc0, 0x78, 0x56, 0x34, 0x12);
    END("prefix straddles", 2, 3, 0x48, 0xff, 0xc1, 0xf3, 0x48, 0xa5);
    END("jump straddles", 4, 4, 0x90, 0x90, 0x90, 0x90, 0xe9, 0, 0, 0, 0);
    /* the same bytes are fine once the next page exists */
    page = tl_rwx((void *)0x27001000, 4096) - 4096;
    unsigned char c[] = {0xb8, 0x78, 0x56, 0x34, 0x12, 0xc3};
    for (int i = 1; i < 6; i++) {
        memcpy(page + 4096 - i, c, 6);
        EQ(((int (*)(void))(page + 4096 - i))(), 0x12345678);
    }
    return tl_end();
}
