//! build: gcc -O1 -w -shared -fPIC -DLIB -I$INC $SRC -o $B/libifg.so && gcc -O1 -w -I$INC $SRC -o $OUT $B/libifg.so -Wl,-z,lazy -Wl,-rpath,$B -ldl
#include "tl.h"
#ifdef LIB
static int
impl_a(int x)
{
    return x + 1;
}

static int
impl_b(int x)
{
    return x + 2;
}

static void *
res(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse2") ? impl_b : impl_a;
}

int ifn(int) __attribute__((ifunc("res")));
int libv = 5;

int
lf(int x)
{
    return x * libv;
}

__thread int ltls = 9;

int *
lt(void)
{
    return &ltls;
}

int
viaplt(int x)
{
    return lf(x) + ifn(x);
}

__attribute__((constructor)) static void
ctor(void)
{
    libv = 6;
}

__attribute__((destructor)) static void
dtor(void)
{
    write(1, "lib fini\n", 9);
}
#else
int ifn(int), lf(int), viaplt(int), *lt(void);
extern int libv;

static int
mya(int x)
{
    return x * 7;
}

static void *
myres(void)
{
    return mya;
}

static int mine(int) __attribute__((ifunc("myres")));

int
main(void)
{
    long t = 0;
    for (int i = 0; i < 100000; i++)
        t += ifn(i) + lf(i) + viaplt(i) + mine(i);
    printf("%ld %d %d\n", t, libv, *lt());
    int (*f)(int) = dlsym(RTLD_DEFAULT, "ifn");
    EQ(f(3), 5);
    CHECK(f == ifn);
    Dl_info d;
    CHECK(dladdr(lf, &d) && !strcmp(d.dli_sname, "lf"));
    size_t (*sl)(const char *) = dlsym(RTLD_NEXT, "strlen");
    EQ(sl("four"), 4);
    char b[200];
    memset(b, 'x', 199);
    b[199] = 0;
    EQ(strlen(b), 199);
    CHECK(!memcmp(b, b + 1, 100));
    CHECK(strchr(b, 0) == b + 199);
    return tl_end();
}
#endif
