#include "tl.h"

/* far returns, far calls and iretq that stay in 64-bit code */
extern long f_lret(void), f_lret_imm(void), f_iret(long), f_lcall(void), f_ljmp(void);
asm(".text\n"
    "f_lret: mov %cs,%eax\n push %rax\n lea 1f(%rip),%rax\n push %rax\n mov $11,%eax\n lretq\n ud2\n1: inc %eax\n ret\n"
    "f_lret_imm: mov %rsp,%rcx\n push $7\n push $8\n mov %cs,%eax\n push %rax\n lea 1f(%rip),%rax\n push %rax\n lretq $16\n ud2\n"
    "1: mov %rsp,%rax\n sub %rcx,%rax\n ret\n"
    /* iretq loads rip, cs, flags, rsp and ss */
    "f_iret: mov %rsp,%rcx\n mov %ss,%eax\n push %rax\n lea -512(%rcx),%rax\n push %rax\n push %rdi\n mov %cs,%eax\n push %rax\n"
    " lea 1f(%rip),%rax\n push %rax\n iretq\n ud2\n"
    "1: pushfq\n pop %rax\n lea -512(%rcx),%rdx\n cmp %rdx,%rsp\n mov %rcx,%rsp\n je 2f\n mov $-1,%rax\n2: cld\n ret\n"
    "f_lcall: lea -32(%rsp),%rsp\n lea 1f(%rip),%rax\n mov %rax,(%rsp)\n mov %cs,%eax\n mov %ax,8(%rsp)\n rex.W lcall *(%rsp)\n"
    " lea 32(%rsp),%rsp\n ret\n1: mov $55,%eax\n lretq\n"
    "f_ljmp: lea -32(%rsp),%rsp\n lea 1f(%rip),%rax\n mov %rax,(%rsp)\n mov %cs,%eax\n mov %ax,8(%rsp)\n mov $4,%eax\n rex.W ljmp *(%rsp)\n"
    " ud2\n1: lea 32(%rsp),%rsp\n inc %eax\n ret\n");

int
main(void)
{
    for (int i = 0; i < 2000; i++) {
        EQ(f_lret(), 12);
        EQ(f_lret_imm(), 0);
        EQ(f_iret(0x202 | (i & 1)) & 0xcd5, i & 1);
        EQ(f_iret(0x202 | 0x8d5 | 0x400) & 0xcd5, 0xcd5);
        if (tl_bad)
            break;
    }
    return tl_end();
}
