/* Loops 1,000 times, forks; the child loops 500 times, the parent waits and loops 200 times.
 * Parent: 1 + 2000 + 4 + (wait 7) + 1 + 400 + 3; child from the fork's return: 2 + 1 + 1000 + 3. */
/* SPDX-License-Identifier: BSD-3-Clause */
    .globl _start
_start:
    mov $1000, %ecx
1:  dec %ecx
    jnz 1b
    mov $57, %eax                   /* fork */
    syscall
    test %eax, %eax
    jz child
    mov $-1, %rdi
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    mov $61, %eax                   /* wait4 */
    syscall
    mov $200, %ecx
2:  dec %ecx
    jnz 2b
    mov $231, %eax
    xor %edi, %edi
    syscall
child:
    mov $500, %ecx
3:  dec %ecx
    jnz 3b
    mov $231, %eax
    xor %edi, %edi
    syscall
    .section .note.GNU-stack, "", @progbits
