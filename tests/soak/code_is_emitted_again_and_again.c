// SPDX-License-Identifier: BSD-3-Clause
/* SOAK_EMITS times a JIT writes a function, calls it and checks what it returns, in the ways that JITs do it in turn:
 * over the last one in writable code; through a second, writable mapping of the same memory; with mprotect between
 * writing and running; in a fresh mapping that is then unmapped; around a ring of slots; and by patching only the
 * constant of a loop's body. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include "soak.h"

#define PAGE  4096
#define SLOTS 64

typedef uint32_t (*function)(uint32_t);

static uint8_t *plain, *alias_run, *alias_write, *flipped;

static void *
map(int protection, int flags, int fd)
{
    void *p = mmap(NULL, PAGE, protection, flags, fd, 0);

    SOAK_CHECK(p != MAP_FAILED, "errno %d", errno);
    return p;
}

/* Writes "return argument * 3 + k", with a jump in it when k is odd, so that lengths and blocks differ. */
static void
emit(uint8_t *to, uint32_t k)
{
    uint8_t code[32], *p = code;

    *p++ = 0x8d, *p++ = 0x04, *p++ = 0x7f; /* lea eax, [rdi+rdi*2] */
    if (k & 1) {
        *p++ = 0xeb, *p++ = 0x02; /* jmp over */
        *p++ = 0x0f, *p++ = 0x0b; /* ud2      */
    }
    *p++ = 0x05; /* add eax, k */
    memcpy(p, &k, 4);
    p += 4;
    *p++ = 0xc3; /* ret */
    memcpy(to, code, (size_t)(p - code));
}

static void
check_call(const uint8_t *code, uint32_t k, const char *how)
{
    uint32_t got = ((function)(uintptr_t)code)(k + 1);

    SOAK_CHECK(got == (k + 1) * 3 + k, "%s: function %u returned %u", how, k, got);
}

static void
emit_in_place(uint32_t k)
{
    emit(plain, k);
    check_call(plain, k, "in place");
}

static void
emit_in_ring(uint32_t k)
{
    uint8_t *slot = plain + 1024 + k / 6 % SLOTS * 32;

    emit(slot, k);
    check_call(slot, k, "in a ring");
}

static void
emit_through_alias(uint32_t k)
{
    emit(alias_write, k);
    check_call(alias_run, k, "through an alias");
}

static void
emit_with_mprotect(uint32_t k)
{
    SOAK_CHECK(mprotect(flipped, PAGE, PROT_READ | PROT_WRITE) == 0, "errno %d", errno);
    emit(flipped, k);
    SOAK_CHECK(mprotect(flipped, PAGE, PROT_READ | PROT_EXEC) == 0, "errno %d", errno);
    check_call(flipped, k, "with mprotect");
}

static void
emit_in_fresh_mapping(uint32_t k)
{
    uint8_t *fresh = map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    emit(fresh, k);
    check_call(fresh, k, "in a fresh mapping");
    munmap(fresh, PAGE);
}

static void
patch_constant(uint32_t k)
{
    uint8_t *code = plain + 512;

    if (code[0] == 0)
        emit(code, k & ~1u);
    memcpy(code + 4, &k, 4);
    check_call(code, k, "with a patched constant");
}

int
main(void)
{
    static void (*const ways[])(uint32_t) = {emit_in_place,      emit_in_ring,          emit_through_alias,
                                             emit_with_mprotect, emit_in_fresh_mapping, patch_constant};
    long emits = soak_size("SOAK_EMITS", 1000000);
    int fd = memfd_create("code", MFD_CLOEXEC), sized = ftruncate(fd, PAGE);

    SOAK_CHECK(fd >= 0 && sized == 0, "errno %d", errno);
    plain = map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    flipped = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    alias_run = map(PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    alias_write = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    for (long i = 1; i <= emits; i++) {
        ways[i % 6]((uint32_t)i * 2654435761u);
        soak_step(i, emits);
    }
    printf("code emitted %ld times\n", emits);
    return 0;
}
