#include "tl.h"
#include <stdexcept>
#include <string>
#include <vector>
#include <exception>

static long live, made;

struct G {
    int k;

    G(int k) : k(k)
    {
        live++;
        made++;
    }

    ~G()
    {
        live--;
    }
};

struct E : std::runtime_error {
    int v;

    E(int v) : std::runtime_error("e" + std::to_string(v)), v(v)
    {
    }
};

__attribute__((noinline)) static int
deep(int n, int v)
{
    G g(n);
    if (!n) {
        if (v % 3 == 0)
            throw E(v);
        if (v % 3 == 1)
            throw v;
        throw std::string("s");
    }
    int r = deep(n - 1, v);
    return r + g.k;
}

__attribute__((noinline)) static int
mid(int n, int v)
{
    G g(1);
    try {
        return deep(n, v);
    } catch (int x) {
        if (x & 1)
            throw;
        return x;
    } catch (const std::string &) {
        throw E(v * 2);
    }
}

static void *
thr(void *a)
{
    long t = 0;
    for (int i = 0; i < 300; i++)
        try {
            t += mid(i % 20, i);
        } catch (const E &e) {
            t += e.v;
        } catch (...) {
            t++;
        }
    *(long *)a = t;
    return 0;
}

int
main()
{
    long t = 0;
    for (int i = 0; i < 3000; i++)
        try {
            t += mid(i % 50, i);
        } catch (const E &e) {
            t += e.v + std::string(e.what()).size();
        } catch (int x) {
            t -= x;
        }
    printf("%ld made %ld live %ld\n", t, made, live);
    try {
        deep(5000, 3);
    } catch (const std::exception &e) {
        puts(e.what());
    }
    EQ(live, 0);
    std::exception_ptr p;
    try {
        throw E(42);
    } catch (...) {
        p = std::current_exception();
    }
    try {
        std::rethrow_exception(p);
    } catch (const E &e) {
        EQ(e.v, 42);
    }
    try {
        std::vector<int>().at(3);
    } catch (const std::out_of_range &) {
        puts("out_of_range");
    }
    live = 0;
    long r[2];
    pthread_t th[1];
    pthread_create(th, 0, thr, r);
    pthread_join(th[0], 0);
    thr(r + 1);
    EQ(r[0], r[1]);
    try {
        auto f = []() noexcept(false) { throw 1; };
        f();
    } catch (int) {
        puts("lambda");
    }
    return tl_end();
}
