// Calls of every kind that compilers make: recursion, tail calls, variable frames, aligned frames,
// exceptions through several frames, virtual and indirect calls, callbacks from libc, lazy binding.
// SPDX-License-Identifier: BSD-3-Clause
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <string>
#include <map>
#include <vector>
#include <stdexcept>

#define NOINLINE __attribute__((noinline))

static volatile unsigned sink;

NOINLINE static unsigned
variable_frame(unsigned n, unsigned (*f)(unsigned))
{
    char *p = (char *)alloca(n * 16 + 1);

    memset(p, (int)n, n * 16 + 1);
    sink += (unsigned char)p[n];
    return n ? variable_frame(n - 1, f) + f(n) : f(0);
}

NOINLINE static unsigned
aligned_frame(unsigned n)
{
    alignas(64) unsigned char buffer[128];

    memset(buffer, (int)n, sizeof buffer);
    sink += buffer[sink % 128];
    return n ? aligned_frame(n - 1) + buffer[3] : 1;
}

/* Both at once: the CFA is found through a word of the frame. */
NOINLINE static unsigned
aligned_variable_frame(unsigned n)
{
    alignas(64) unsigned char buffer[64];
    unsigned char *p = (unsigned char *)alloca(n % 7 * 32 + 8);

    memset(buffer, (int)n, sizeof buffer);
    p[0] = buffer[sink % 64];
    sink += p[0];
    return n ? aligned_variable_frame(n - 1) + p[0] : aligned_frame(2);
}

NOINLINE static unsigned leaf(unsigned n) { return n * 3 + sink; }

struct base { virtual unsigned go(unsigned n) = 0; virtual ~base() {} };
struct first : base { unsigned go(unsigned n) override; };
struct second : base { unsigned go(unsigned n) override { return n < 2 ? n : first().go(n - 1) + 1; } };
unsigned first::go(unsigned n) { second s; return n < 2 ? n : s.go(n - 1) + leaf(n); }

struct guard { std::string &log; ~guard() { log += 'g'; } };

NOINLINE static unsigned
thrower(unsigned n, std::string &log)
{
    guard g{log};

    if (!n)
        throw std::runtime_error("bottom");
    return thrower(n - 1, log) + 1;
}

NOINLINE static unsigned
catcher(unsigned n)
{
    std::string log;

    try {
        return thrower(n, log);
    } catch (const std::exception &e) {
        return (unsigned)(log.size() + strlen(e.what()));
    }
}

static int compare(const void *a, const void *b) { return (int)leaf(*(const unsigned *)a) - (int)leaf(*(const unsigned *)b); }

static jmp_buf back;
NOINLINE static void jumper(unsigned n)
{
    if (!n)
        longjmp(back, 1);
    jumper(n - 1);
    sink++;
}

int
main()
{
    std::map<std::string, std::vector<unsigned>> m;
    unsigned numbers[50], sum = 0;
    first f;

    for (unsigned i = 0; i < 50; i++)
        numbers[i] = i * 7919 % 50;
    qsort(numbers, 50, sizeof *numbers, compare);
    sum += variable_frame(12, leaf) + aligned_frame(9) + aligned_variable_frame(11) + f.go(15) + catcher(7);
    if (!setjmp(back))
        jumper(9);
    for (unsigned i = 0; i < 30; i++)
        m[std::to_string(i % 7)].push_back(i);
    for (auto &e : m)
        sum += (unsigned)e.second.size() + (unsigned)e.first.size();
    char text[64];
    snprintf(text, sizeof text, "%s %d %.3f", "text", 42, 3.25);
    printf("%s %u\n", text, sum % 2 < 2);
    return 0;
}
