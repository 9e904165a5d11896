/* Counts known by construction:
 *   block           instructions  times
 *   _start .. jnz   5             1        (the first turn of the loop falls in)
 *   1: .. jnz       3             999
 *   call            1             10
 *   f .. ret        2             10
 *   dec .. jnz      2             10
 *   exit            3             1
 * 1031 blocks, 6 distinct, 5 + 2997 + 10 + 20 + 20 + 3 = 3055 instructions. */
/* SPDX-License-Identifier: BSD-3-Clause */
    .globl _start, f
    .type f, @function
_start:
    mov $1000, %ecx
    mov $10, %ebx
1:  add $1, %rax
    dec %ecx
    jnz 1b
2:  call f
    dec %ebx
    jnz 2b
    mov $231, %eax
    mov $7, %edi
    syscall
f:  lea 1(%rdx), %rdx
    ret
    .size f, . - f
    .section .note.GNU-stack, "", @progbits
