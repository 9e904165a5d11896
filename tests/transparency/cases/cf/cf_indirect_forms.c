//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* indirect jumps and calls in every addressing form, with the prefixes compilers put before them */
static __thread void *tls_target[4];
void *table[8];
extern long forms(long, void *), prefixes(void *), segment(void *);
asm(".text\n"
    "target: add $1,%rax\n ret\n"
    "target_f3: add $1,%rax\n repz ret\n"
    "target_bnd: add $1,%rax\n .byte 0xf2\n ret\n"
    "target_66: endbr64\n add $1,%rax\n nopw (%rax)\n ret\n"
    ".globl forms\nforms: push %rbx\n push %rbp\n push %r12\n push %r13\n xor %eax,%eax\n lea target(%rip),%rcx\n mov %rcx,table(%rip)\n"
    " mov %rcx,table+24(%rip)\n lea table(%rip),%rbx\n mov %rbx,%rbp\n mov %rbx,%r12\n mov %rbx,%r13\n mov $3,%edx\n mov %rcx,%r11\n"
    " call *%rcx\n call *%r11\n call *(%rbx)\n call *(%r12)\n call *0(%r13)\n call *0(%rbp)\n call *24(%rbx)\n call *(%rbx,%rdx,8)\n"
    " call *table(%rip)\n call *table+24\n call *table(,%rdx,8)\n call *-24(%rbx,%rdx,8)\n addr32 call *(%ebx)\n"
    " pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
    ".globl prefixes\nprefixes: push %rbx\n xor %eax,%eax\n lea target_f3(%rip),%rcx\n .byte 0xf2\n call *%rcx\n notrack call *%rcx\n"
    " lea target_bnd(%rip),%rcx\n .byte 0x3e\n call *%rcx\n .byte 0xf2\n call target_bnd\n lea 1f(%rip),%rcx\n notrack jmp *%rcx\n ud2\n"
    "1: lea 2f(%rip),%rcx\n .byte 0xf2\n jmp *%rcx\n ud2\n2: .byte 0xf2,0xe9,0,0,0,0\n .byte 0x2e,0x74,0\n .byte 0x3e,0x75,0\n"
    " lea target_66(%rip),%rcx\n rex.W call *%rcx\n pop %rbx\n ret\n"
    ".globl segment\nsegment: xor %eax,%eax\n lea target(%rip),%rcx\n mov %rcx,%fs:8(%rdi)\n call *%fs:8(%rdi)\n mov $1,%edx\n"
    " call *%fs:(%rdi,%rdx,8)\n lea 1f(%rip),%rcx\n mov %rcx,%fs:16(%rdi)\n jmp *%fs:16(%rdi)\n ud2\n1: add $100,%rax\n ret\n");

int
main(void)
{
    for (int i = 0; i < 20000; i++) {
        if (forms(0, 0) != 13 || prefixes(0) != 5 ||
            segment((void *)((char *)tls_target - (uint64_t)pthread_self())) != 102) {
            printf("FAIL at %d: %ld %ld\n", i, forms(0, 0), prefixes(0));
            return 1;
        }
    }
    return tl_end();
}
