#include "tl.h"

static ucontext_t mainc, co[8];
static char stk[8][32768];
static long out;
static int left = 8;
static unsigned h = 1;

static void
body(int id, int n)
{
    for (int i = 0; i < n; i++) {
        h = h * 31 + id;
        swapcontext(&co[id], &mainc);
    }
    left--;
}

int
main(void)
{
    for (int i = 0; i < 8; i++) {
        getcontext(&co[i]);
        co[i].uc_stack.ss_sp = stk[i];
        co[i].uc_stack.ss_size = sizeof stk[i];
        co[i].uc_link = &mainc;
        makecontext(&co[i], (void (*)(void))body, 2, i, 3000 + i * 100);
    }
    char dead[8] = {0};
    while (left)
        for (int i = 0; i < 8; i++)
            if (!dead[i]) {
                int l = left;
                swapcontext(&mainc, &co[i]);
                if (left < l)
                    dead[i] = 1;
            }
    printf("%u\n", h);
    /* getcontext/setcontext loop */
    volatile int n = 0;
    ucontext_t c;
    getcontext(&c);
    if (++n < 20000)
        setcontext(&c);
    EQ(n, 20000);
    return tl_end();
}
