// Exceptions through several frames; what follows a catch is in the catcher's context.
// SPDX-License-Identifier: BSD-3-Clause
#define NOINLINE __attribute__((noinline, noclone))

volatile int sink;
NOINLINE void leaf() { sink = sink + 1; }

struct guard {
    NOINLINE ~guard() { leaf(); }
};

NOINLINE void thrower(int depth)
{
    guard g;

    if (depth)
        thrower(depth - 1);
    else
        throw 7;
    sink = sink + 1;
}

NOINLINE void after_catch() { leaf(); }

NOINLINE void catcher(int i)
{
    try {
        thrower(i % 4);
    } catch (int) {
        after_catch();
    }
}

int
main()
{
    for (int i = 0; i < 100; i++)
        catcher(i);
    leaf();
    return 0;
}
