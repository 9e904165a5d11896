#include "tl.h"

/* pushes, pops, calls and jumps whose operand is rsp or is addressed through it */
extern long f_push_rsp(void), f_pop_rsp(void), f_pop_mem(void), f_push_mem(void), f_call_mem(void),
    f_jmp_mem(void);
extern long f_call_reg_sp(void), f_pop16(void), f_pusha16(void), f_xchg(void), f_ret_chain(void),
    f_push_seg(void);
asm(".text\n"
    "f_push_rsp: mov %rsp,%rcx\n push %rsp\n pop %rax\n sub %rcx,%rax\n ret\n"
    "f_pop_rsp: mov %rsp,%rcx\n lea -64(%rsp),%rax\n mov %rax,-8(%rsp)\n sub $8,%rsp\n pop %rsp\n"
    " mov %rsp,%rax\n sub %rcx,%rax\n mov %rcx,%rsp\n ret\n"
    /* pop m: the address uses rsp after the increment */
    "f_pop_mem: sub $24,%rsp\n movq $1,8(%rsp)\n movq $2,16(%rsp)\n push $77\n pop 8(%rsp)\n"
    " mov 8(%rsp),%rax\n imul $100,16(%rsp),%rcx\n add %rcx,%rax\n add $24,%rsp\n ret\n"
    /* push m: the address uses rsp before the decrement */
    "f_push_mem: sub $16,%rsp\n movq $5,(%rsp)\n movq $6,8(%rsp)\n push 8(%rsp)\n push (%rsp)\n"
    " pop %rax\n pop %rcx\n imul $10,%rcx,%rcx\n add %rcx,%rax\n push (%rsp)\n pop %rcx\n imul $100,%rcx,%rcx\n"
    " add %rcx,%rax\n add $16,%rsp\n ret\n"
    "f_call_mem: lea 1f(%rip),%rax\n sub $16,%rsp\n mov %rax,8(%rsp)\n mov %rax,(%rsp)\n xor %eax,%eax\n"
    " call *8(%rsp)\n call *(%rsp)\n add $16,%rsp\n ret\n"
    "1: add $21,%eax\n ret\n"
    "f_jmp_mem: lea 1f(%rip),%rax\n push %rax\n lea 2f(%rip),%rax\n push %rax\n jmp *(%rsp)\n ud2\n"
    "2: jmp *8(%rsp)\n ud2\n"
    "1: add $16,%rsp\n mov $9,%eax\n ret\n"
    /* rsp+index forms, and a call through a register right after rsp moved */
    "f_call_reg_sp: lea 1f(%rip),%rax\n push %rax\n mov $-1,%rcx\n xor %edx,%edx\n call *8(%rsp,%rcx,8)\n pop %rcx\n"
    " mov %rdx,%rax\n ret\n"
    "1: mov (%rsp),%rdx\n lea 1b-2(%rip),%rcx\n xor %edx,%edx\n mov $33,%edx\n ret\n"
    "f_pop16: mov %rsp,%rcx\n mov $-1,%rax\n pushw $0x1234\n pop %ax\n pushw %cx\n popw %dx\n sub %cx,%dx\n"
    " movzwl %dx,%edx\n sub %rsp,%rcx\n add %rdx,%rax\n add %rcx,%rax\n ret\n"
    "f_pusha16: push $-2\n pushw $-3\n pushw $7\n mov (%rsp),%rax\n add $4,%rsp\n pop %rcx\n sub %rcx,%rax\n ret\n"
    "f_xchg: mov %rsp,%rcx\n lea -256(%rsp),%rax\n xchg %rax,%rsp\n push $3\n pop %rdx\n xchg %rsp,%rax\n sub %rcx,%rax\n"
    " neg %rax\n sub %rcx,%rax\n add %rsp,%rax\n add %rdx,%rax\n mov %rcx,%rsp\n sub %rcx,%rax\n add %rcx,%rax\n"
    " and $0xffff,%eax\n ret\n"
    "f_ret_chain: lea 3f(%rip),%rax\n push %rax\n lea 2f(%rip),%rax\n push %rax\n lea 1f(%rip),%rax\n push %rax\n"
    " mov $1,%eax\n ret\n"
    "2: imul $3,%eax\n ret\n1: add $4,%eax\n ret\n3: add $1,%eax\n ret\n"
    "f_push_seg: mov $-1,%rax\n push %rax\n push %fs\n pop %rcx\n pop %rcx\n push %gs\n pop %rax\n and $0xffff,%eax\n ret\n");

int
main(void)
{
    for (int i = 0; i < 1000; i++) {
        EQ(f_push_rsp(), 0);
        EQ(f_pop_rsp(), -64);
        EQ(f_pop_mem(), 77 + 200);
        EQ(f_push_mem(), 566);
        EQ(f_call_mem(), 42);
        EQ(f_jmp_mem(), 9);
        EQ(f_call_reg_sp(), 33);
        EQ(f_pop16(), (long)0xffffffffffff1234);
        EQ(f_pusha16() & 0xffff, (7 + 2) & 0xffff);
        EQ(f_ret_chain(), 16);
        if (tl_bad)
            break;
    }
    printf("%ld %ld %lx\n", f_xchg(), f_push_seg(), f_pusha16());
    return tl_end();
}
