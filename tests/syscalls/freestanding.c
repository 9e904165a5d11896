/* The table links and runs with no libc at all, only with what compilers may
 * call from freestanding code. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/unistd_64.h>

#include "drtools/syscalls.h"

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void start(void);

void *
memset(void *to, int c, size_t n)
{
    volatile char *t = to;

    while (n--)
        *t++ = (char)c;
    return to;
}

void *
memcpy(void *to, const void *from, size_t n)
{
    volatile char *t = to;

    for (const char *f = from; n--;)
        *t++ = *f++;
    return to;
}

static bool
read_own(void *dst, uint64_t addr, size_t n, void *cookie)
{
    (void)cookie;
    memcpy(dst, (const void *)(uintptr_t)addr, n);
    return true;
}

static bool
add_size(const struct syscall_range *r, void *sum)
{
    *(uint64_t *)sum += r->size;
    return true;
}

static int
works(void)
{
    struct {
        const char *base;
        uint64_t len;
    } iov[2] = {{"abc", 3}, {"defg", 4}};
    struct syscall_args a = {
        .nr = __NR_writev, .arg = {1, (uint64_t)(uintptr_t)iov, 2}, .safe_read = read_own};
    uint64_t sum = 0;

    return syscall_memory_pre(&a, add_size, &sum) && sum == sizeof iov + 7 && syscall_info(__NR_read);
}

void
start(void)
{
    long ignored;

    __asm__ volatile("syscall"
                     : "=a"(ignored)
                     : "a"((long)__NR_exit_group), "D"((long)!works())
                     : "rcx", "r11", "memory");
    __builtin_unreachable();
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall start\n");
