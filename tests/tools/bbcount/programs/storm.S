/* A timer's signal every 50 us during 60,000,000 turns of a loop; prints, as eight bytes,
 * how many signals came. 25 instructions outside, 5 * 60,000,000 in the loop, 4 a signal. */
/* SPDX-License-Identifier: BSD-3-Clause */
    .globl _start
_start:
    mov $13, %eax                   /* rt_sigaction(SIGALRM) */
    mov $14, %edi
    lea action(%rip), %rsi
    xor %edx, %edx
    mov $8, %r10d
    syscall
    mov $38, %eax                   /* setitimer(ITIMER_REAL) */
    xor %edi, %edi
    lea interval(%rip), %rsi
    xor %edx, %edx
    syscall
    mov $60000000, %ebx
1:  add $3, %rax
    lea (%rax,%rbx), %rcx
    test $1, %al
    dec %ebx
    jnz 1b
    mov $38, %eax                   /* and off again */
    xor %edi, %edi
    lea never(%rip), %rsi
    xor %edx, %edx
    syscall
    mov $1, %eax
    mov $1, %edi
    lea count(%rip), %rsi
    mov $8, %edx
    syscall
    mov $231, %eax
    xor %edi, %edi
    syscall
handler:
    incq count(%rip)
    ret
restorer:
    mov $15, %eax
    syscall
    .data
    .balign 8
count: .quad 0
action: .quad handler, 0x14000000, restorer, 0   /* SA_RESTORER | SA_RESTART */
interval: .quad 0, 50, 0, 50
never: .quad 0, 0, 0, 0
    .section .note.GNU-stack, "", @progbits
