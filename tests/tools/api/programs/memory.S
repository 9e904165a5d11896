# Memory operands of every form, on addresses that are constants: a page of stack at 0x30000000 and a page of data at
# 0x20000000, mapped first. FS and GS bases are 0x20000800 and 0x20000900. Exits with 0.
# SPDX-License-Identifier: BSD-3-Clause
        .globl _start
_start:
        mov $0x20000000, %edi
        call map
        mov $0x30000000, %edi
        call map
        mov $158, %eax                  # arch_prctl
        mov $0x1002, %edi               # ARCH_SET_FS
        mov $0x20000800, %esi
        syscall
        mov $158, %eax
        mov $0x1001, %edi               # ARCH_SET_GS
        mov $0x20000900, %esi
        syscall
        mov $0x30000800, %esp
        mov $0x20000000, %ebx
        mov $4, %ecx
        mov $-8, %r9
        mov $0x20000100, %esi
        mov $0x20000200, %edi
        mov $0x30000400, %ebp
        jmp 1f
1:      nopl 0x11111111(%rax, %rax)
        mov 8(%rbx), %eax
        mov %ax, 16(%rbx, %rcx, 8)
        addb $1, (%rbx, %r9)
        mov %fs:16, %rax
        mov %rax, %fs:(%rcx)
        mov %rax, %gs:8(%rcx, %rcx, 2)
        mov %rax, %fs:(, %rcx, 8)
        lea 5(%rbx), %rax
        movabs 0x20000055, %al
        push %rax
        push (%rbx)
        pop 8(%rsp)
        push 8(%rsp)
        popw %ax
        pushw %ax
        pushf
        popf
        movsb
        movsq
        lodsl
        cmpsw
        std
        stosl
        cld
        mov $3, %ecx
        rep stosb
        mov $0x1234, %eax
        xlat
        mov $-3, %rdx
        btsq %rdx, (%rbx, %rcx, 8)
        mov $70, %edx
        btl %edx, 256(%rbx)
        btw %dx, (%rbx)
        btcl $33, (%rbx)
        cmpxchg16b 256(%rbx)
        movdqa 512(%rbx), %xmm1
        maskmovdqu %xmm0, %xmm1
        cvttsd2si 8(%rbx), %eax
        movss %xmm0, 4(%rbx)
        fxsave (%rbx)
        fldt 16(%rbx)
        fstps 16(%rbx)
        mov $1, %ecx
        .byte 0x67
        mov 4(%rbx, %rcx, 4), %eax
        cmovo 8(%rbx), %edx
        call 2f
2:      enter $16, $3
        leave
        xadd %eax, (%rbx)
        nopl 0x22222222(%rax, %rax)
        mov $7, %eax                    # AVX2?
        xor %ecx, %ecx
        cpuid
        test $0x20, %ebx
        jz 3f
        mov $0x20000000, %ebx
        movl $-1, 4(%rbx)
        movl $2, 8(%rbx)
        movl $3, 12(%rbx)
        jmp 4f
4:      nopl 0x11111111(%rax, %rax)
        vmovdqu (%rbx), %xmm1
        vpcmpeqd %ymm2, %ymm2, %ymm2
        vpgatherdd %xmm2, 64(%rbx, %xmm1, 4), %xmm3
        vmovdqu (%rbx), %xmm1
        vpxor %xmm2, %xmm2, %xmm2
        vpsrldq $8, %xmm2, %xmm2
        vpcmpeqd %xmm4, %xmm4, %xmm4
        vpslldq $8, %xmm4, %xmm2
        vpgatherdq %ymm2, 64(%rbx, %xmm1, 8), %ymm3
        vmaskmovps %ymm3, %ymm2, (%rbx)
        nopl 0x22222222(%rax, %rax)
3:      mov $231, %eax
        xor %edi, %edi
        syscall
        hlt

map:    mov $9, %eax                    # mmap(edi & ~0xfff below it too, 8192, RW, PRIVATE|FIXED|ANONYMOUS)
        sub $4096, %edi
        mov $8192, %esi
        mov $3, %edx
        mov $0x32, %r10d
        mov $-1, %r8
        xor %r9d, %r9d
        syscall
        ret
        .section .note.GNU-stack, "", @progbits
