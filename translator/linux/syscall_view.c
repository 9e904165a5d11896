/* One call as its arguments choose it: finds a multiplexer's command and
 * decides which registers the kernel examines.
 * Threads: any; pure functions of their arguments. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "syscall_rows.h"

static const struct syscall_variant *
variant_of(const struct syscall_variants *v, const uint64_t *arg)
{
    uint32_t key = v->key(arg);

    for (unsigned i = 0; i < v->n; i++)
        if (v->row[i].key == key)
            return &v->row[i];
    return NULL;
}

static bool
examined(const struct syscall_arg *g, const uint64_t *arg)
{
    uint64_t v = arg[g->if_arg];

    switch (g->if_how) {
    case IF_ANY: return ((uint32_t)v & g->if_mask) != 0;
    case IF_NONE: return ((uint32_t)v & g->if_mask) == 0;
    case IF_NONZERO: return v != 0;
    default: return true;
    }
}

static void
set_args(struct syscall_view *out, unsigned first, unsigned n, const struct syscall_arg *g,
         const uint64_t *arg)
{
    for (unsigned i = 0; i < n; i++) {
        out->arg[first + i] = &g[i];
        out->bits[first + i] = examined(&g[i], arg) ? g[i].bits : 0;
    }
    out->nargs = (uint8_t)(first + n);
}

bool
syscall_view(const struct syscall_args *a, struct syscall_view *out)
{
    const struct syscall_info *info = syscall_info(a->nr);
    const struct syscall_variant *v;

    *out = (struct syscall_view){.info = info};
    if (!info)
        return false;
    out->flags = info->flags;
    set_args(out, 0, info->nargs, info->arg, a->arg);
    if (!info->variants)
        return true;

    v = variant_of(info->variants, a->arg);
    if (v)
        out->command = v->name;
    else
        v = info->variants->other;
    if (!v) {
        for (unsigned k = info->variants->first; k < info->nargs; k++)
            out->bits[k] = info->arg[k].kind == SYSCALL_ARG_COMMAND ? info->arg[k].bits : 0;
        return false;
    }
    out->flags = v->flags;
    set_args(out, info->variants->first, v->nargs, v->arg, a->arg);
    return out->command != NULL;
}

unsigned
syscall_descriptor_args(const struct syscall_args *a)
{
    struct syscall_view v;
    unsigned set = 0;

    syscall_view(a, &v);
    for (unsigned k = 0; k < v.nargs; k++)
        if (v.arg[k]->kind == SYSCALL_ARG_FD && v.bits[k])
            set |= 1u << k;
    return set;
}

static bool
writes(const struct syscall_arg *g, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (g[i].access & ACCESS_OUT)
            return true;
    return false;
}

bool
syscall_may_write(unsigned nr)
{
    const struct syscall_info *info = syscall_info(nr);
    const struct syscall_variants *v;

    if (!info || (info->flags & SYSCALL_FARMEM) || writes(info->arg, info->nargs))
        return true;
    v = info->variants;
    if (!v)
        return false;
    if (v->other && writes(v->other->arg, v->other->nargs))
        return true;
    for (unsigned i = 0; i < v->n; i++)
        if (writes(v->row[i].arg, v->row[i].nargs))
            return true;
    return false;
}
