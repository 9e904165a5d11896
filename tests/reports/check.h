/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the reports' library: a test is a function, a failure says where and goes on. */
#ifndef DRTOOLS_TESTS_REPORTS_CHECK_H
#define DRTOOLS_TESTS_REPORTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

extern struct test *tests;
extern int failures;

#define TEST(group, claim)                                                        \
    static void test_##group##_##claim(void);                                     \
    __attribute__((constructor)) static void register_##group##_##claim(void)     \
    {                                                                             \
        static struct test t = {#group "." #claim, test_##group##_##claim, NULL}; \
        t.next = tests;                                                           \
        tests = &t;                                                               \
    }                                                                             \
    static void test_##group##_##claim(void)

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            failures++;                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                   \
    } while (0)

#define CHECK_TEXT(got, want)                                                                             \
    do {                                                                                                  \
        const char *got_ = (got), *want_ = (want);                                                        \
        if (!got_ || strcmp(got_, want_) != 0) {                                                          \
            failures++;                                                                                   \
            fprintf(stderr, "%s:%d: got:\n%s\nwanted:\n%s\n", __FILE__, __LINE__, got_ ? got_ : "(null)", \
                    want_);                                                                               \
        }                                                                                                 \
    } while (0)

#define CHECK_NUMBER(got, want)                                                                      \
    do {                                                                                             \
        long long got_ = (long long)(got), want_ = (long long)(want);                                \
        if (got_ != want_) {                                                                         \
            failures++;                                                                              \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_, want_); \
        }                                                                                            \
    } while (0)

#endif
