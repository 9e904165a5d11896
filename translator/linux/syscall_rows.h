/* How a row of the system-call table is written: one word per argument. Only
 * the syscall_*.c files include this; its short names are theirs alone.
 *
 *     ROW(pread64, BLOCKS | RESTARTS, FD("fd"), OUT_RESULT("buf", 2, 1), LONG("count"), LONG("pos")),
 *
 * An argument's name may be followed by OPTIONAL, MAYBE, IF(…), WROTE(…). */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SYSCALL_ROWS_H
#define DRTOOLS_TRANSLATOR_SYSCALL_ROWS_H

#include "drtools/syscalls.h"

/* syscall_arg.access, bits */
enum { ACCESS_IN = 1, ACCESS_OUT = 2 };

/* syscall_arg.how: the extent of the memory behind a pointer. `n` is argument
 * count_arg, read with that argument's own width. */
enum {
    HOW_NONE,       /* not accessed                                                  */
    HOW_FIXED,      /* `size` bytes                                                  */
    HOW_COUNT,      /* n × size                                                      */
    HOW_RESULT,     /* n × size before the call; min(result, n) × size after it      */
    HOW_FITS,       /* the same, but nothing is written if result > n                */
    HOW_LENGTH,     /* n points to an int: the room before, the length after the call */
    HOW_STRING,     /* to the NUL, at most `size` bytes                              */
    HOW_STRINGS,    /* array of pointers to strings, ended by NULL                   */
    HOW_LAYOUT,     /* a struct of which only some fields count                      */
    HOW_IOVEC,      /* n iovecs; `access` says what happens to the buffers           */
    HOW_IOVEC_ONLY, /* n iovecs, buffers not accessed                                */
    HOW_WALK,       /* a function knows                                              */
};

/* syscall_arg.if_how: when the argument is examined at all */
enum {
    IF_ALWAYS,
    IF_ANY,         /* argument if_arg has any bit of if_mask   */
    IF_NONE,        /* … has none of them                       */
    IF_NONZERO,     /* argument if_arg, all 64 bits, is not 0   */
};

/* syscall_arg.wrote: which results mean that an out-range was written */
enum {
    WROTE_OK,            /* any success                              */
    WROTE_POSITIVE,      /* result > 0                               */
    WROTE_INTERRUPTED,   /* -EINTR                                   */
    WROTE_ALWAYS,        /* errors too                               */
    WROTE_NEVER,         /* the call itself does not, something later may */
};

/* A field of a struct, examined if the struct's flag word has any bit of
 * if_mask and none of if_not (both 0: always). */
struct syscall_field {
    const char *name;
    uint16_t offset, size;
    uint32_t if_mask, if_not;
};

/* Fields in ascending order. Read: gaps, and fields whose condition is false,
 * are fetched but not examined. Written: gaps stay as they are. */
struct syscall_layout {
    uint16_t size;
    uint16_t flags_at;           /* offset of the 32-bit flag word the conditions test */
    uint16_t nfields;
    const struct syscall_field *field;
};

#define COUNT(...) (sizeof((const struct syscall_arg[]){__VA_ARGS__}) / sizeof(struct syscall_arg))
#define ARGS(...)  .nargs = COUNT(__VA_ARGS__), .arg = (const struct syscall_arg[]){__VA_ARGS__}

#define ROW(call, f, ...)      [__NR_##call] = {.name = #call, .flags = f, ARGS(__VA_ARGS__)}
#define MUX(call, v, f, ...)   [__NR_##call] = {.name = #call, .flags = f, .variants = &v, ARGS(__VA_ARGS__)}
#define GONE(call)             [__NR_##call] = {.name = #call, .flags = SYSCALL_OBSOLETE}

#define ARG(k, b, n, ...) {.name = n, .kind = SYSCALL_ARG_##k, .bits = b, __VA_ARGS__}

/* Plain values, by how many bits of the register count. */
#define INT(n, ...)    ARG(VALUE, 32, n, __VA_ARGS__)
#define LONG(n, ...)   ARG(VALUE, 64, n, __VA_ARGS__)
#define MODE(n, ...)   ARG(VALUE, 16, n, __VA_ARGS__)      /* umode_t is a short              */
#define BYTE(n, ...)   ARG(VALUE, 8, n, __VA_ARGS__)
#define UNUSED(n)      ARG(VALUE, 0, n, )                  /* in the signature, never looked at */
#define FLAGS(n, ...)  ARG(FLAGS, 32, n, __VA_ARGS__)
#define LFLAGS(n, ...) ARG(FLAGS, 64, n, __VA_ARGS__)
#define COMMAND(n)     ARG(COMMAND, 32, n, )
#define LCOMMAND(n)    ARG(COMMAND, 64, n, )
#define FD(n, ...)     ARG(FD, 32, n, __VA_ARGS__)
#define PID(n, ...)    ARG(PID, 32, n, __VA_ARGS__)
#define SIG(n, ...)    ARG(SIGNAL, 32, n, __VA_ARGS__)
#define ADDR(n, ...)   ARG(ADDRESS, 64, n, __VA_ARGS__)

/* Strings. */
#define PATH(n, ...)     ARG(PATH, 64, n, .access = ACCESS_IN, .how = HOW_STRING, .size = 4096 /* PATH_MAX */, __VA_ARGS__)
#define STR(n, max, ...) ARG(STRING, 64, n, .access = ACCESS_IN, .how = HOW_STRING, .size = max, __VA_ARGS__)
#define STRINGS(n, ...)  ARG(POINTER, 64, n, .access = ACCESS_IN, .how = HOW_STRINGS, __VA_ARGS__)

/* Pointers: IN is read, OUT is written, INOUT is both. `k` is the argument that counts, from 0. */
#define POINTER(n, a, h, ...)     ARG(POINTER, 64, n, .access = a, .how = h, __VA_ARGS__)
#define IN(n, bytes, ...)         POINTER(n, ACCESS_IN, HOW_FIXED, .size = bytes, __VA_ARGS__)
#define OUT(n, bytes, ...)        POINTER(n, ACCESS_OUT, HOW_FIXED, .size = bytes, __VA_ARGS__)
#define INOUT(n, bytes, ...)      POINTER(n, ACCESS_IN | ACCESS_OUT, HOW_FIXED, .size = bytes, __VA_ARGS__)
#define IN_COUNT(n, k, each, ...)    POINTER(n, ACCESS_IN, HOW_COUNT, .count_arg = k, .size = each, __VA_ARGS__)
#define OUT_COUNT(n, k, each, ...)   POINTER(n, ACCESS_OUT, HOW_COUNT, .count_arg = k, .size = each, __VA_ARGS__)
#define INOUT_COUNT(n, k, each, ...) POINTER(n, ACCESS_IN | ACCESS_OUT, HOW_COUNT, .count_arg = k, .size = each, __VA_ARGS__)
#define OUT_RESULT(n, k, each, ...)  POINTER(n, ACCESS_OUT, HOW_RESULT, .count_arg = k, .size = each, __VA_ARGS__)
#define OUT_FITS(n, k, each, ...)    POINTER(n, ACCESS_OUT, HOW_FITS, .count_arg = k, .size = each, __VA_ARGS__)
#define OUT_LENGTH(n, k, ...)     POINTER(n, ACCESS_OUT, HOW_LENGTH, .count_arg = k, .size = 1, __VA_ARGS__)
#define IN_FIELDS(n, l, ...)      POINTER(n, ACCESS_IN, HOW_LAYOUT, .layout = &l, __VA_ARGS__)
#define OUT_FIELDS(n, l, ...)     POINTER(n, ACCESS_OUT, HOW_LAYOUT, .layout = &l, __VA_ARGS__)
#define IN_IOV(n, k, ...)         POINTER(n, ACCESS_IN, HOW_IOVEC, .count_arg = k, __VA_ARGS__)
#define OUT_IOV(n, k, ...)        POINTER(n, ACCESS_OUT, HOW_IOVEC, .count_arg = k, __VA_ARGS__)
#define IOV_ONLY(n, k, ...)       POINTER(n, ACCESS_IN, HOW_IOVEC_ONLY, .count_arg = k, __VA_ARGS__)
#define IN_WALK(n, f, ...)        POINTER(n, ACCESS_IN, HOW_WALK, .walk = f, __VA_ARGS__)
#define OUT_WALK(n, f, ...)       POINTER(n, ACCESS_OUT, HOW_WALK, .walk = f, __VA_ARGS__)
#define INOUT_WALK(n, f, ...)     POINTER(n, ACCESS_IN | ACCESS_OUT, HOW_WALK, .walk = f, __VA_ARGS__)

/* What may follow an argument's name. */
#define OPTIONAL      .optional = 1                /* NULL is allowed: then nothing is accessed   */
#define MAYBE         .maybe = 1                   /* the kernel may touch less than stated; of INOUT, only the writing */
#define WROTE(when)   .wrote = WROTE_##when
#define IF(k, mask)     .if_how = IF_ANY, .if_arg = k, .if_mask = (uint32_t)(mask)
#define UNLESS(k, mask) .if_how = IF_NONE, .if_arg = k, .if_mask = (uint32_t)(mask)
#define IF_SET(k)       .if_how = IF_NONZERO, .if_arg = k

/* Layouts. */
#define FIELD_IF(t, m, mask, not) {#m, offsetof(t, m), sizeof(((t *)0)->m), mask, not}
#define FIELD(t, m)               FIELD_IF(t, m, 0, 0)
#define FIELDS(...)                                                                                          \
    .nfields = sizeof((const struct syscall_field[]){__VA_ARGS__}) / sizeof(struct syscall_field),            \
    .field = (const struct syscall_field[]){__VA_ARGS__}
#define LAYOUT(t, ...)             {.size = sizeof(t), FIELDS(__VA_ARGS__)}
#define LAYOUT_IF(t, flagword, ...) {.size = sizeof(t), .flags_at = offsetof(t, flagword), FIELDS(__VA_ARGS__)}

/* Multiplexers. A variant's arguments stand in place of the row's from `first` on. */
struct syscall_variant {
    uint32_t key;
    uint32_t flags;              /* in place of the row's, and a subset of them */
    const char *name;
    uint8_t nargs;
    const struct syscall_arg *arg;
};

struct syscall_variants {
    uint32_t (*key)(const uint64_t *arg);     /* from the call's arguments to syscall_variant.key */
    uint8_t first;
    uint16_t n;
    const struct syscall_variant *row;
    const struct syscall_variant *other;      /* for keys that have no row; NULL: examined registers unknown */
};

#define VARIANT_AS(k, string, f, ...) {.key = k, .name = string, .flags = f, ARGS(__VA_ARGS__)}
#define VARIANT(k, f, ...)            VARIANT_AS(k, #k, f, __VA_ARGS__)
#define VARIANT_NR(nr, nm, f, ...)    VARIANT_AS(nr, #nm, f, __VA_ARGS__)    /* no header, or not every one, has it */
#define VARIANTS(keyfn, from, rows, ...)                                                                     \
    {.key = keyfn, .first = from, .n = sizeof(rows) / sizeof((rows)[0]), .row = rows, __VA_ARGS__}

/* Short names for flags. */
#define BLOCKS    SYSCALL_BLOCKS
#define NORETURN  SYSCALL_NORETURN
#define MAPS      SYSCALL_MAPS
#define FDS       SYSCALL_FDS
#define NEWFD     (SYSCALL_NEWFD | SYSCALL_FDS)
#define SIGNALS   SYSCALL_SIGNALS
#define SIGSET    SYSCALL_SIGSET
#define RAISES    SYSCALL_RAISES
#define SPAWNS    SYSCALL_SPAWNS
#define EXEC      SYSCALL_EXEC
#define FARMEM    SYSCALL_FARMEM
#define CREDS     SYSCALL_CREDS
#define RESTARTS  SYSCALL_RESTART_SA       /* SA_RESTART decides          */
#define NOHAND    SYSCALL_RESTART_NOHAND   /* EINTR once a handler ran    */
#define RESUMES   SYSCALL_RESTART_BLOCK    /* by restart_syscall          */
#define INVISIBLE SYSCALL_RESTART_ALWAYS   /* never EINTR                 */

#endif
