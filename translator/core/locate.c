/* Program addresses to module, offset and symbol, for reports of tools that do without the reporter. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/tools.h"
#include "linux/modules.h"

struct wanted { uint64_t vaddr; struct dr_location *out; };

static bool
lies_in(const struct file_symbol *s, void *arg)
{
    struct wanted *w = arg;

    if ((s->type != DR_SYMBOL_FUNCTION && s->type != DR_SYMBOL_IFUNC) || w->vaddr - s->vaddr >= MAX(s->size, 1))
        return true;
    w->out->symbol = s->name;
    w->out->symbol_offset = w->vaddr - s->vaddr;
    return false;
}

void
locate(uint64_t pc, struct dr_location *out)
{
    struct wanted w = {.out = out};
    struct dr_module m;

    *out = (struct dr_location){0};
    if (!module_find(pc, &m))
        return;
    out->module = m.path;
    out->offset = pc - m.start;
    w.vaddr = pc - m.bias;
    module_file_symbols(m.handle, lies_in, &w);
}
