/* Eight threads; number k (0..7) goes round a loop of two instructions 100,000 * (k + 1) times.
 * Thread k: 2 + 2 * 100,000 * (k + 1) + 2 instructions.
 * The first: 4 before, 8 times 11 (its side of making a thread), 2 to end. Nobody calls exit_group:
 * the process ends with its last thread, whichever that is. */
/* SPDX-License-Identifier: BSD-3-Clause */
    .globl _start
_start:
    xor %r12d, %r12d
    mov $100000, %r13d
    lea stacks(%rip), %r14
    xor %r8d, %r8d
1:  add $4096, %r14
    mov $56, %eax                   /* clone */
    mov $0x50f00, %edi              /* VM FS FILES SIGHAND THREAD SYSVSEM */
    mov %r14, %rsi
    syscall
    test %rax, %rax
    jz thread
    add $100000, %r13d
    dec %r12d
    cmp $-8, %r12d
    jne 1b
    mov $60, %eax
    syscall
thread:
2:  dec %r13d
    jnz 2b
    mov $60, %eax
    syscall
    .bss
    .balign 16
stacks: .skip 9 * 4096
    .section .note.GNU-stack, "", @progbits
