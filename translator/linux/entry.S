/* The engine's assembly: first instruction, cache entry and exit, signal
 * trampolines, recovery points. Offsets come from core/slots.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/slots.h"

#define GPR(n) (SLOT_MC + 8 * (n))

/* The program's registers but rax, rcx and rdx to and from mc; rsp is loaded last. */
    .macro SAVE_RBX_TO_R15
    mov %rbx, %gs:GPR(3)
    mov %rsp, %gs:GPR(4)
    mov %rbp, %gs:GPR(5)
    mov %rsi, %gs:GPR(6)
    mov %rdi, %gs:GPR(7)
    mov %r8, %gs:GPR(8)
    mov %r9, %gs:GPR(9)
    mov %r10, %gs:GPR(10)
    mov %r11, %gs:GPR(11)
    mov %r12, %gs:GPR(12)
    mov %r13, %gs:GPR(13)
    mov %r14, %gs:GPR(14)
    mov %r15, %gs:GPR(15)
    .endm
    .macro LOAD_RBX_TO_R15
    mov %gs:GPR(3), %rbx
    mov %gs:GPR(5), %rbp
    mov %gs:GPR(6), %rsi
    mov %gs:GPR(7), %rdi
    mov %gs:GPR(8), %r8
    mov %gs:GPR(9), %r9
    mov %gs:GPR(10), %r10
    mov %gs:GPR(11), %r11
    mov %gs:GPR(12), %r12
    mov %gs:GPR(13), %r13
    mov %gs:GPR(14), %r14
    mov %gs:GPR(15), %r15
    mov %gs:GPR(4), %rsp
    .endm

    .text
    .globl _start
_start:
    mov %rsp, %rdi              /* the kernel's initial stack: argc, argv, envp, auxv */
    xor %ebp, %ebp
    and $-16, %rsp
    call engine_start
    ud2

/* void start_on_stack(void *sp, void (*f)(void *), void *arg): leave the kernel's stack, which becomes the program's. */
    .globl start_on_stack
start_on_stack:
    mov %rdi, %rsp
    mov %rdx, %rdi
    xor %ebp, %ebp
    call *%rsi
    ud2

/* Enter the code cache: the one place where the engine gives up the CPU.
 * A signal handler that interrupts anywhere in [enter_window, enter_window_end)
 * moves the thread to enter_abort, so that a signal queued after the check is
 * not left waiting until the next exit. */
    .globl enter_cache, enter_window, enter_window_end, enter_abort
enter_cache:
enter_window:
    cmpq $0, %gs:SLOT_PENDING
    jne enter_abort
    pushq %gs:SLOT_RFLAGS
    popfq
    mov %gs:GPR(0), %rax
    mov %gs:GPR(1), %rcx
    mov %gs:GPR(2), %rdx
    LOAD_RBX_TO_R15
    jmp *%gs:SLOT_ENTER_PC
enter_window_end:

enter_abort:                    /* t->s.mc is whole: nothing was changed by the aborted entry */
    mov %gs:SLOT_DSTACK, %rsp
    mov %gs:SLOT_SELF, %rdi
    pushq $0x202
    popfq
    movq $0x7f000004, %gs:SLOT_EXIT          /* EXIT_GOTO */
    mov %gs:SLOT_RIP, %rax
    mov %rax, %gs:SLOT_EXIT_ARG
    call *%gs:SLOT_DISPATCH
    ud2

/* As enter_cache, but to mc.rip itself: a fetch there is known to fault. */
    .globl enter_native, enter_native_end
enter_native:
    pushq %gs:SLOT_RFLAGS
    popfq
    mov %gs:GPR(0), %rax
    mov %gs:GPR(1), %rcx
    mov %gs:GPR(2), %rdx
    LOAD_RBX_TO_R15
    jmp *%gs:SLOT_RIP
enter_native_end:

/* Position-independent routines that are copied to the start of the code cache,
 * so that emitted code reaches them with a 32-bit displacement. */
    .globl cache_blob, cache_blob_end, blob_exit, blob_ibl_miss
cache_blob:
blob_exit:                      /* slots.exit (and exit_arg) are set; every register is the program's */
    mov %rax, %gs:GPR(0)
    mov %rcx, %gs:GPR(1)
exit_saved_rcx:
    mov %rdx, %gs:GPR(2)
    SAVE_RBX_TO_R15
    mov %gs:SLOT_DSTACK, %rsp
    pushfq
    popq %gs:SLOT_RFLAGS
    pushq $0x202                /* DF, AC and TF off in C code */
    popfq
    mov %gs:SLOT_SELF, %rdi
    call *%gs:SLOT_DISPATCH
    ud2

/* Not in the thread's own table: look in the table of all fragments, and fill
 * the thread's entry. rcx: target; the program's rcx and rdx are in the spill
 * slots. Deletion marks the shared entry first, then clears the threads' tables;
 * here the thread's entry is written first (xchg: a full barrier), then the
 * shared one read again: so never do both miss each other.
 * A signal handler that interrupts in [ibl_window, ibl_window_end) moves the
 * thread to blob_ibl_out: what it queued is delivered there. */
    .globl blob_ibl_out, ibl_window, ibl_window_end, blob_pad_miss
blob_pad_miss:                  /* a landing pad found rcx + tag, not tag; rdx = -tag */
    not %rdx
    lea 1(%rcx,%rdx), %rcx
blob_ibl_miss:
    mov %rcx, %gs:SLOT_EXIT_ARG
    mov %rax, %gs:SLOT_SAVE_RAX
    lahf
    seto %al
    mov %rax, %gs:SLOT_SAVE_FLAGS
    mov %rsi, %gs:SLOT_SAVE_RSI
    mov %rdi, %gs:SLOT_SAVE_RDI
    mov %gs:SLOT_TABLE, %rsi
    mov (%rsi), %rsi            /* struct table: mask, used, then the entries */
    mov %gs:SLOT_KEY, %rdi
    or %rcx, %rdi
    movabs $0x9e3779b97f4a7c15, %rax
    imul %rdi, %rax
    shr $32, %rax
1:  mov (%rsi), %edx
    and %eax, %edx
    shl $4, %rdx
    cmp %rdi, 8(%rsi,%rdx)
    je 2f
    cmpq $0, 8(%rsi,%rdx)
    je blob_ibl_out
    inc %eax
    jmp 1b
2:  lea 8(%rsi,%rdx), %rsi      /* the entry */
    mov 12(%rsi), %eax
    test %eax, %eax
    jz blob_ibl_out             /* no landing pad yet */
    lea cache_blob(%rip), %rdx
    add %rax, %rdx
    mov %rdx, %gs:SLOT_ENTER_PC
    .globl blob_ibl_index
blob_ibl_index:                 /* eleven bytes; without BMI2: movzwl %cx, %eax */
    pext %gs:SLOT_IBL_MASK, %ecx, %eax
    add %gs:SLOT_IBL_MODE, %rax
    xchg %rdx, %gs:SLOT_IBL(,%rax,8)
    cmp %rdi, (%rsi)
    jne 3f
    mov 12(%rsi), %edx          /* the pad as well: the tag may have gone and come back meanwhile */
    lea cache_blob(%rip), %rdi
    add %rdx, %rdi
    cmp %rdi, %gs:SLOT_ENTER_PC
    je ibl_window
3:  lea blob_ibl_miss(%rip), %rdx
    mov %rdx, %gs:SLOT_IBL(,%rax,8)
    jmp blob_ibl_out
ibl_window:
    cmpq $0, %gs:SLOT_PENDING
    jne blob_ibl_out
    decl %gs:SLOT_IBL_BUDGET
    js blob_ibl_out
    mov %gs:SLOT_SAVE_RSI, %rsi
    mov %gs:SLOT_SAVE_RDI, %rdi
    mov %gs:SLOT_SAVE_FLAGS, %rax
    add $0x7f, %al              /* OF back */
    sahf
    mov %gs:SLOT_SAVE_RAX, %rax
    jmp *%gs:SLOT_ENTER_PC
ibl_window_end:
blob_ibl_out:
    movq $0x7f000000, %gs:SLOT_EXIT          /* EXIT_IBL */
    mov %gs:SLOT_SAVE_FLAGS, %rax
    add $0x7f, %al
    sahf
    mov %gs:SLOT_SAVE_RAX, %rax
    mov %gs:SLOT_SAVE_RSI, %rsi
    mov %gs:SLOT_SAVE_RDI, %rdi
    mov %gs:SLOT_SPILL1, %rdx
    mov %gs:SLOT_SPILL0, %rcx
    jmp blob_exit

/* The program's flags to their slot, and what C code wants; and back, with rax lost. popf costs as much as thirty moves:
 * it is kept for AC and DF, which are seldom set (TF is never, in the cache). */
    .macro SAVE_FLAGS
    pushfq
    popq %gs:SLOT_RFLAGS
    testl $0x40400, %gs:SLOT_RFLAGS
    jz 8f
    pushq $0x202
    popfq
8:
    .endm
    .macro LOAD_FLAGS
    testl $0x40500, %gs:SLOT_RFLAGS
    jnz 8f
    mov %gs:SLOT_RFLAGS + 1, %al
    shl $4, %al                 /* OF, bit 11, to the sign */
    mov %gs:SLOT_RFLAGS, %ah
    add %al, %al                /* … to CF, and to OF by the overflow of adding it to itself */
    sahf
    jmp 9f
8:  pushq %gs:SLOT_RFLAGS
    popfq
9:
    .endm

/* Clean call: slots CALL, CALL_ARG, CALL_BACK and RIP are set; the program's rcx is in
 * spill slot 0, its rax in spill slot 2. */
    .globl blob_call
blob_call:
    mov %rdx, %gs:GPR(2)
    SAVE_RBX_TO_R15
    mov %gs:SLOT_DSTACK, %rsp
    SAVE_FLAGS
    mov %gs:SLOT_SPILL0, %rcx
    mov %gs:SLOT_SPILL2, %rax
    mov %rcx, %gs:GPR(1)
    mov %rax, %gs:GPR(0)
    mov %gs:SLOT_SELF, %rsi
    mov %gs:SLOT_CALL_ARG, %rdi
    add $SLOT_MC, %rsi
    call *%gs:SLOT_CALL
blob_called:
    movq $0, %gs:SLOT_CALL
    .globl call_window, call_window_end
call_window:                    /* a signal from here on goes to the way out below */
    cmpq $0, %gs:SLOT_PENDING
    jne 1f
    cmpq $0, %gs:SLOT_RETURNS
    jne 2f
    LOAD_FLAGS
    mov %gs:GPR(0), %rax
    mov %gs:GPR(1), %rcx
    mov %gs:GPR(2), %rdx
    LOAD_RBX_TO_R15
    jmp *%gs:SLOT_CALL_BACK
2:  movq $0, %gs:SLOT_RETURNS   /* a replaced function is done: to mc.rip as a return would */
    mov %gs:GPR(1), %rax
    mov %rax, %gs:SLOT_SPILL0
    mov %gs:GPR(2), %rax
    mov %rax, %gs:SLOT_SPILL1
    mov %gs:SLOT_RIP, %rcx
    .globl blob_return_index
blob_return_index:              /* as blob_ibl_index, to rdx */
    pext %gs:SLOT_IBL_MASK, %ecx, %edx
    add %gs:SLOT_IBL_MODE, %rdx
    LOAD_FLAGS
    mov %gs:GPR(0), %rax
    LOAD_RBX_TO_R15
    jmp *%gs:SLOT_IBL(,%rdx,8)
call_window_end:

/* Out-of-line call: rcx: its descriptor (struct side_call in core/tools.h); what rcx held is in spill slot 0. */
    .globl blob_side
blob_side:
    mov %rax, %gs:GPR(0)
    mov %rdx, %gs:GPR(2)
    SAVE_RBX_TO_R15
    mov %gs:SLOT_DSTACK, %rsp
    SAVE_FLAGS
    mov %gs:SLOT_SPILL0, %rax
    mov %rax, %gs:GPR(1)
    mov %rcx, %rdi
    mov %gs:SLOT_SELF, %rsi
    call *%gs:SLOT_SIDE_CALL
    jmp blob_called

    .globl call_abort
call_abort:
1:  mov %gs:SLOT_DSTACK, %rsp
    movq $0x7f000001, %gs:SLOT_EXIT          /* EXIT_CALLED */
    mov %gs:SLOT_SELF, %rdi
    call *%gs:SLOT_DISPATCH
    ud2
cache_blob_end:

/* int recover_set(struct recover *): 0 now, 1 when a fault came back. */
    .globl recover_set, recover_resume
recover_set:
    mov %rbx, 0(%rdi)
    mov %rbp, 8(%rdi)
    mov %r12, 16(%rdi)
    mov %r13, 24(%rdi)
    mov %r14, 32(%rdi)
    mov %r15, 40(%rdi)
    lea 8(%rsp), %rax
    mov %rax, 48(%rdi)
    mov (%rsp), %rax
    mov %rax, 56(%rdi)
    xor %eax, %eax
    ret
recover_resume:                 /* rdi: struct recover; entered from the signal handler */
    mov 0(%rdi), %rbx
    mov 8(%rdi), %rbp
    mov 16(%rdi), %r12
    mov 24(%rdi), %r13
    mov 32(%rdi), %r14
    mov 40(%rdi), %r15
    mov 48(%rdi), %rsp
    mov $1, %eax
    jmp *56(%rdi)

/* bool safe_copy(void *dst, const void *src, size_t n): true unless it faulted.
 * The handler recognises the address and goes to safe_copy_fault. */
    .globl safe_copy, safe_copy_begin, safe_copy_end, safe_copy_fault
safe_copy:
    mov %rdx, %rcx
safe_copy_begin:
    rep movsb
safe_copy_end:
    mov $1, %eax
    ret
safe_copy_fault:
    xor %eax, %eax
    ret

/* void load_gs_selector(unsigned selector, void *base, uint64_t *left): loads a selector known to be
 * good; *left: what that makes of the base; then GS is at `base` again. No signal may come in between. */
    .globl load_gs_selector
load_gs_selector:
    mov %edi, %gs
    rdgsbase %rax
    wrgsbase %rsi
    mov %rax, (%rdx)
    ret

/* uint64_t call_foreign(f, a1, a2, a3, a4, a5): a function of ordinary code, which may use legacy vector
 * instructions and the stack protector. The program's FS base, xmm0-15 and MXCSR stay. */
    .globl call_foreign
call_foreign:
    push %rbx
    push %rbp
    mov %rsp, %rbp
    rdfsbase %rbx
    sub $272, %rsp
    and $-16, %rsp
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps %xmm\n, 16*\n(%rsp)
    .endr
    stmxcsr 256(%rsp)
    movabs $foreign_tls, %rax
    wrfsbase %rax
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %rcx
    mov %r9, %r8
    call *%rax
    wrfsbase %rbx
    ldmxcsr 256(%rsp)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps 16*\n(%rsp), %xmm\n
    .endr
    mov %rbp, %rsp
    pop %rbp
    pop %rbx
    ret

/* void set_gs_base(void *) */
    .globl set_gs_base
set_gs_base:
    wrgsbase %rdi
    ret

/* A system call made for the program that may sleep or change its signals.
 * long app_syscall(const struct mcontext *): the window [app_syscall_window,
 * app_syscall_insn] is left through app_syscall_abort when a signal came first;
 * the result is then the impossible errno 4095 and the caller delivers and retries. */
    .globl app_syscall, app_syscall_window, app_syscall_insn, app_syscall_after, app_syscall_abort
app_syscall:
    push %rbx
    mov %rdi, %rbx
app_syscall_window:
    cmpq $0, %gs:SLOT_PENDING
    jne app_syscall_abort
    mov 8*0(%rbx), %rax
    mov 8*7(%rbx), %rdi
    mov 8*6(%rbx), %rsi
    mov 8*2(%rbx), %rdx
    mov 8*10(%rbx), %r10
    mov 8*8(%rbx), %r8
    mov 8*9(%rbx), %r9
app_syscall_insn:
    syscall
app_syscall_after:
    pop %rbx
    ret
app_syscall_abort:
    mov $-4095, %rax
    pop %rbx
    ret

/* The same through int 0x80, with i386 numbers and registers. */
    .globl app_syscall_ia32, app_syscall_ia32_window, app_syscall_ia32_insn, app_syscall_ia32_after, app_syscall_ia32_abort
app_syscall_ia32:
    push %rbx
    push %rbp
    push %r12
    mov %rdi, %r12
app_syscall_ia32_window:
    cmpq $0, %gs:SLOT_PENDING
    jne app_syscall_ia32_abort
    mov 8*0(%r12), %rax
    mov 8*1(%r12), %rcx
    mov 8*2(%r12), %rdx
    mov 8*3(%r12), %rbx
    mov 8*5(%r12), %rbp
    mov 8*6(%r12), %rsi
    mov 8*7(%r12), %rdi
app_syscall_ia32_insn:
    int $0x80
app_syscall_ia32_after:
    pop %r12
    pop %rbp
    pop %rbx
    ret
app_syscall_ia32_abort:
    mov $-4095, %rax
    jmp app_syscall_ia32_after
    .globl app_syscall_ia32_none
app_syscall_ia32_none:          /* int 0x80 has faulted: SYSCALL_NO_GATE */
    mov $-4094, %rax
    jmp app_syscall_ia32_after

/* long raw_clone(nr, a1, a2, a3, a4, a5, struct thread *child): the child starts on the engine stack of
 * `child` in clone_child(child); the parent gets the kernel's result. rdi=nr rsi=a1 rdx=a2 rcx=a3 r8=a4 r9=a5 8(%rsp)=child */
    .globl raw_clone
raw_clone:
    push %rbx
    mov 16(%rsp), %rbx
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    syscall
    test %rax, %rax
    jz 1f
    pop %rbx
    ret
1:  test %rbx, %rbx
    jz 2f
    wrgsbase %rbx
    mov %gs:SLOT_DSTACK, %rsp
    mov %rbx, %rdi
    call clone_child
    ud2
2:  pop %rbx                    /* fork: same stack, copied */
    ret

/* Leave the process or thread without touching memory: rdi = nr, rsi = status,
 * rdx = address of the word that frees the block we stand on. */
    .globl exit_thread_raw
exit_thread_raw:
    movl $0, (%rdx)
    mov %rdi, %rax
    mov %rsi, %rdi
    syscall
    hlt

/* void leave_engine(const struct mcontext *, uint64_t gs_base): the program goes on natively
 * right after a system call, where rcx is rip. */
    .globl leave_engine
leave_engine:
    wrgsbase %rsi
    pushq 8*17(%rdi)
    popfq
    mov 8*0(%rdi), %rax
    mov 8*1(%rdi), %rcx
    mov 8*2(%rdi), %rdx
    mov 8*3(%rdi), %rbx
    mov 8*5(%rdi), %rbp
    mov 8*6(%rdi), %rsi
    mov 8*8(%rdi), %r8
    mov 8*9(%rdi), %r9
    mov 8*10(%rdi), %r10
    mov 8*11(%rdi), %r11
    mov 8*12(%rdi), %r12
    mov 8*13(%rdi), %r13
    mov 8*14(%rdi), %r14
    mov 8*15(%rdi), %r15
    mov 8*4(%rdi), %rsp
    mov 8*7(%rdi), %rdi
    jmp *%rcx

/* Kernel signal entry and return. */
    .globl signal_entry, signal_restorer
signal_entry:                   /* the kernel leaves AC as the program had it; ID and NT, which sigreturn does not restore, stay */
    pushfq
    andq $0x204000, (%rsp)
    orq $0x202, (%rsp)
    popfq
    jmp signal_handler
signal_restorer:
    mov $15, %eax
    syscall
    ud2

/* The signal handler and sigreturn come back to the engine here: t->s.mc says where the program goes on. */
    .globl resume_dispatch, sigreturn_from, sigreturn_insn
resume_dispatch:
    mov %gs:SLOT_DSTACK, %rsp
    mov %gs:SLOT_SELF, %rdi
    call dispatch_resume
    ud2
sigreturn_from:                 /* rdi: struct kucontext of ours to return to */
    mov %rdi, %rsp
    mov $15, %eax
sigreturn_insn:
    syscall
    ud2

/* A signal the engine makes up starts here: the handler sees this rip and delivers what is queued. */
    .globl raise_point
raise_point:
    ud2

    .section .note.GNU-stack, "", @progbits
