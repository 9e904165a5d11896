#include "tl.h"

static void
say(const char *s)
{
    write(1, s, strlen(s));
}

struct A {
    const char *n;

    A(const char *n) : n(n)
    {
        say("ctor ");
        say(n);
        say("\n");
    }

    ~A()
    {
        say("dtor ");
        say(n);
        say("\n");
    }
};

static A a("a"), b("b");

static void
pre(int c, char **v, char **e)
{
    say("preinit\n");
}

__attribute__((section(".preinit_array"), used)) static void (*pi)(int, char **, char **) = pre;

__attribute__((constructor(101))) static void
c1()
{
    say("c101\n");
}

__attribute__((constructor(200))) static void
c2()
{
    say("c200\n");
}

__attribute__((destructor)) static void
d1()
{
    say("destructor\n");
}

static thread_local A *t = nullptr;

struct T {
    ~T()
    {
        say("tls dtor\n");
    }
};

static void *
f(void *)
{
    static thread_local T x;
    (void)&x;
    say("thread\n");
    return 0;
}

int
main()
{
    static A l("local static");
    pthread_t th;
    pthread_create(&th, 0, f, 0);
    pthread_join(th, 0);
    atexit([] { say("atexit\n"); });
    say("main\n");
    return tl_end();
}
