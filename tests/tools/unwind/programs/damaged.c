/* Code without CFI that runs with damaged stacks: what a walk finds is anything. The tool looks at each block. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Runs two blocks with these in rsp and rbp. */
void with_registers(uint64_t rsp, uint64_t rbp);
__asm__(
    ".text\nwith_registers:\n"
    "    mov %rsp, %rax\n    mov %rbp, %rcx\n    mov %rdi, %rsp\n    mov %rsi, %rbp\n    jmp 1f\n"
    "    nop\n1:  test %rax, %rax\n    jz 2f\n    nop\n2:  mov %rax, %rsp\n    mov %rcx, %rbp\n    ret\n");

static sigjmp_buf back;
static void on_segv(int sig) { siglongjmp(back, sig); }

__attribute__((noinline)) static void
scribble(uint64_t value)
{
    volatile uint64_t *frame = __builtin_frame_address(0), old[8];

    for (int i = 0; i < 8; i++)
        old[i] = frame[i];
    for (int i = 0; i < 8; i++)
        frame[i] = value + (value > 4096 ? 8 * (uint64_t)i : 0);
    with_registers((uint64_t)frame, (uint64_t)frame);
    for (int i = 0; i < 8; i++)
        frame[i] = old[i];
}

int
main(void)
{
    char *none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t *loop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t bad[] = {0, 8, 0x7fffffffeff8, 0x7ffffffffff8, 0x800000000000, 0xdeadbeefdeadbeef, ~0ull, ~7ull, (uint64_t)none, (uint64_t)none + 4096,
                      (uint64_t)main, 0x70000000, 0x8c000000, (uint64_t)loop, (uint64_t)loop + 4088};

    for (int i = 0; i < 512; i++)
        loop[i] = i % 2 ? (uint64_t)main + 5 : (uint64_t)loop;    /* a chain of frame pointers that leads to itself */
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        for (unsigned k = 0; k < sizeof bad / sizeof *bad; k++)
            with_registers(bad[i], bad[k]);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        scribble(bad[i]);
    signal(SIGSEGV, on_segv);
    for (unsigned i = 0; i < 10; i++)
        if (!sigsetjmp(back, 1))
            ((void (*)(void))bad[i])();              /* calls of what is no code */
    puts("done");
    return 0;
}
