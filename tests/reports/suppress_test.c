/* SPDX-License-Identifier: BSD-3-Clause */
/* Suppression files: what they accept, what they refuse and how they match. */
#include <stdlib.h>

#include "check.h"
#include "reports/model.h"

static struct frame stack_frames[] = {
    {.pc = 0x1010,
     .path = "/lib/libc.so.6",
     .module = "libc.so.6",
     .offset = 0x1010,
     .function = "memcpy",
     .signature = "memcpy",
     .linkage = "memcpy",
     .file = "/src/string/memcpy.c",
     .line = 12},
    {.pc = 0x2020,
     .path = "/opt/libreg.so.1",
     .module = "libreg.so.1",
     .offset = 0x2020,
     .function = "reg::Table<int>::grow",
     .signature = "reg::Table<int>::grow(unsigned long)",
     .linkage = "_ZN3reg5TableIiE4growEm",
     .file = "/src/reg.cc",
     .line = 40},
    {.pc = 0x2040, .path = "/opt/libreg.so.1", .module = "libreg.so.1", .offset = 0x2040},
    {.pc = 0x7000},
    {.pc = 0x40a1b2,
     .path = "/bin/app",
     .module = "app",
     .offset = 0x1a,
     .function = "main",
     .signature = "main",
     .linkage = "main"},
};
static struct stack stack = {.frames = stack_frames, .count = 5, .label = ""};

static struct finding
finding(enum finding_kind kind)
{
    return (struct finding){.kind = kind,
                            .number = 3,
                            .detail = "",
                            .instruction = "mov (%rax) -> %al",
                            .stacks = &stack,
                            .stack_count = 1,
                            .size = 4};
}

static bool
hides(const char *text, struct finding f)
{
    struct suppressions *s = suppressions_new();
    char *error = NULL;
    bool good = suppressions_parse(s, text, strlen(text), "test", &error), matched;

    if (!good)
        fprintf(stderr, "%s\n", error);
    CHECK(good);
    matched = suppressions_match(s, &f) != NULL;
    free(error);
    suppressions_free(s);
    return matched;
}

static void
check_refused(const char *text, const char *message)
{
    struct suppressions *s = suppressions_new();
    char *error = NULL;

    CHECK(!suppressions_parse(s, text, strlen(text), "f", &error));
    CHECK_TEXT(error, message);
    CHECK_NUMBER(suppressions_count(s), 0);
    free(error);
    suppressions_free(s);
}

TEST(suppress, stacks_match_by_prefix)
{
    struct finding leak = finding(FINDING_LEAK);

    CHECK(hides("LEAK\nlibc.so.6!memcpy\n", leak));
    CHECK(hides("# why\nLEAK\nname=x\nlibc*!mem?py\n\nlibreg.so.1!reg::*\n", leak));
    CHECK(!hides("LEAK\nlibreg.so.1!*\n", leak));
    CHECK(!hides("LEAK\nlibc.so.6!memcpy\n*\n*\n*\n*\n*\n", leak));
    CHECK(!hides("UNINITIALIZED READ\nlibc.so.6!memcpy\n", leak));
}

TEST(suppress, ellipsis_takes_any_number_of_frames)
{
    struct finding leak = finding(FINDING_LEAK);

    CHECK(hides("LEAK\n...\napp!main\n", leak));
    CHECK(hides("LEAK\n...\nlibc.so.6!memcpy\n...\napp!main\n", leak));
    CHECK(!hides("LEAK\n...\napp!other\n", leak));
}

TEST(suppress, module_ellipsis_takes_one_frame_or_more_of_the_module)
{
    struct finding leak = finding(FINDING_LEAK);

    CHECK(hides("LEAK\n*\nlibreg*!...\n<not in a module>\napp!main\n", leak));
    CHECK(hides("LEAK\nlibc*!...\nlibreg*!...\n", leak));
    CHECK(!hides("LEAK\nlibreg*!...\nlibc.so.6!memcpy\n", leak));
}

TEST(suppress, offsets_match_in_hexadecimal)
{
    struct finding leak = finding(FINDING_LEAK);

    CHECK(hides("LEAK\n...\n<app+0x1a>\n", leak));
    CHECK(hides("LEAK\n<libc.so.6+0x10?0>\n<libreg*+*>\n", leak));
    CHECK(!hides("LEAK\n<libc.so.6+0x1011>\n", leak));
}

TEST(suppress, names_match_with_and_without_parameters_and_template_arguments)
{
    struct finding leak = finding(FINDING_LEAK);

    CHECK(hides("LEAK\n*\nlibreg*!reg::Table<int>::grow\n", leak));
    CHECK(hides("LEAK\n*\nlibreg*!reg::Table<>::grow\n", leak));
    CHECK(hides("LEAK\n*\nlibreg*!reg::Table<int>::grow(unsigned long)\n", leak));
    CHECK(hides("LEAK\n*\nlibreg*!_ZN3reg5TableIiE4growEm\n", leak));
}

TEST(suppress, leak_covers_its_doubtful_forms_and_not_the_reverse)
{
    CHECK(hides("LEAK\nlibc*!*\n", finding(FINDING_POSSIBLE_LEAK)));
    CHECK(hides("LEAK\nlibc*!*\n", finding(FINDING_REACHABLE_LEAK)));
    CHECK(!hides("POSSIBLE LEAK\nlibc*!*\n", finding(FINDING_LEAK)));
}

TEST(suppress, instruction_narrows_a_rule)
{
    struct finding read = finding(FINDING_UNADDRESSABLE);

    CHECK(hides("UNADDRESSABLE ACCESS\ninstruction=mov (%rax)*\nlibc*!*\n", read));
    CHECK(!hides("UNADDRESSABLE ACCESS\ninstruction=add *\nlibc*!*\n", read));
}

TEST(suppress, valgrind_blocks_are_understood)
{
    struct finding leak = finding(FINDING_LEAK), bad = finding(FINDING_UNADDRESSABLE);

    bad.access = ACCESS_READ;
    CHECK(hides(
        "{\n n\n Memcheck:Leak\n match-leak-kinds: definite,possible\n fun:memcpy\n fun:_ZN3reg*\n obj:/opt/*\n}\n",
        leak));
    CHECK(hides("{\n n\n Memcheck:Leak\n ...\n fun:main\n ...\n}\n", leak));
    CHECK(hides("{\n n\n drmemory,Memcheck:Addr4\n fun:memcpy\n}\n", bad));
    CHECK(!hides("{\n n\n Memcheck:Addr8\n fun:memcpy\n}\n", bad));
    CHECK(!hides("{\n n\n Memcheck:Leak\n match-leak-kinds: reachable\n fun:memcpy\n}\n", leak));
    CHECK(!hides("{\n n\n Helgrind:Race\n fun:memcpy\n}\n", leak));
    CHECK(hides("{\n n\n Memcheck:Leak\n src:memcpy.c:12\n src:reg.cc\n}\n", leak));
}

TEST(suppress, mistakes_are_named_with_file_and_line)
{
    check_refused("LAEK\n", "f:1: expected a type of error such as LEAK, or {, not \"LAEK\"");
    check_refused("\n\nLEAK\nname=x\n", "f:3: the suppression has no frames");
    check_refused("LEAK\nmain\n",
                  "f:2: expected a frame such as module!function, <module+offset> or ..., not \"main\"");
    check_refused(
        "LEAK\na!b\n...\n",
        "f:1: the suppression ends in \"...\", which means nothing: stacks match by their first frames");
    check_refused("LEAK\ninstruction=mov\na!b\n",
                  "f:2: instruction= is for UNADDRESSABLE ACCESS and UNINITIALIZED READ only");
    check_refused("{\n n\n Memcheck:Leak\n fun:x\n", "f:1: the block that starts here has no closing }");
    check_refused("{\n n\n Memcheck:Laek\n fun:x\n}\n", "f:3: unknown kind of Memcheck error \"Laek\"");
    check_refused("LEAK\na!b\n{\n n\n Memcheck:Param\n fun:x\n}\n",
                  "f:6: a Param block names the parameter before its frames");
}

TEST(suppress, generated_ones_hide_what_they_were_made_from)
{
    static const unsigned styles[] = {SUPPRESS_BY_SYMBOL, SUPPRESS_BY_OFFSET, SUPPRESS_VALGRIND};

    for (int kind = 0; kind < FINDING_KINDS; kind++)
        for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
            struct finding f = finding(kind);
            char *text = suppression_for(&f, styles[i]);

            CHECK(hides(text, f));
            free(text);
        }
}

TEST(suppress, generated_text_is_dr_memorys)
{
    struct finding f = finding(FINDING_UNADDRESSABLE);
    char *text = suppression_for(&f, SUPPRESS_BY_SYMBOL);

    CHECK_TEXT(text, "UNADDRESSABLE ACCESS\nname=Error #3 (update to meaningful name)\n"
                     "instruction=mov (%rax) -> %al\nlibc.so.6!memcpy\nlibreg.so.1!reg::Table<int>::grow\n"
                     "<libreg.so.1+0x2040>\n<not in a module>\napp!main\n");
    free(text);
}

TEST(suppress, wildcards_need_no_exponential_time)
{
    char text[2001], pattern[400];

    memset(text, 'a', 2000);
    text[2000] = 0;
    for (int i = 0; i < 199; i++)
        memcpy(pattern + 2 * i, "a*", 2);
    strcpy(pattern + 398, "b");
    CHECK(!wildcard_match(pattern, text));
    CHECK(wildcard_match("*a?a*", text));
    CHECK(wildcard_match("**", ""));
    CHECK(!wildcard_match("?", ""));
}
