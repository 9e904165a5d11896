//! expect: exit 42
/* The very first state of a static program: registers zero, flags, mxcsr and the x87 control word at their defaults,
   segment bases zero, the stack as the kernel lays it. Each check that fails exits with its number. */
.globl _start
.text
_start:
    pushfq
    popq flags(%rip)
    mov %rax, regs(%rip)
    mov $1, %edi
    cmpq $0, regs(%rip)
    jne bad
    inc %edi
    test %rbx, %rbx
    jne bad
    inc %edi
    test %rcx, %rcx
    jne bad
    inc %edi
    test %rdx, %rdx
    jne bad
    inc %edi
    test %rsi, %rsi
    jne bad
    inc %edi
    test %rbp, %rbp
    jne bad
    inc %edi
    mov %r8, %rax
    or %r9, %rax
    or %r10, %rax
    or %r11, %rax
    or %r12, %rax
    or %r13, %rax
    or %r14, %rax
    or %r15, %rax
    jne bad
    inc %edi
    cmpq $0x202, flags(%rip)
    jne bad
    inc %edi
    stmxcsr regs(%rip)
    cmpl $0x1f80, regs(%rip)
    jne bad
    inc %edi
    fnstcw regs(%rip)
    cmpw $0x37f, regs(%rip)
    jne bad
    inc %edi
    fnstsw regs(%rip)
    cmpw $0, regs(%rip)
    jne bad
    inc %edi
    pxor %xmm0, %xmm0
    por %xmm1, %xmm0
    por %xmm2, %xmm0
    por %xmm7, %xmm0
    por %xmm8, %xmm0
    por %xmm15, %xmm0
    movmskps %xmm0, %eax
    movq %xmm0, %rcx
    or %rcx, %rax
    jne bad
    inc %edi
    /* fs and gs: selectors zero; arch_prctl says the bases are */
    mov %fs, %eax
    mov %gs, %ecx
    or %ecx, %eax
    jne bad
    inc %edi
    push %rdi
    mov $158, %eax
    mov $0x1003, %edi
    lea regs(%rip), %rsi
    syscall
    pop %rdi
    cmpq $0, regs(%rip)
    jne bad
    inc %edi
    push %rdi
    mov $158, %eax
    mov $0x1004, %edi
    lea regs(%rip), %rsi
    syscall
    pop %rdi
    cmpq $0, regs(%rip)
    jne bad
    inc %edi
    test $15, %spl
    jne bad
    inc %edi
    cmpq $1, (%rsp)
    jne bad
    inc %edi
    /* the break starts at or after the end of bss */
    push %rdi
    mov $12, %eax
    xor %edi, %edi
    syscall
    pop %rdi
    lea end(%rip), %rcx
    cmp %rcx, %rax
    jb bad
    inc %edi
    /* red zone and a page below the stack pointer are there to be used */
    movq $7, -4096(%rsp)
    movq $8, -128(%rsp)
    cmpq $7, -4096(%rsp)
    jne bad
    mov $42, %edi
bad:
    mov $60, %eax
    syscall
    hlt
.bss
regs: .quad 0, 0
flags: .quad 0
