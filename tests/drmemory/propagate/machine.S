/* See machine.h. SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

    .text
    .globl machine_template, machine_slot, machine_template_end, call_with_registers
/* void (void): copied to MACHINE_CODE, with the instruction put over the slot. */
machine_template:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, MACHINE_HOST
    mov $MACHINE_STATES, %eax
    xor %edx, %edx
    xsave64 MACHINE_HOST + MACHINE_XSAVE
    xrstor64 MACHINE_IN + MACHINE_XSAVE
    mov $MACHINE_IN + MACHINE_FLAGS, %esp
    popfq
    .set i, 0
    .irp r, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    mov MACHINE_IN + 8 * i, %\r
    .set i, i + 1
    .endr
machine_slot:
    .fill 16, 1, 0x90
    .set i, 0
    .irp r, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    mov %\r, MACHINE_OUT + 8 * i
    .set i, i + 1
    .endr
    mov $MACHINE_OUT + MACHINE_FLAGS + 8, %esp
    pushfq
    cld
    mov $MACHINE_STATES, %eax
    xor %edx, %edx
    xsave64 MACHINE_OUT + MACHINE_XSAVE
    xrstor64 MACHINE_HOST + MACHINE_XSAVE
    mov MACHINE_HOST, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
machine_template_end:

call_with_registers:
    push %rbx
    mov %rdi, %rbx
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %r8
    mov $MACHINE_STATES, %eax
    xor %edx, %edx
    xsave64 MACHINE_HOST + MACHINE_XSAVE
    xrstor64 MACHINE_IN + MACHINE_XSAVE
    mov %r8, %rdx
    call *%rbx
    mov $MACHINE_STATES, %eax
    xor %edx, %edx
    xrstor64 MACHINE_HOST + MACHINE_XSAVE
    pop %rbx
    ret
    .section .note.GNU-stack, "", @progbits
