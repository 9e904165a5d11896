//! build: for i in 1 2 3; do echo "int v=$i; int f(int x){return x*$((i*10))+v;} int g(int x){int s=0;for(int i=0;i<x;i++)s+=f(i);return s;}" > $B/l$i.c; gcc -O0 -shared -fPIC $B/l$i.c -o $B/l$i.so; done; gcc -O1 -w -I$INC $SRC -o $OUT -ldl
#include "tl.h"

int
main(void)
{
    int same = 0;
    void *last = 0;
    for (int i = 0; i < 150; i++) {
        int k = 1 + i % 3;
        char p[4096];
        sprintf(p, "%s/l%d.so", getenv("B"), k);
        void *h = dlopen(p, i & 1 ? RTLD_NOW : RTLD_LAZY);
        NEED(h);
        int (*g)(int) = dlsym(h, "g"), (*f)(int) = dlsym(h, "f");
        if (f == last)
            same++;
        last = f;
        EQ(f(7), 70 * k + k);
        EQ(g(10), 450 * k + 10 * k);
        dlclose(h);
        if (tl_bad)
            break;
    }
    CHECK(same >= 0);
    return tl_end();
}
