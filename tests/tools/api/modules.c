/* Tells of each module that comes and goes, of what the engine knows when the program asks by the system call 1000,
 * and of the symbols named on its command line (-NAME). */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

static int n_names;
static const char *names[8];

static bool
init(int argc, const char *const *argv)
{
    while (n_names < argc - 1 && n_names < 8)
        names[n_names] = argv[n_names + 1], n_names++;
    return true;
}

static void
same(const struct dr_module *m, uint64_t pc)
{
    struct dr_module found = {0};

    DR_CHECK(dr_module_find(pc, &found) && found.id == m->id && found.bias == m->bias && found.path == m->path, "a module is found by its addresses");
}

static void
check_segments(const struct dr_module *m)
{
    struct dr_segment s;
    uint64_t lo = UINT64_MAX, hi = 0;

    for (unsigned i = 0; i < m->n_segments; i++) {
        DR_CHECK(dr_module_segment(m, i, &s) && s.lo < s.hi, "a segment is told of");
        lo = s.lo < lo ? s.lo : lo;
        hi = s.hi > hi ? s.hi : hi;
        same(m, s.lo);
        same(m, s.hi - 1);
    }
    DR_CHECK(!dr_module_segment(m, m->n_segments, &s), "there are no more segments");
    DR_CHECK(m->start == (lo & ~4095ull) && m->end == ((hi + 4095) & ~4095ull), "a module has the extent of its segments");
}

static bool
symbol(const struct dr_symbol *s, void *arg)
{
    const struct dr_module *m = arg;

    for (int i = 0; i < n_names; i++) {
        const char *a = s->name, *b = names[i] + 1;
        while (*a && *a == *b)
            a++, b++;
        if (*a == *b)
            dr_print("symbol %s in %lu at 0x%lx size %lu type %d%s%s\n", s->name, m->id, s->address, s->bytes, s->type,
                     s->dynamic ? " dynamic" : "", s->old_version ? " old" : "");
    }
    return true;
}

static void
tell(const char *what, const struct dr_module *m)
{
    char id[64] = "none";

    for (unsigned i = 0; i < m->build_id_size && i < 30; i++)
        dr_format(id + 2 * i, sizeof id - 2 * i, "%02x", m->build_id[i]);
    dr_print("%s %lu bias 0x%lx id %s%s%s%s %s\n", what, m->id, m->bias, id, m->is_program ? " program" : "", m->is_interpreter ? " interpreter" : "",
             m->is_vdso ? " vdso" : "", m->path);
}

static void
module_load(const struct dr_module *m)
{
    check_segments(m);
    tell("load", m);
    dr_each_symbol(m, symbol, (void *)m);
    for (int i = 0; i < n_names; i++)
        dr_print("address %s in %lu 0x%lx\n", names[i] + 1, m->id, dr_symbol_address(m, names[i] + 1));
}

static void
module_unload(const struct dr_module *m)
{
    check_segments(m);
    tell("unload", m);
}

static void
present(const struct dr_module *m, void *arg)
{
    (void)arg;
    tell("present", m);
}

static void
syscall_pre(struct dr_syscall *s)
{
    struct dr_location l;
    struct dr_module m;

    if (s->number != 1000)
        return;
    s->skip = true;
    s->result = dr_module_find(s->arg[0], &m) ? (int64_t)m.id : 0;
    dr_locate(s->arg[0], &l);
    dr_print("asked %ld %s\n", s->result, l.symbol ? l.symbol : "-");
    dr_each_module(present, NULL);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {.size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "modules",
    .init = init, .module_load = module_load, .module_unload = module_unload, .syscall_pre = syscall_pre};
