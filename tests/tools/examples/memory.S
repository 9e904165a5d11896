# 1000 times: one instruction that reads memory, two that write it, one that does both. Then a read, and the end.
# SPDX-License-Identifier: BSD-3-Clause
    .globl _start
_start:
    mov $1000, %ecx
1:  mov (%rsp), %rax
    mov %rax, -64(%rsp)
    push %rax
    addq $1, -64(%rsp)
    lea 8(%rsp), %rsp
    sub $1, %ecx
    jnz 1b
    cmpq $0, (%rsp)
    mov $60, %eax
    mov $7, %edi
    syscall
    .section .note.GNU-stack, "", @progbits
