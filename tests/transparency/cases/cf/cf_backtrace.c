//! build: gcc -O1 -w -fno-optimize-sibling-calls -fno-omit-frame-pointer -rdynamic -I$INC $SRC -o $OUT -lpthread
#include "tl.h"
#include <execinfo.h>
#include <unwind.h>

/* return addresses on the stack are the program's own: seen directly, by frame pointer and by the unwinder */
static char names[20][64];
static int depth;

static _Unwind_Reason_Code
step(struct _Unwind_Context *c, void *a)
{
    Dl_info d;
    void *ip = (void *)(_Unwind_GetIP(c) - 1);
    if (depth < 20 && dladdr(ip, &d) && d.dli_sname)
        snprintf(names[depth++], 64, "%s", d.dli_sname);
    return !strcmp(names[depth - 1], "main") ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void
hd(int s, siginfo_t *si, void *v)
{
    depth = 0;
    _Unwind_Backtrace(step, 0);
}

__attribute__((noinline)) void
faults(int how)
{
    if (how)
        raise(SIGUSR1);
    else
        hd(0, 0, 0);
    asm volatile("");
}

__attribute__((noinline)) void
outer(int how)
{
    faults(how);
    asm volatile("");
}

__attribute__((noinline)) void
outermost(int how)
{
    outer(how);
    asm volatile("");
}

extern char after_call[];

__attribute__((noinline)) static void *
mine(void)
{
    return __builtin_return_address(0);
}

int
main(void)
{
    void *ra;
    tl_on(SIGUSR1, hd, 0);
    for (int how = 0; how < 2; how++) {
        outermost(how);
        int seen = 0;
        for (int i = 0; i < depth; i++) {
            const char *want[] = {"faults", "outer", "outermost", "main"};
            if (seen < 4 && !strcmp(names[i], want[seen]))
                seen++;
        }
        EQ(seen, 4);
    }
    asm volatile("call 1f\n .globl after_call\n after_call: jmp 2f\n 1: mov (%%rsp),%0\n ret\n 2:"
                 : "=r"(ra)::"memory");
    EQ(ra, after_call);
    for (int i = 0; i < 10000; i++) {
        void *r = mine();
        CHECK(r > (void *)main && r < (void *)((char *)main + 4096));
    }
    void *b[50];
    int n = backtrace(b, 50);
    CHECK(n >= 2);
    Dl_info d;
    CHECK(dladdr(b[0], &d) && !strcmp(d.dli_sname, "main"));
    /* by hand over the frame pointers */
    void **fp = __builtin_frame_address(0);
    CHECK(dladdr(fp[1], &d) && strstr(d.dli_fname, "libc.so"));
    return tl_end();
}
