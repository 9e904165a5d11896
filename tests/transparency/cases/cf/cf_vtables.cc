#include "tl.h"
#include <functional>
#include <memory>
#include <vector>
#include <typeinfo>

/* virtual calls, thunks, member pointers, RTTI and std::function: megamorphic call sites */
struct Shape {
    virtual ~Shape()
    {
    }

    virtual long area(long) const = 0;

    virtual Shape *self()
    {
        return this;
    }
};

struct Named {
    long pad = 5;

    virtual ~Named()
    {
    }

    virtual long name() const
    {
        return pad;
    }

    virtual Named *other()
    {
        return this;
    }
};

template <int K> struct Poly : virtual Shape, Named {
    long k = K;

    long area(long x) const override
    {
        return x * K + k;
    }

    long name() const override
    {
        return K * 1000 + pad;
    }

    Poly *self() override
    {
        return this;
    }

    Poly *other() override
    {
        return this;
    }

    long third(long x)
    {
        return x - K;
    }
};

template <int N>
static void
fill(std::vector<std::unique_ptr<Shape>> &v)
{
    v.emplace_back(new Poly<N>);
    if constexpr (N > 0)
        fill<N - 1>(v);
}

int
main()
{
    std::vector<std::unique_ptr<Shape>> v;
    fill<60>(v);
    long sum = 0, casts = 0;
    uint64_t s = 3;
    for (int i = 0; i < 300000; i++) {
        Shape *p = v[tl_rng(&s) % v.size()].get();
        sum += p->area(i & 15) + (p->self() == p);
        if (i % 16 == 0) {
            Named *n = dynamic_cast<Named *>(p);
            sum += n->name() + n->other()->name();
            casts += typeid(*p) == typeid(Poly<7>);
            if (auto q = dynamic_cast<Poly<9> *>(p))
                casts += q->third(i);
        }
    }
    printf("%ld %ld\n", sum, casts);
    long (Shape::*mp)(long) const = &Shape::area;
    long (Named::*np)() const = &Named::name;
    for (auto &p : v)
        sum += (p.get()->*mp)(3) + (dynamic_cast<Named *>(p.get())->*np)();
    std::vector<std::function<long(long)>> f;
    for (int i = 0; i < 50; i++)
        f.push_back(i & 1 ? std::function<long(long)>([i](long x) { return x * i; })
                          : [i, &v](long x) { return x + v[i]->area(x); });
    for (int i = 0; i < 100000; i++)
        sum = f[tl_rng(&s) % 50](sum & 0xffff) + i;
    printf("%ld\n", sum);
    return tl_end();
}
