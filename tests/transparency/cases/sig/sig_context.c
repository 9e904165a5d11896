#include "tl.h"

/* contexts and handlers: swapcontext out of a handler and back, setcontext to a frame the handler saved */
static ucontext_t main_ctx, side_ctx, saved;
static char stack[65536];
static volatile int n, in_side, resumed;

static void
side(void)
{
    for (;;) {
        in_side++;
        swapcontext(&side_ctx, &main_ctx);
    }
}

static void
out_and_back(int s, siginfo_t *si, void *v)
{
    swapcontext(&main_ctx, &side_ctx);
    n++;
}

static void
keep(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    EQ(u->uc_link, 0);
    memcpy(&saved, u, offsetof(ucontext_t, __ssp));
    n++;
}

/* preemptive threads: the handler switches to the other one, in the middle of its computation */
static ucontext_t co[3];
static char costack[3][65536];
static volatile int cur, done[3], switches;
static volatile uint64_t result[3];

static void
preempt(int s, siginfo_t *si, void *v)
{
    int old = cur, next = cur;
    do
        next = (next + 1) % 3;
    while (done[next] && next != old);
    if (next == old)
        return;
    switches++;
    cur = next;
    swapcontext(&co[old], &co[next]);
}

static void
compute(int id)
{
    uint64_t s = id + 1, h = FNV0;
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &m, 0);
    for (int i = 0; i < 400000; i++)
        h = h * 31 + (tl_rng(&s) >> 7);
    result[id] = h;
    sigprocmask(SIG_BLOCK, &m, 0);
    done[id] = 1;
    for (int i = 0; i < 3; i++)
        if (!done[i]) {
            cur = i;
            setcontext(&co[i]);
        }
    setcontext(&main_ctx);
}

int
main(void)
{
    getcontext(&side_ctx);
    side_ctx.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    makecontext(&side_ctx, side, 0);
    tl_on(SIGUSR1, out_and_back, 0);
    for (int i = 0; i < 500; i++)
        raise(SIGUSR1);
    EQ(n, 500);
    EQ(in_side, 500);
    tl_on(SIGUSR2, keep, 0);
    n = 0;
    volatile int again = 0;
    getcontext(&main_ctx);
    resumed++;
    if (resumed < 50)
        setcontext(&main_ctx);
    EQ(resumed, 50);
    for (int i = 0; i < 3; i++) {
        getcontext(&co[i]);
        sigaddset(&co[i].uc_sigmask, SIGALRM); /* swapcontext unblocks before it has switched */
        co[i].uc_stack = (stack_t){.ss_sp = costack[i], .ss_size = sizeof costack[i]};
        makecontext(&co[i], (void (*)(void))compute, 1, i);
    }
    tl_on(SIGALRM, preempt, SA_RESTART);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 300}, {0, 300}}, 0);
    swapcontext(&main_ctx, &co[0]);
    setitimer(ITIMER_REAL, &(struct itimerval){{0}}, 0);
    for (int i = 0; i < 3; i++)
        printf("%llx ", (unsigned long long)result[i]);
    puts("");
    return tl_end();
}
