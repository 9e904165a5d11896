/* Says that it runs, and does so until it is killed; no libc. */
/* SPDX-License-Identifier: BSD-3-Clause */
static volatile long table[4096];

void
_start(void)
{
    for (long i = 0;; i++) {
        table[i * 7 & 4095]++;
        if (i == 3000000)
            __asm__ volatile("syscall" : : "a"(1), "D"(1), "S"("ready\n"), "d"(6) : "rcx", "r11", "memory");
    }
}
