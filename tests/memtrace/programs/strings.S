# String instructions, both directions, that end early and that do not; leave, pushes of memory. Exits with 0.
# SPDX-License-Identifier: BSD-3-Clause
        .globl _start
_start: lea stack + 4096(%rip), %rsp
        lea text(%rip), %rsi
        lea room(%rip), %rdi
        mov $40, %ecx
        rep movsb
        mov $5, %ecx
        rep stosq
        xor %ecx, %ecx
        rep stosb
        std
        mov $7, %ecx
        rep movsb
        cld
        lea text(%rip), %rsi
        lea other(%rip), %rdi
        mov $40, %ecx
        repe cmpsb                      # differ at the 21st
        lea text(%rip), %rdi
        mov $100, %ecx
        mov $'x', %al
        repne scasb                     # found
        lodsl
        stosw
        lea room(%rip), %rbx
        mov $3, %eax
        movzbl (%rbx, %rax), %eax
        push 8(%rbx)
        pop 16(%rbx)
        push %rbp
        mov %rsp, %rbp
        sub $64, %rsp
        mov %rax, 8(%rsp)
        mov -16(%rbp), %rsi
        lea 24(%rbx), %rcx
        addl $1, (%rcx)
        mov 8(%rcx, %rax, 2), %edx
        mov %edx, 12(%rcx, %rax, 2)
        leave
        call f
        mov $231, %eax
        xor %edi, %edi
        syscall
f:      pushf
        popf
        ret
        .data
text:   .ascii "the quick brown fox jumps over the lazy dog, twice a day"
        .zero 64
other:  .ascii "the quick brown fox ran over the lazy dog.............."
        .zero 64
room:   .zero 256
        .bss
        .balign 4096
stack:  .zero 4096
        .section .note.GNU-stack, "", @progbits
