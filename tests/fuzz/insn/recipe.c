/* Lays a recipe out as a case: addresses first, then displacements. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "recipe.h"

#include <string.h>

uint64_t zone_base[ZONE_COUNT] = {ZONE_LOW_BASE, ZONE_FAR_BASE};

uint32_t
recipe_place(const struct recipe *r)
{
    return r->install == INSTALL_PROTECT ? CODE_WX : r->install == INSTALL_ALIAS ? CODE_ALIAS : CODE_RWX;
}

/* A label on a dropped item means the next one that is kept. */
static int
resolve(const struct recipe *r, int target)
{
    while (target < r->nitems - 1 && r->item[target].dropped)
        target++;
    return target < r->nitems ? target : r->nitems - 1;
}

/* A short jump that does not reach its target goes to the nearest item that it reaches. */
static int
nearest(const struct recipe *r, const uint16_t *off, int from, int target)
{
    int after = from + 1, step = target < from ? 1 : -1;

    while (target != after && (off[target] - off[after] > 120 || off[target] - off[after] < -120))
        target += step;
    return resolve(r, target);
}

static void
put(uint8_t *p, uint64_t v, size_t n)
{
    memcpy(p, &v, n);
}

static void
apply_fix(const struct recipe *r, int i, const uint16_t *off, uint64_t code, uint8_t *out)
{
    const struct item *it = &r->item[i];
    uint64_t next = code + off[i] + it->len;
    uint64_t target = it->target < 0 ? 0 : code + off[resolve(r, it->target)];
    uint8_t *p = out + off[i] + it->fix_off;

    switch (it->fix) {
    case FIX_REL8: put(p, code + off[nearest(r, off, i, resolve(r, it->target))] - next, 1); break;
    case FIX_REL16: put(p, target - next, 2); break;
    case FIX_REL32: put(p, target - next, 4); break;
    case FIX_REL32_TO:
    case FIX_RIP: put(p, it->address - next, 4); break;
    case FIX_RIP_LABEL: put(p, target + (uint64_t)it->addend - next, 4); break;
    case FIX_ABS32: put(p, target, 4); break;
    case FIX_ABS64: put(p, target, 8); break;
    }
}

static void
copy_settings(const struct recipe *r, struct insn_case *c)
{
    c->id = r->id;
    c->far_base = zone_base[ZONE_FAR];
    c->zone = r->zone;
    c->install = r->install;
    c->entry = r->entry;
    c->fault_action = r->fault_action;
    c->fault_limit = r->fault_limit;
    c->reps = r->reps;
    c->components = r->components;
    c->code_off = r->code_off;
    c->start = r->start;
    c->trace = c->check_async = c->pad = 0;
    c->pad2 = 0;
}

bool
recipe_layout(const struct recipe *r, struct insn_case *c)
{
    uint16_t off[ITEMS_MAX + 1];
    uint64_t code;
    uint16_t n = 0;

    for (int i = 0; i < r->nitems; i++) {
        off[i] = n;
        n += r->item[i].dropped ? 0 : r->item[i].len;
        if (n > CODE_MAX)
            return false;
    }
    copy_settings(r, c);
    if (r->at_end)
        c->code_off = CODE_SIZE - n;
    if (c->code_off + n > CODE_SIZE)
        return false;
    code = zone_base[r->zone] + recipe_place(r) + c->code_off;
    c->code_len = n;
    c->nmarks = c->npokes = 0;
    memset(c->code, 0xcc, sizeof c->code);
    for (int i = 0; i < r->nitems; i++) {
        const struct item *it = &r->item[i];

        if (it->dropped)
            continue;
        memcpy(c->code + off[i], it->bytes, it->len);
        apply_fix(r, i, off, code, c->code);
        c->mark[c->nmarks++] = (struct mark){off[i], it->kind, it->len, it->fix_off};
    }
    for (int i = 0; i < r->npokes; i++) {
        const struct recipe_poke *p = &r->poke[i];
        uint64_t label = p->target < 0 ? 0 : code + off[resolve(r, p->target)];

        c->poke[c->npokes++] = (struct poke){p->addr, p->value + label};
    }
    return true;
}
