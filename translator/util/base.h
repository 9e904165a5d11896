/* What every engine file needs: address types, checks, small helpers.
 * The engine has no libc; what is declared here is all there is. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_BASE_H
#define DRTOOLS_TRANSLATOR_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address in the program's own memory, and one in our translated copy.
 * Types keep what must never mix apart. */
typedef struct { uintptr_t v; } app_addr;
typedef struct { uint8_t *p; } cache_pc;

static inline app_addr app(uintptr_t v) { return (app_addr){v}; }
static inline app_addr app_plus(app_addr a, intptr_t n) { return (app_addr){a.v + (uintptr_t)n}; }

enum { PAGE_SIZE = 4096 };
#define PAGE_DOWN(x) ((uintptr_t)(x) & ~(uintptr_t)(PAGE_SIZE - 1))
#define PAGE_UP(x)   PAGE_DOWN((uintptr_t)(x) + PAGE_SIZE - 1)

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NOINLINE    __attribute__((noinline))
#define NORETURN    __attribute__((noreturn))

static inline uintptr_t align_up(uintptr_t x, uintptr_t a) { return (x + a - 1) & ~(a - 1); }
static inline uintptr_t align_down(uintptr_t x, uintptr_t a) { return x & ~(a - 1); }
static inline bool fits_i32(int64_t x) { return x == (int32_t)x; }
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Ticks of the time-stamp counter. */
static inline uint64_t
clock_ticks(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

/* Invariants. A CHECK that fails prints what, where and what the thread was
 * doing by raw system calls and ends the process with status 125. */
void check_failed(const char *file, int line, const char *what) NORETURN;
#define CHECK(c, what) (LIKELY(c) ? (void)0 : check_failed(__FILE__, __LINE__, what))
#ifdef DRTOOLS_DCHECK
#define DCHECK(c, what) CHECK(c, what)
#else
#define DCHECK(c, what) ((void)0)
#endif

/* util/string.c: what the compiler may call, and a few more. */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
#define memcpy(d, s, n) __builtin_memcpy(d, s, n)    /* constant sizes become moves */
#define memset(d, c, n) __builtin_memset(d, c, n)
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
const char *path_base(const char *path);                 /* after the last '/'       */
bool str_starts(const char *s, const char *prefix);
bool parse_u64(const char *s, uint64_t *out);            /* decimal or 0x…; whole    */

/* util/print.c: formatting without allocation. Knows %s %d %u %x %lx %ld %lu %llu %p %c %%, widths and 0-padding. */
size_t format_v(char *buf, size_t size, const char *fmt, va_list ap);
size_t format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
extern volatile int console_fd;     /* where print_err writes: 2, or a copy once the program has closed that */
void print_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
