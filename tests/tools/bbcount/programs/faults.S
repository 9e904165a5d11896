/* 1,000 loads from address 0: the handler steps over each. A turn is 3 instructions before the load, 2 after
 * (the load itself never completes), and the handler's 2, and the restorer's 2. Outside: 6 + 1 and 3 to end. */
/* SPDX-License-Identifier: BSD-3-Clause */
    .globl _start
_start:
    mov $13, %eax                   /* rt_sigaction(SIGSEGV) */
    mov $11, %edi
    lea action(%rip), %rsi
    xor %edx, %edx
    mov $8, %r10d
    syscall
    mov $1000, %ebx
1:  xor %eax, %eax
    lea 1(%rcx), %rcx
    lea 1(%rdx), %rdx
    mov (%rax), %rsi
2:  dec %ebx
    jnz 1b
    mov $231, %eax
    xor %edi, %edi
    syscall
handler:
    addq $(2b - 1b - 2 - 4 - 4), 168(%rdx)      /* uc_mcontext.rip */
    ret
restorer:
    mov $15, %eax
    syscall
    .data
    .balign 8
action: .quad handler, 0x4000004, restorer, 0   /* SA_RESTORER | SA_SIGINFO */
    .section .note.GNU-stack, "", @progbits
