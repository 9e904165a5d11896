/* drmemory's string functions in the engine, without the rest of drmemory: the program's array `redzone` is unaddressable,
 * `undefined` is undefined, and nothing else is. Prints each report: the function, what, offset and size. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "replace_strings.h"
#include "instrument.h"
#include "requests.h"

struct drmemory_options opt = {.check_uninitialized = true, .check_overlap = true};
static uint64_t redzone, undefined;
static uint32_t slot;
static bool quiet;

struct regstate *regstate_of(dr_thread *t) { return dr_thread_at(t, slot); }
void mode_update(dr_thread *t) { regstate_of(t)->summary = 0; }

static const char *
called(const struct dr_mcontext *mc)
{
    const struct replaced *r = replaced_at(mc->rip);

    return r ? r->what->shown ? r->what->shown : r->what->name : "?";
}

void
report_unaddressable(const struct dr_mcontext *mc, enum access_kind kind, uint64_t a, unsigned size)
{
    if (!quiet)
        dr_print("%s %s redzone+%ld %u\n", called(mc), kind == ACCESS_IS_READ ? "reads" : "writes", (long)(a - redzone), size);
}

void
report_uninitialized(const struct dr_mcontext *mc, enum uninit_kind kind, const char *detail, uint64_t a, unsigned size)
{
    (void)kind, (void)size;
    if (!quiet)
        dr_print("%s undefined %s+%ld\n", called(mc), detail, (long)(a - undefined));
}

void
report_overlap(const struct dr_mcontext *mc, const char *function, uint64_t dst, uint64_t src, uint64_t n)
{
    (void)mc;
    if (!quiet)
        dr_print("%s overlap %ld %lu\n", function, (long)(dst - src), n);
}

static bool
init(int argc, const char *const *argv)
{
    const char *why = shadow_init();

    (void)argv;
    quiet = argc > 1;
    if (why)
        dr_print("strings: %s\n", why);
    slot = dr_thread_memory(sizeof(struct regstate));
    return !why && slot && replace_init() && strings_init();
}

static void
module_load(const struct dr_module *m)
{
    if (m->is_program) {
        redzone = dr_symbol_address(m, "redzone");
        undefined = dr_symbol_address(m, "undefined");
        if (redzone)
            shadow_set(redzone, 64, SHADOW_UNADDRESSABLE);
        if (undefined)
            shadow_set(undefined, 64, SHADOW_UNDEFINED);
    }
    replace_module_load(m);
}

static void fork_child(dr_thread *t) { (void)t; replace_fork_child(); }
static bool block_begin(dr_block *b) { (void)b; return true; }

static void
block_insn(dr_block *b, unsigned i)
{
    if (i == 0)
        replace_block(b);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "strings",
    .init = init,
    .fork_child = fork_child,
    .module_load = module_load,
    .module_unload = replace_module_unload,
    .block_begin = block_begin,
    .block_insn = block_insn,
};
