/* Runs a system call several times and holds what the kernel does against what
 * the table says:
 *   - bytes it changes lie in ranges that the table says are written, before and after;
 *   - bytes the table says are written do change (two fill patterns tell);
 *   - with an unmapped page right behind what is claimed, the call still works:
 *     it touches no more. With the last claimed byte on that page, it fails with
 *     EFAULT: it touches no less;
 *   - a pointer that is NULL fails the call, and not with EFAULT if it may be NULL;
 *   - register bits that the table says do not count can be anything, and so can
 *     memory that it says is not examined.
 * Each run is a child process, so that a case can do what it likes to itself. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TESTS_SYSCALLS_HARNESS_H
#define DRTOOLS_TESTS_SYSCALLS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux/syscall_abi.h"
#include "drtools/syscalls.h"

/* clang-format off */

struct run;

/* A case prepares, makes one CALL and returns its result. It is repeated, so
 * memory must be asked for in the same order and sizes each time. */
typedef long case_fn(struct run *r);
struct test_case {
    const char *name;
    case_fn *fn;
    struct test_case *next;
};
void register_case(struct test_case *c);

#define CASE(id)                                                                                             \
    static long case_##id(struct run *r);                                                                    \
    __attribute__((constructor)) static void enlist_##id(void)                                               \
    {                                                                                                        \
        static struct test_case c = {#id, case_##id, NULL};                                                  \
        register_case(&c);                                                                                   \
    }                                                                                                        \
    static long case_##id(struct run *r)

/* Memory for the call. Its place is the harness' business. */
uint64_t out(struct run *r, size_t n);                       /* filled with the run's pattern                       */
uint64_t in(struct run *r, const void *data, size_t n);      /* with contents                                       */
uint64_t text(struct run *r, const char *s);

/* The same, for memory where a call stops short of EFAULT if it cannot get at
 * the last byte: a partial read, an answer that is smaller than the room. */
uint64_t room(struct run *r, size_t n);
uint64_t loose(struct run *r, const void *data, size_t n);
void aligned(struct run *r, size_t a);                       /* the memory asked for last must stay aligned to a    */

void expect(struct run *r, long result);                     /* instead of success: -errno                          */
void partial(struct run *r);                                 /* the table says it does not know all of this call    */
void null_free(struct run *r);                               /* leave out the runs with NULL pointers: other checks come first */
void holes(struct run *r);                                   /* claimed bytes may stay as they are: padding of records */
void skip(struct run *r, const char *why) __attribute__((noreturn));

long call(struct run *r, unsigned nr, const uint64_t arg[6]);
#define CALL(name, ...) call(r, __NR_##name, (const uint64_t[6]){__VA_ARGS__})
#define PTR(addr)       ((void *)(uintptr_t)(addr))

/* For what outlives a process: called when the run ends, however it does. */
void undo(struct run *r, void (*fn)(int arg), int arg);

/* Things many cases need; failures end the run with a message. */
int scratch_file(const char *contents);                      /* in the scratch directory, unlinked                  */
const char *scratch_dir(void);                               /* the current directory of every run                  */
void must(bool ok, const char *what);

int run_cases(int argc, char **argv);
/* clang-format on */

#endif
