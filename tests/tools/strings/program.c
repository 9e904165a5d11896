/* Calls of libc's string functions that a checker must see, in every way that they can be called. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <signal.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <wchar.h>

/* A string of 16 characters that runs on into the redzone. */
struct { char text[16]; } before_ __attribute__((used));
char area[4096] __attribute__((aligned(64)));
char redzone[64] __attribute__((aligned(64)));
char undefined[64] __attribute__((aligned(64)));
static char other[256] __attribute__((aligned(64)));
static sigjmp_buf back;
static volatile size_t n;
static void *volatile sink;
#define USE(x) (sink = (void *)(size_t)(x))

static void on_fault(int sig) { siglongjmp(back, sig); }

static void
reads(void)
{
    memset(other, 0, sizeof other);
    USE(strlen(redzone + 63 - 0 * n));           /* the redzone's last byte is its terminator */
    USE(strnlen(redzone, 8 + n));
    USE(memchr(redzone, 'q', 4 + n));
    USE(memcmp(redzone, other, 3 + n));
    USE(strcmp(redzone + 62, "x"));
    USE(strncmp(redzone, other, 1 + n));
    USE(strchr(redzone + 60, 'y'));
    USE(strrchr(redzone + 61, 'y'));
    USE(strspn(other, redzone + 63));
    USE(strstr(redzone + 61, "zz"));
    USE(wcslen((wchar_t *)(redzone + 60)));
}

static void
writes(void)
{
    memcpy(redzone, other, 20 + n);
    memset(redzone + 8, 0, 4 + n);
    strcpy(redzone + 9, "abc");
    strncpy(redzone + 3, "ab", 5 + n);
    stpcpy(redzone, "a");
    strcat(redzone + 60, "");
    memset(redzone, 'x', 63);
    redzone[63] = 0;
    redzone[62] = redzone[61] = redzone[60] = 0;
}

/* By pointer, by dlsym's like, through the GOT; twice each. */
static void
overlaps(void)
{
    void *(*volatile pointer)(void *, const void *, size_t) = memcpy;

    memcpy(area, area + 20, 40 + n);
    memmove(area, area + 20, 40 + n);
    memcpy(area, area + 40, 40 + n);
    memcpy(area, area, 40 + n);
    pointer(area, area + 20, 40);                /* nobody can tell */
    mempcpy(area + 4, area, 8 + n);
    strcpy(area, "abcdefgh");
    strcpy(area + 2, area);
}

static void
values(void)
{
    memset(undefined, 'a', 0 + n);
    USE(strlen(undefined));
    USE(memcmp(undefined, other, 8 + n));
    memcpy(other, undefined, 8 + n);             /* a copy decides nothing */
    USE(memcmp(other, "12345678", 8 + n));
}

static void
faults(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mprotect(page + 4096, 4096, PROT_NONE);
    memset(page, 'x', 4096);
    for (volatile int i = 0; i < 4; i++)
        if (sigsetjmp(back, 1) == 0) {
            switch (i) {
            case 0: USE(strlen(page + 4000)); break;
            case 1: memcpy(page + 4000, other, 200 + n); break;
            case 2: USE(strcmp(NULL + n, "x")); break;
            case 3: memset((void *)(0x4141414141414141 + n), 0, 8 + n); break;
            }
            puts("no fault");
        }
}

int
main(int argc, char **argv)
{
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    memset(area, 'q', sizeof area);
    (void)argv;
    if (argc > 1)
        return 0;
    writes();
    reads();
    overlaps();
    values();
    faults();
    puts("done");
    return 0;
}
