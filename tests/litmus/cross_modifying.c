// SPDX-License-Identifier: BSD-3-Clause
/* Cross-modifying code as the manuals allow it (Intel SDM 9.1.3): one thread writes code and then a flag, the other
 * sees the flag, serializes, and runs the code: it must be the new code.
 *
 *   cross_modifying cpuid | iret | membarrier
 *
 * The reader serializes by cpuid or iret, or the writer has the kernel do it by membarrier(SYNC_CORE).
 * Half of the time the writer patches one constant, half of the time it writes another function. */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint8_t *code;
static atomic_long published, answered;
static long rounds, wrong;

static void
by_cpuid(void)
{
    unsigned a = 0, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)::"memory");
}

static void
by_iret(void)
{
    __asm__ volatile("mov %%rsp, %%rax\n\t"
                     "lea -128(%%rsp), %%rsp\n\t" /* the red zone is the compiler's */
                     "mov %%ss, %%ecx\n\t"
                     "push %%rcx\n\t"
                     "push %%rax\n\t"
                     "pushfq\n\t"
                     "mov %%cs, %%ecx\n\t"
                     "push %%rcx\n\t"
                     "lea 1f(%%rip), %%rcx\n\t"
                     "push %%rcx\n\t"
                     "iretq\n"
                     "1:" ::
                         : "rax", "rcx", "memory", "cc");
}

static void
by_nobody(void)
{
}

static const struct way {
    const char *name;
    void (*reader_serializes)(void);
    int membarrier;
} ways[] = {{"cpuid", by_cpuid, 0}, {"iret", by_iret, 0}, {"membarrier", by_nobody, 1}};
static const struct way *way;

static void
wait_for(atomic_long *word, long value)
{
    for (int spins = 0; atomic_load(word) < value; spins++)
        if (spins > 500)
            sched_yield();
}

/* Writes "return n", as mov or as lea; for odd n only its constant changes. */
static void
write_function(long n)
{
    uint32_t value = (uint32_t)n;

    if (n % 2 == 0 && n % 4 == 0)
        memcpy(code, "\x90\xb8\0\0\0\0\xc3", 7); /* nop; mov eax, 0; ret */
    else if (n % 2 == 0)
        memcpy(code, "\x8d\x04\x25\0\0\0\0\xc3", 8); /* lea eax, [0]; ret    */
    memcpy(code + (code[0] == 0x90 ? 2 : 3), &value, 4);
}

static void *
reader(void *unused)
{
    for (long n = 1; n <= rounds; n++) {
        wait_for(&published, n);
        way->reader_serializes();
        wrong += ((long (*)(void))(uintptr_t)code)() != n;
        atomic_store(&answered, n);
    }
    return unused;
}

int
main(int argc, char **argv)
{
    const char *size = getenv("LITMUS_ROUNDS");
    pthread_t id;

    rounds = size ? strtol(size, NULL, 10) : 20000;
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        if (argc > 1 && strcmp(ways[i].name, argv[1]) == 0)
            way = &ways[i];
    if (!way)
        return 2;
    if (way->membarrier &&
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) != 0) {
        puts("skipped: the kernel has no membarrier(SYNC_CORE)");
        return 77;
    }
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    write_function(0);
    pthread_create(&id, NULL, reader, NULL);
    for (long n = 1; n <= rounds; n++) {
        write_function(n);
        if (way->membarrier)
            syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
        atomic_store(&published, n);
        wait_for(&answered, n);
    }
    pthread_join(id, NULL);
    printf("%s: old code was run %ld times in %ld rounds\n", way->name, wrong, rounds);
    return wrong != 0;
}
