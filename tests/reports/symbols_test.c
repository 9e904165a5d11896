/* SPDX-License-Identifier: BSD-3-Clause */
/* The symbolizer on this very program, on the vdso, and on files that are not what they should be.
 * Agreement with other readers over many addresses: agree_with_addr2line.py. */
#include "reports/symbols.h"

#include <link.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "reports/demangle.h"

/* Where this program is loaded. */
static int
take_base(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    *(uint64_t *)base = info->dlpi_addr;
    return 1; /* the program is the first */
}

static uint64_t
in_file(void *code)
{
    uint64_t base = 0;

    dl_iterate_phdr(take_base, &base);
    return (uint64_t)code - base;
}

static inline __attribute__((always_inline)) void *
inlined_here(void)
{
    void *pc;

    __asm__ volatile("lea 0(%%rip), %0" : "=r"(pc));
    return (char *)pc - 1; /* the last byte of the lea, as of a call whose return address is known */
}

__attribute__((noinline)) static void *
holder(void)
{
    void *pc = inlined_here();

    __asm__ volatile("" : "+r"(pc));
    return pc;
}

TEST(symbols, names_inlined_functions_and_lines_of_this_program)
{
    struct symbols *s = symbols_new(NULL, 0);
    const struct symbol_frame *f;
    size_t n = symbols_lookup(symbols_module(s, "/proc/self/exe", NULL, 0), in_file(holder()), &f);

    CHECK_NUMBER(n, 2);
    if (n == 2) {
        CHECK_TEXT(f[0].function, "inlined_here");
        CHECK(f[0].inlined && !f[1].inlined);
        CHECK_TEXT(f[1].function, "holder");
        CHECK(f[1].line > f[0].line && f[0].line > 0);
        CHECK(f[0].file && strstr(f[0].file, "tests/reports/symbols_test.c"));
    }
    symbols_free(s);
}

TEST(symbols, small_memory_budget_changes_no_answer)
{
    struct symbols *s = symbols_new(NULL, 1);
    struct symbol_module *m = symbols_module(s, "/proc/self/exe", NULL, 0);
    const struct symbol_frame *f;

    CHECK_NUMBER(symbols_lookup(m, in_file(holder()), &f), 2);
    CHECK(symbols_lookup(m, in_file((void *)demangle) + 4, &f) >= 1);
    CHECK_TEXT(f[0].function, "demangle");
    CHECK_NUMBER(symbols_lookup(m, in_file(holder()), &f), 2);
    symbols_free(s);
}

TEST(symbols, vdso_functions_are_named)
{
    struct symbols *s = symbols_new(NULL, 0);
    const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
    struct symbol_module *m = symbols_module(s, "[vdso]", NULL, 0);
    const struct symbol_frame *f;
    bool found = false;

    if (image)
        for (uint64_t a = 0; a < 0x2000 && !found; a += 16)
            found = symbols_lookup(m, a, &f) && f[0].function && strstr(f[0].function, "clock_gettime");
    CHECK(found || !image);
    symbols_free(s);
}

TEST(symbols, another_build_and_a_missing_file_say_so)
{
    struct symbols *s = symbols_new(NULL, 0);
    const struct symbol_frame *f;
    struct symbol_module *other = symbols_module(s, "/proc/self/exe", "\1\2\3\4\5\6\7\10\11\12", 10);
    struct symbol_module *gone = symbols_module(s, "/nowhere/at/all", NULL, 0);

    CHECK_NUMBER(symbols_lookup(other, in_file(holder()), &f), 0);
    CHECK(symbols_quality(other) == SYMBOLS_REPLACED);
    CHECK_NUMBER(symbols_lookup(gone, 0x1000, &f), 0);
    CHECK(symbols_quality(gone) == SYMBOLS_GONE);
    symbols_free(s);
}

TEST(symbols, cpp_and_rust_names_are_demangled)
{
    static const char *const names[][3] = {
        {"_ZN3foo3barEi", "foo::bar(int)", "foo::bar"},
        {"_ZNSt6vectorIiSaIiEE9push_backERKi",
         "std::vector<int, std::allocator<int> >::push_back(int const&)",
         "std::vector<int, std::allocator<int> >::push_back"},
        {"_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE", "core::fmt::Formatter::write_str",
         "core::fmt::Formatter::write_str"},
        {"_RNvCs1234_7mycrate3foo", "mycrate::foo", "mycrate::foo"},
        {"plain", "plain", "plain"},
        {"_Z", "_Z", "_Z"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *with = demangle(names[i][0], true), *without = demangle(names[i][0], false);

        CHECK_TEXT(with, names[i][1]);
        CHECK_TEXT(without, names[i][2]);
        free(with);
        free(without);
    }
}
