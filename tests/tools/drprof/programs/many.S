/* A hundred thousand functions, each of which calls the next but one and the next but 317. */
/* SPDX-License-Identifier: BSD-3-Clause */
    .altmacro
    .text
    .macro function k
    .globl f\k
    .type f\k, @function
f\k:
    dec %edi
    js 1f
    push %rdi
    call f0 + ((\k + 2) % 100000) * 32
    pop %rdi
1:  nop
    ret
    .balign 32
    .size f\k, 32
    .endm
    .balign 32
    .set k, 0
    .rept 100000
    function %k
    .set k, k + 1
    .endr
    .globl _start
    .type _start, @function
_start:
    xor %ebx, %ebx
2:  mov $3, %edi
    mov %rbx, %rax
    shl $5, %rax
    lea f0(%rip), %rdx
    add %rdx, %rax
    call *%rax
    inc %ebx
    cmp $100000, %ebx
    jb 2b
    mov $231, %eax
    xor %edi, %edi
    syscall
    .section .note.GNU-stack,"",@progbits
