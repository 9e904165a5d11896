/* The way into a generated sequence and out of it: loads every register from
 * `passage`, and stores every one back. The sequence knows no address here;
 * it leaves through the gate, a page at a fixed address. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define P(n) (passage + 8 * (n))(%rip)
#define RFLAGS 16
#define HOST_RSP 17
#define GATE_PTR 19

        .text
        .globl  passage_in, passage_out, passage_abort, passage_raise
        .type   passage_in, @function
passage_in:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, P(HOST_RSP)
        mov     $-1, %eax
        mov     $-1, %edx
        xrstor64 passage_xsave(%rip)
        pushq   P(RFLAGS)
        mov     P(0), %rax
        mov     P(1), %rcx
        mov     P(2), %rdx
        mov     P(3), %rbx
        mov     P(5), %rbp
        mov     P(6), %rsi
        mov     P(7), %rdi
        mov     P(8), %r8
        mov     P(9), %r9
        mov     P(10), %r10
        mov     P(11), %r11
        mov     P(12), %r12
        mov     P(13), %r13
        mov     P(14), %r14
        mov     P(15), %r15
        popfq                           /* nothing below changes flags */
        mov     P(4), %rsp
        jmp     *P(GATE_PTR)

/* Enters by way of a signal: its handler fills the frame with the start state. */
passage_raise:
        mov     $234, %eax              /* tgkill */
        mov     passage_pid(%rip), %edi
        mov     %edi, %esi
        mov     $10, %edx               /* SIGUSR1 */
        syscall
        ud2

passage_out:
        mov     %rax, P(0)
        mov     %rcx, P(1)
        mov     %rdx, P(2)
        mov     %rbx, P(3)
        mov     %rsp, P(4)
        mov     P(HOST_RSP), %rsp
        pushfq
        popq    P(RFLAGS)
        pushq   $2                      /* no DF, no AC, no TF */
        popfq
        mov     %rbp, P(5)
        mov     %rsi, P(6)
        mov     %rdi, P(7)
        mov     %r8, P(8)
        mov     %r9, P(9)
        mov     %r10, P(10)
        mov     %r11, P(11)
        mov     %r12, P(12)
        mov     %r13, P(13)
        mov     %r14, P(14)
        mov     %r15, P(15)
        mov     $-1, %eax
        mov     $-1, %edx
        xsave64 passage_xsave(%rip)
passage_abort:
        pushq   $2
        popfq
        mov     $-1, %eax
        mov     $-1, %edx
        xrstor64 passage_xsave_clean(%rip)
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret
        .size   passage_in, . - passage_in

        .section .note.GNU-stack, "", @progbits
