/* Call frame information: expressions by hand, this program's own tables, and tables with random bytes changed, which must neither hang nor
 * touch anything but what they point to. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "unit.h"
#include "unwind/cfi.h"

#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static sigjmp_buf back;
static void on_fault(int sig) { siglongjmp(back, sig); }

static uint64_t seed = 88172645463325252ull;
static uint64_t
any(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* ---- expressions ---- */

static int64_t
value(const char *code, uint64_t n)
{
    struct frame f = {.pc = 0x1234567b};
    uint64_t out = 0;

    for (unsigned i = 0; i < 16; i++)
        f.r[i] = 1000 + i;
    return cfi_expression((const uint8_t *)code, n, &f, false, 0, &out) ? (int64_t)out : -99999;
}
#define VALUE(code) value(code, sizeof code - 1)

TEST(cfi, expressions_have_their_values)
{
    EXPECT_EQUAL("lit5 lit3 minus", VALUE("\x35\x33\x1c"), 2);
    EXPECT_EQUAL("breg7 (rsp) -8", VALUE("\x77\x78"), 1004 - 8);
    EXPECT_EQUAL("breg6 (rbp) 16", VALUE("\x76\x10"), 1005 + 16);
    EXPECT_EQUAL("const2s -300, abs", VALUE("\x0b\xd4\xfe\x19"), 300);
    EXPECT_EQUAL("constu 624485", VALUE("\x10\xe5\x8e\x26"), 624485);
    EXPECT_EQUAL("lazy PLT", VALUE("\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"), 1004 + 16);
    EXPECT_EQUAL("lit1 bra 1 lit7 lit9", VALUE("\x31\x28\x01\x00\x37\x39"), 9);
    EXPECT_EQUAL("rot", VALUE("\x31\x32\x33\x17\x1c"), 1 - 2 + 0);
    EXPECT_EQUAL("division by zero", VALUE("\x31\x30\x1b"), -99999);
    EXPECT_EQUAL("empty stack", VALUE("\x22"), -99999);
    EXPECT_EQUAL("endless", VALUE("\x2f\xfd\xff"), -99999);
    EXPECT_EQUAL("cut short", VALUE("\x0e\x01\x02"), -99999);
    EXPECT_EQUAL("more than the stack", VALUE("\x31\x12\x2f\xfc\xff"), -99999);
}

/* ---- this program ---- */

static int
find_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct cfi_image *im = arg;
    uint64_t hdr = 0, n = 0;

    (void)size;
    im->lo = UINT64_MAX;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD) {
            im->lo = MIN(im->lo, info->dlpi_addr + p->p_vaddr);
            im->hi = MAX(im->hi, info->dlpi_addr + p->p_vaddr + p->p_memsz);
        } else if (p->p_type == PT_GNU_EH_FRAME) {
            hdr = info->dlpi_addr + p->p_vaddr;
            n = p->p_memsz;
        }
    }
    EXPECT_EQUAL("tables", cfi_open(im, hdr, n), true);
    return 1;                        /* the program comes first */
}

static void count_entry(const struct cfi_entry *e, void *arg) { *(uint64_t *)arg += e->end - e->start; }

TEST(cfi, every_entry_of_the_table_is_found)
{
    struct cfi_image im = {0};
    struct rule r;
    uint64_t bytes = 0;

    dl_iterate_phdr(find_program, &im);
    EXPECT_EQUAL("entries of .eh_frame and of its table", cfi_each(&im, count_entry, &bytes), im.n_table);
    EXPECT_EQUAL("bytes of code", bytes > 1000, true);
    const int32_t *t = (const int32_t *)im.table;
    for (uint64_t i = 0; i < im.n_table; i++) {
        cfi_rule(&im, im.hdr + (uint64_t)(int64_t)t[2 * i], &r);
        if (r.kind != RULE_CFA && r.kind != RULE_END)
            EXPECT_EQUAL("first instruction of a function", r.kind, RULE_CFA);
        if (r.kind == RULE_CFA)
            EXPECT_EQUAL("return address", r.cfa_offset + r.ra, r.cfa_offset - 8);
    }
}

/* ---- damage ---- */

TEST(cfi, damaged_tables_end)
{
    enum { ROUNDS = 3000, PLACES = 30 };
    struct cfi_image im = {0}, bad;
    volatile unsigned faults = 0, found = 0;

    dl_iterate_phdr(find_program, &im);
    uint64_t n = im.hi - im.lo;
    uint8_t *copy = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    time_t start = time(NULL);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t by = (uint64_t)copy - im.lo, size = im.n_table * 200;
        bad = (struct cfi_image){.lo = (uint64_t)copy, .hi = (uint64_t)copy + n};
        for (uint64_t i = MIN(im.hdr, im.frames) - im.lo; i < n && i < im.hdr - im.lo + size; i++)
            copy[i] = ((const uint8_t *)im.lo)[i];
        for (uint64_t k = 1 + any(200); k; k--)
            copy[im.frames - im.lo + any(size)] = (uint8_t)any(256);
        if (any(4) == 0)
            copy[im.hdr - im.lo + any(40)] = (uint8_t)any(256);
        if (sigsetjmp(back, 1)) {
            faults++;                /* a pointer led there: the engine recovers */
            continue;
        }
        if (!cfi_open(&bad, im.hdr + by, 4096))
            continue;
        for (unsigned k = 0; k < PLACES; k++) {
            struct frame f = {.pc = im.lo + by + any(n), .exact = true};
            struct rule r;
            bool signal_frame;
            for (unsigned i = 0; i < 16; i++)
                f.r[i] = (uint64_t)copy + any(n - 64);
            cfi_rule(&bad, f.pc, &r);
            found += r.kind != RULE_NONE;
            cfi_step(&bad, &f, &signal_frame);
        }
        cfi_each(&bad, count_entry, &(uint64_t){0});
    }
    EXPECT_EQUAL("seconds", time(NULL) - start < 60, true);
    EXPECT_EQUAL("half of them do without a fault", faults < ROUNDS / 2, true);
    EXPECT_EQUAL("there are rules in what is left", found > ROUNDS, true);
    munmap(copy, n);
}

UNIT_MAIN
