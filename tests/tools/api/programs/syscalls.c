/* What a program sees of system calls that a tool changes. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The result, and whether all six argument registers are as they were. */
static long
call(long nr, long a, const void *b, long c, int *kept)
{
    register long r10 __asm__("r10") = 41, r8 __asm__("r8") = 42, r9 __asm__("r9") = 43, rdi __asm__("rdi") = a, rdx __asm__("rdx") = c;
    register const void *rsi __asm__("rsi") = b;
    long r = nr;

    __asm__ volatile("syscall" : "+a"(r), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9) : : "rcx", "r11", "memory");
    *kept = rdi == a && rsi == b && rdx == c && r10 == 41 && r8 == 42 && r9 == 43;
    return r;
}

int
main(void)
{
    int kept;
    long r = call(SYS_getuid, 1, NULL, 3, &kept);

    printf("getuid %ld %d\n", r, kept);
    r = call(SYS_getgid, 1, NULL, 3, &kept);
    printf("getgid %ld %d\n", r - getegid(), kept);
    r = call(SYS_getppid, 1, NULL, 3, &kept);
    printf("getppid %d %d\n", r == getpid(), kept);
    fflush(stdout);
    r = call(SYS_write, 1, "+abc\n", 4, &kept);
    printf("write %ld %d\n", r, kept);
    fflush(stdout);
    register long r15 __asm__("r15") = 1;
    __asm__ volatile("syscall" : "+r"(r15) : "a"(SYS_write), "D"(1), "S"("1234\n"), "d"(5) : "rcx", "r11", "memory");
    printf("r15 %ld\n", r15);
    return 0;
}
