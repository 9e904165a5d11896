//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* rep string operations that fault half way: counts and pointers show exactly what was done */
SNIP(r1, "", "rep movsb");
SNIP(r2, "", "rep stosq");
SNIP(r3, "std\n", "rep movsq");
SNIP(r4, "", "repe cmpsb");
SNIP(r5, "", "repne scasb");
SNIP(r6, "", "rep movsl");
SNIP(r7, "", "rep lodsw");
SNIP(r8, "", "repe cmpsq");

int
main(void)
{
    fc_init();
    fc_defaults();
    uint64_t B = 0x23000000;
    char *p = mmap((void *)B, 16384, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    NEED(p == (void *)B);
    mprotect(p + 8192, 8192, PROT_NONE);
    memset(p, 'x', 4096);
    fc_in[0] = 'q';
#define T(n, si, di, c, ad, m) \
    fc_in[4] = si, fc_in[5] = di, fc_in[2] = c, fc_run(#n, n, (uint64_t)n##_ip, ad, m)
    T(r1, B, B + 8192 - 40, 100, B + 8192, ~0);
    EQ(p[8191], 'x');
    EQ(p[8192 - 41], 0);
    T(r1, B + 8192 - 10, B, 100, B + 8192, ~0);
    T(r2, 0, B + 8192 - 64, 1000, B + 8192, ~0);
    EQ(*(uint64_t *)(p + 8184), 'q');
    fc_flags = 0x203;
    T(r6, B, B + 8192 - 4 * 7, 9, B + 8192, ~0);
    T(r7, B + 8192 - 8, 0, 9, B + 8192, ~0);
    memset(p, 0, 8192);
    T(r4, B + 8192 - 20, B, 50, B + 8192, 0);
    T(r5, 0, B + 8192 - 30, 90, B + 8192, 0);
    T(r8, B + 4096, B + 8192 - 80, 90, B + 8192, 0);
    mprotect(p + 8192, 8192, 3);
    mprotect(p, 4096, PROT_NONE);
    T(r3, B + 8192, B + 4096 + 32, 90, B + 4096 - 8, ~0);
    return tl_end();
}
