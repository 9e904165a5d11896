/* Raw system calls. Each returns the kernel's own value: -errno on failure.
 * Threads: any; nothing here touches engine or program state. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SYS_H
#define DRTOOLS_TRANSLATOR_SYS_H

#include <asm/unistd_64.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline long
sys6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return r;
}
static inline long sys4(long nr, long a, long b, long c, long d) { return sys6(nr, a, b, c, d, 0, 0); }
static inline long
sys3(long nr, long a, long b, long c)
{
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
}
static inline long sys2(long nr, long a, long b) { return sys3(nr, a, b, 0); }
static inline long sys1(long nr, long a) { return sys3(nr, a, 0, 0); }
static inline long sys0(long nr) { return sys3(nr, 0, 0, 0); }

static inline bool sys_failed(long r) { return (unsigned long)r > -4096UL; }

static inline long sys_write(int fd, const void *p, size_t n) { return sys3(__NR_write, fd, (long)p, (long)n); }
static inline long sys_read(int fd, void *p, size_t n) { return sys3(__NR_read, fd, (long)p, (long)n); }
static inline long sys_pread(int fd, void *p, size_t n, long off) { return sys4(__NR_pread64, fd, (long)p, (long)n, off); }
static inline long sys_openat(int dir, const char *path, int flags, int mode) { return sys4(__NR_openat, dir, (long)path, flags, mode); }
static inline long sys_close(int fd) { return sys1(__NR_close, fd); }
static inline long
sys_mmap(void *at, size_t n, int prot, int flags, int fd, long off)
{
    return sys6(__NR_mmap, (long)at, (long)n, prot, flags, fd, off);
}
static inline long sys_munmap(void *p, size_t n) { return sys2(__NR_munmap, (long)p, (long)n); }
static inline long sys_mprotect(void *p, size_t n, int prot) { return sys3(__NR_mprotect, (long)p, (long)n, prot); }
static inline void __attribute__((noreturn))
sys_exit_group(int status)
{
    for (;;)
        sys1(__NR_exit_group, status);
}

#endif
