#include "tl.h"

/* the alternate stack: where handlers run, what sigaltstack says meanwhile, nesting, leaving by longjmp, autodisarm */
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif
static char alt[65536], small[1024];
static sigjmp_buf jb;
static volatile int depth, deepest;

static int
on_alt(const void *p)
{
    return (char *)p >= alt && (char *)p < alt + sizeof alt;
}

static void
plain(int s, siginfo_t *si, void *v)
{
    char here;
    printf("signal %d on alt %d\n", s, on_alt(&here));
}

static void
nested(int s, siginfo_t *si, void *v)
{
    char here;
    stack_t ss;
    CHECK(on_alt(&here));
    EQ(sigaltstack(0, &ss), 0);
    EQ(ss.ss_flags, SS_ONSTACK);
    EQ(ss.ss_sp, alt);
    EQ(ss.ss_size, sizeof alt);
    EQ(sigaltstack(&(stack_t){.ss_sp = small, .ss_size = sizeof small}, 0), -1);
    EQ(errno, EPERM);
    ucontext_t *u = v;
    EQ(u->uc_stack.ss_sp, alt);
    EQ(u->uc_stack.ss_flags, 0);
    depth++;
    deepest = depth > deepest ? depth : deepest;
    if (depth < 5)
        raise(SIGUSR2);
    depth--;
}

static void
jumps(int s, siginfo_t *si, void *v)
{
    siglongjmp(jb, 1);
}

static void
disarmed(int s, siginfo_t *si, void *v)
{
    char here;
    stack_t ss;
    CHECK(on_alt(&here));
    sigaltstack(0, &ss);
    EQ(ss.ss_flags & ~SS_AUTODISARM, SS_DISABLE);
    ucontext_t *u = v;
    EQ(u->uc_stack.ss_flags & SS_AUTODISARM, SS_AUTODISARM);
}

static void *
thread(void *a)
{
    stack_t ss;
    sigaltstack(0, &ss);
    return (void *)(long)(ss.ss_flags == SS_DISABLE); /* not inherited */
}

int
main(void)
{
    stack_t ss, o;
    EQ(sigaltstack(0, &o), 0);
    EQ(o.ss_flags, SS_DISABLE);
    EQ(sigaltstack(&(stack_t){.ss_sp = small, .ss_size = 1000}, 0), -1);
    EQ(errno, ENOMEM);
    EQ(sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = sizeof alt, .ss_flags = 77}, 0), -1);
    EQ(errno, EINVAL);
    EQ(sigaltstack((void *)8, 0), -1);
    EQ(errno, EFAULT);
    tl_on(SIGUSR1, plain, SA_ONSTACK);
    raise(SIGUSR1); /* no stack set: the normal one */
    ss = (stack_t){.ss_sp = alt, .ss_size = sizeof alt};
    EQ(sigaltstack(&ss, &o), 0);
    raise(SIGUSR1);
    tl_on(SIGUSR1, plain, 0);
    raise(SIGUSR1); /* not asked for */
    tl_on(SIGUSR2, nested, SA_ONSTACK | SA_NODEFER);
    for (int i = 0; i < 20; i++)
        raise(SIGUSR2);
    EQ(deepest, 5);
    EQ(sigaltstack(0, &o), 0);
    EQ(o.ss_flags, 0);
    tl_on(SIGUSR1, jumps, SA_ONSTACK);
    for (volatile int i = 0; i < 100; i++) {
        if (!sigsetjmp(jb, 1))
            raise(SIGUSR1);
        sigaltstack(0, &o);
        EQ(o.ss_flags, 0);
        EQ(sigaltstack(&ss, 0), 0);
    }
    pthread_t t;
    void *r;
    pthread_create(&t, 0, thread, 0);
    pthread_join(t, &r);
    EQ(r, 1);
    ss.ss_flags = SS_AUTODISARM;
    EQ(sigaltstack(&ss, 0), 0);
    tl_on(SIGUSR1, disarmed, SA_ONSTACK);
    for (int i = 0; i < 3; i++)
        raise(SIGUSR1);
    sigaltstack(0, &o);
    EQ(o.ss_flags, (int)SS_AUTODISARM);
    pid_t p = fork(); /* kept by fork */
    if (!p) {
        sigaltstack(0, &o);
        _exit(o.ss_sp == alt ? 3 : 4);
    }
    int st;
    waitpid(p, &st, 0);
    EQ(WEXITSTATUS(st), 3);
    ss.ss_flags = SS_DISABLE;
    EQ(sigaltstack(&ss, 0), 0);
    sigaltstack(0, &o);
    EQ(o.ss_flags, SS_DISABLE);
    return tl_end();
}
