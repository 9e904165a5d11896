/* Unit tests: TEST registers a function whose name is the claim it proves; an
 * EXPECT that fails says where and lets the test go on. Each test program
 * defines UNIT_MAIN in one of its files. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TESTS_UNIT_H
#define DRTOOLS_TESTS_UNIT_H

#include <stdbool.h>
#include <stdio.h>

struct unit_test {
    const char *name;
    void (*run)(void);
    struct unit_test *next;
};

extern struct unit_test *unit_tests;
extern int unit_failures;

#define TEST(group, claim)                                                               \
    static void test_##group##_##claim(void);                                            \
    __attribute__((constructor)) static void register_##group##_##claim(void)            \
    {                                                                                    \
        static struct unit_test t = {#group "." #claim, test_##group##_##claim, NULL};   \
        t.next = unit_tests;                                                             \
        unit_tests = &t;                                                                 \
    }                                                                                    \
    static void test_##group##_##claim(void)

/* `what` names the case, `got` and `want` are numbers. */
#define EXPECT_EQUAL(what, got, want) unit_expect(__FILE__, __LINE__, what, #got, (long long)(got), (long long)(want))

static inline void
unit_expect(const char *file, int line, const char *what, const char *expression, long long got, long long want)
{
    if (got != want) {
        unit_failures++;
        fprintf(stderr, "%s:%d: %s: %s is %#llx, not %#llx\n", file, line, what, expression, got, want);
    }
}

#define UNIT_MAIN                                                                        \
    struct unit_test *unit_tests;                                                        \
    int unit_failures;                                                                   \
    int main(void)                                                                       \
    {                                                                                    \
        for (struct unit_test *t = unit_tests; t; t = t->next) {                         \
            int before = unit_failures;                                                  \
            t->run();                                                                    \
            printf("%s %s\n", unit_failures == before ? "ok  " : "FAIL", t->name);       \
        }                                                                                \
        return unit_failures != 0;                                                       \
    }

#endif
