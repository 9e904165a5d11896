/* Reports: text, JSON, Cachegrind's format by function, and counts by instruction for the host program, which knows
 * about source lines. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cachesim.h"

enum event { IR, I1MR, ILMR, DR, D1MR, DLMR, DW, D1MW, DLMW, N_EVENTS };
struct sums { uint64_t v[N_EVENTS]; };

struct function { uint64_t start, end; const char *name, *module; struct sums sums; };
static struct function *functions;
static uint32_t n_functions, function_room;

struct out { int fd; bool failed; size_t n; char text[1 << 14]; };
static struct out out;

static void
flush(void)
{
    if (out.n && !out.failed)
        out.failed = !dr_write(out.fd, out.text, out.n);
    out.n = 0;
}

static void
put(const char *s)
{
    for (; *s; s++) {
        if (out.n == sizeof out.text)
            flush();
        out.text[out.n++] = *s;
    }
}
#define PUT(...) do { char l_[512]; dr_format(l_, sizeof l_, __VA_ARGS__); put(l_); } while (0)

/* `%p` in a path is the process's number. */
static bool
open_out(const char *path)
{
    char full[4200];
    size_t n = 0;

    for (; *path && n < sizeof full - 32; path++)
        if (path[0] == '%' && path[1] == 'p')
            n += dr_format(full + n, 32, "%d", dr_process_id()), path++;
        else
            full[n++] = *path;
    full[n] = '\0';
    out.n = 0;
    out.failed = false;
    out.fd = dr_create(full);
    if (out.fd < 0)
        dr_print("cachesim: cannot create %s (error %d)\n", full, -out.fd);
    return out.fd >= 0;
}

static void
close_out(const char *path)
{
    flush();
    dr_close(out.fd);
    if (out.failed)
        dr_print("cachesim: cannot write all of %s\n", path);
}

/* ---- sums ---- */

/* Executions of an instruction: those of its block without those that ended before it. */
static void
sums_of(const struct insn *in, uint64_t runs, struct sums *s)
{
    s->v[IR] = fast ? runs : in->fetched;
    s->v[DR] = (fast ? runs * in->reads : 0) + in->read;
    s->v[DW] = (fast ? runs * in->writes : 0) + in->written;
    s->v[I1MR] = in->missed[I1_MISS];
    s->v[ILMR] = in->missed[IL_MISS];
    s->v[D1MR] = in->missed[D1_READ_MISS];
    s->v[DLMR] = in->missed[DL_READ_MISS];
    s->v[D1MW] = in->missed[D1_WRITE_MISS];
    s->v[DLMW] = in->missed[DL_WRITE_MISS];
}

static void
add(struct sums *to, const struct sums *s)
{
    for (unsigned i = 0; i < N_EVENTS; i++)
        to->v[i] += s->v[i];
}

static bool
is_zero(const struct sums *s)
{
    for (unsigned i = 0; i < N_EVENTS; i++)
        if (s->v[i])
            return false;
    return true;
}

static void
each_insn(void (*f)(const struct insn *in, const struct sums *s))
{
    for (uint32_t k = 0; k < n_blocks; k++) {
        uint64_t runs = executed[k];
        for (uint32_t i = 0; i < blocks[k].n; i++) {
            const struct insn *in = insn_at(blocks[k].first_insn + i);
            struct sums s;
            runs -= in->cut;
            sums_of(in, runs, &s);
            if (!is_zero(&s))
                f(in, &s);
        }
    }
}

/* ---- functions ---- */

static bool
add_function(const struct dr_symbol *s, void *arg)
{
    if (s->type != DR_SYMBOL_FUNCTION && s->type != DR_SYMBOL_IFUNC && !(s->type == DR_SYMBOL_UNTYPED && s->name[0] && s->name[0] != '.'))
        return true;
    if (n_functions == function_room) {
        uint32_t room = function_room ? function_room * 2 : 4096;
        struct function *more = dr_map(room * sizeof *more);
        if (!more)
            return false;
        memcpy(more, functions, n_functions * sizeof *more);
        if (functions)
            dr_unmap(functions, function_room * sizeof *more);
        functions = more;
        function_room = room;
    }
    functions[n_functions++] = (struct function){.start = s->address, .end = s->address + s->bytes, .name = s->name, .module = arg};
    return true;
}

static void
add_module(const struct dr_module *m, void *arg)
{
    (void)arg;
    dr_each_symbol(m, add_function, (void *)m->path);
}

/* By start, then those with a size, then by name: heap sort. */
static bool
before(const struct function *a, const struct function *b)
{
    if (a->start != b->start)
        return a->start < b->start;
    if ((a->end > a->start) != (b->end > b->start))
        return a->end > a->start;
    return strcmp(a->name, b->name) < 0;
}

static void
sift(uint32_t i, uint32_t n)
{
    for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(&functions[child], &functions[child + 1]))
            child++;
        if (!before(&functions[i], &functions[child]))
            return;
        struct function t = functions[i];
        functions[i] = functions[child];
        functions[child] = t;
    }
}

static void
sort_functions(void)
{
    uint32_t kept = 0;

    for (uint32_t i = n_functions / 2; i--;)
        sift(i, n_functions);
    for (uint32_t n = n_functions; n > 1;) {
        struct function t = functions[--n];
        functions[n] = functions[0];
        functions[0] = t;
        sift(0, n);
    }
    for (uint32_t i = 0; i < n_functions; i++)               /* one name an address */
        if (!kept || functions[kept - 1].start != functions[i].start)
            functions[kept++] = functions[i];
    n_functions = kept;
}

static struct sums outside;          /* in no function that is known */

static struct function *
function_at(uint64_t pc)
{
    uint32_t lo = 0, hi = n_functions;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (functions[mid].start <= pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo || (functions[lo - 1].end > functions[lo - 1].start && pc >= functions[lo - 1].end))
        return NULL;
    return &functions[lo - 1];
}

static void
by_function(const struct insn *in, const struct sums *s)
{
    struct function *f = function_at(in->pc);
    struct dr_module m;

    /* a symbol without a size reaches to the next, within its module */
    if (f && f->end == f->start && (!dr_module_find(in->pc, &m) || strcmp(m.path, f->module) != 0))
        f = NULL;
    add(f ? &f->sums : &outside, s);
}

static struct sums all;
static void to_all(const struct insn *in, const struct sums *s) { (void)in; add(&all, s); }

/* ---- Cachegrind's format ---- */

static void
put_sums(const struct sums *s)
{
    for (unsigned i = 0; i < N_EVENTS; i++)
        PUT(" %lu", s->v[i]);
    put("\n");
}

static void
put_cache(const char *name, const struct cache_config *c)
{
    PUT("desc: %s cache: %lu B, %u B, %u-way associative\n", name, c->size, c->line, c->assoc);
}

static void
put_head(void)
{
    put_cache("I1", &config.l1i);
    put_cache("D1", &config.l1d);
    put_cache("LL", &config.ll);
    put("cmd: ");
    put(dr_program());
    put("\n");
}

static void
write_cachegrind(void)
{
    if (!open_out(cachegrind_path))
        return;
    put_head();
    put("events: Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw\n");
    for (uint32_t i = 0; i < n_functions; i++) {
        if (is_zero(&functions[i].sums))
            continue;
        PUT("fl=%s\nfn=%s\n0", functions[i].module, functions[i].name);
        put_sums(&functions[i].sums);
    }
    if (!is_zero(&outside)) {
        put("fl=???\nfn=???\n0");
        put_sums(&outside);
    }
    put("summary:");
    put_sums(&all);
    close_out(cachegrind_path);
}

/* ---- counts by instruction ---- */

static void
put_module(const struct dr_module *m, void *arg)
{
    (void)arg;
    PUT("module %lu 0x%lx 0x%lx 0x%lx ", m->id, m->start, m->end, m->bias);
    for (unsigned i = 0; i < m->build_id_size; i++)
        PUT("%02x", m->build_id[i]);
    PUT("%s ", m->build_id_size ? "" : "-");
    put(m->path);
    put("\n");
}

static void
put_insn(const struct insn *in, const struct sums *s)
{
    struct dr_module m;

    if (dr_module_find(in->pc, &m))
        PUT("insn %lu 0x%lx", m.id, in->pc - m.bias);
    else
        PUT("insn 0 0x%lx", in->pc);
    put_sums(s);
}

static void
write_counts(void)
{
    if (!open_out(counts_path))
        return;
    put("# cachesim counts 1\n");
    put_head();
    dr_each_module(put_module, NULL);
    each_insn(put_insn);
    put("summary:");
    put_sums(&all);
    close_out(counts_path);
}

/* ---- text ---- */

static const char *
grouped(uint64_t v, char buf[32])
{
    char *p = buf + 31;
    unsigned digits = 0;

    *p = '\0';
    do {
        if (digits && digits % 3 == 0)
            *--p = ',';
        *--p = (char)('0' + v % 10);
        digits++;
    } while (v /= 10);
    return p;
}

static void
line(const char *indent, const char *name, uint64_t v)
{
    char buf[32];

    dr_print("%s%-26s%16s\n", indent, name, grouped(v, buf));
}

static void
rate(const char *indent, const char *name, uint64_t part, uint64_t of)
{
    uint64_t r = of ? (part * 10000 + of / 2) / of : 0;
    char text[32];

    dr_format(text, sizeof text, "%lu.%02lu%%", r / 100, r % 100);
    dr_print("%s%-26s%16s\n", indent, name, text);
}

static void
level(const char *name, uint64_t refs, uint64_t misses)
{
    dr_print("  %s stats:\n", name);
    line("    ", "Hits:", refs - misses);
    line("    ", "Misses:", misses);
    rate("    ", "Miss rate:", misses, refs);
}

static void
text_core(unsigned k)
{
    const struct core_totals *t = &totals[k];
    uint64_t data_misses = t->missed[D1_READ_MISS] + t->missed[D1_WRITE_MISS];

    dr_print("Core #%u (%u thread(s))\n", k, t->threads);
    if (!t->threads)
        return;
    level("L1I", t->fetches, t->missed[I1_MISS]);
    level("L1D", t->reads + t->writes, data_misses);
    if (config.coherence)
        line("    ", "Writes that invalidated:", t->invalidated);
    if (config.prefetch)
        line("    ", "Prefetches:", t->prefetched);
    if (config.l2.size)
        level("L2", t->missed[I1_MISS] + data_misses, t->l2[0] + t->l2[1]);
    if (config.itlb.size)
        level("L1I TLB", t->fetches, t->itlb);
    if (config.dtlb.size)
        level("L1D TLB", t->reads + t->writes, t->dtlb);
    if (config.tlb2.size)
        level("L2 TLB", t->itlb + t->dtlb, t->tlb2);
}

static void
sum_cores(uint64_t *refs, uint64_t *reached, uint64_t *misses)
{
    *refs = *reached = *misses = 0;
    for (unsigned k = 0; k < config.cores; k++) {
        const struct core_totals *t = &totals[k];
        *refs += t->fetches + t->reads + t->writes;
        *reached += config.l2.size ? t->l2[0] + t->l2[1] : t->missed[I1_MISS] + t->missed[D1_READ_MISS] + t->missed[D1_WRITE_MISS];
        *misses += t->missed[IL_MISS] + t->missed[DL_READ_MISS] + t->missed[DL_WRITE_MISS];
    }
}

static uint64_t l1_misses(const struct sums *s) { return s->v[I1MR] + s->v[D1MR] + s->v[D1MW]; }
static uint64_t ll_misses(const struct sums *s) { return s->v[ILMR] + s->v[DLMR] + s->v[DLMW]; }

static const char *
base_name(const char *path)
{
    const char *base = path;

    for (; *path; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

static void
text_functions(void)
{
    static bool shown[1 << 20];

    if (!report_top)
        return;
    dr_print("Functions with most misses:\n%14s %14s %14s  function\n", "L1 misses", "LL misses", "references");
    for (unsigned n = 0; n < report_top; n++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < n_functions && i < sizeof shown; i++)
            if (!shown[i] && l1_misses(&functions[i].sums) && (best == UINT32_MAX || l1_misses(&functions[i].sums) > l1_misses(&functions[best].sums)))
                best = i;
        if (best == UINT32_MAX)
            return;
        const struct function *f = &functions[best];
        shown[best] = true;
        dr_print("%14lu %14lu %14lu  %s!%s\n", l1_misses(&f->sums), ll_misses(&f->sums), f->sums.v[IR] + f->sums.v[DR] + f->sums.v[DW], base_name(f->module), f->name);
    }
}

static void
text(void)
{
    uint64_t refs, reached, misses;

    dr_print("Cache simulation results:\n");
    for (unsigned k = 0; k < config.cores; k++)
        text_core(k);
    sum_cores(&refs, &reached, &misses);
    dr_print("LL stats:\n");
    line("    ", "Hits:", reached - misses);
    line("    ", "Misses:", misses);
    rate("    ", "Local miss rate:", misses, reached);
    line("    ", "Child hits:", refs - reached);
    rate("    ", "Total miss rate:", misses, refs);
    text_functions();
}

/* ---- JSON ---- */

static void
json_string(const char *s)
{
    put("\"");
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            PUT("\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            PUT("\\u%04x", (unsigned)(unsigned char)*s);
        else
            PUT("%c", *s);
    put("\"");
}

static void
json_sums(const struct sums *s)
{
    static const char *const names[N_EVENTS] = {"Ir", "I1mr", "ILmr", "Dr", "D1mr", "DLmr", "Dw", "D1mw", "DLmw"};

    for (unsigned i = 0; i < N_EVENTS; i++)
        PUT("%s\"%s\": %lu", i ? ", " : "", names[i], s->v[i]);
}

static void
write_json(void)
{
    uint64_t refs, reached, misses;
    bool first = true;

    if (!open_out(json_path))
        return;
    put("{\"schema\": 1, \"tool\": \"cachesim\", \"program\": ");
    json_string(dr_program());
    put(",\n \"cores\": [");
    for (unsigned k = 0; k < config.cores; k++) {
        const struct core_totals *t = &totals[k];
        PUT("%s\n  {\"core\": %u, \"threads\": %u, \"fetches\": %lu, \"reads\": %lu, \"writes\": %lu, \"L1I_misses\": %lu, \"L1D_misses\": %lu, ", k ? "," : "", k,
            t->threads, t->fetches, t->reads, t->writes, t->missed[I1_MISS], t->missed[D1_READ_MISS] + t->missed[D1_WRITE_MISS]);
        PUT("\"L2_misses\": %lu, \"invalidating_writes\": %lu, \"prefetches\": %lu, \"L1I_TLB_misses\": %lu, \"L1D_TLB_misses\": %lu, \"L2_TLB_misses\": %lu}",
            t->l2[0] + t->l2[1], t->invalidated, t->prefetched, t->itlb, t->dtlb, t->tlb2);
    }
    sum_cores(&refs, &reached, &misses);
    PUT("],\n \"LL\": {\"hits\": %lu, \"misses\": %lu, \"child_hits\": %lu},\n \"totals\": {", reached - misses, misses, refs - reached);
    json_sums(&all);
    put("},\n \"functions\": [");
    for (uint32_t i = 0; i < n_functions; i++) {
        if (is_zero(&functions[i].sums))
            continue;
        put(first ? "\n  {\"module\": " : ",\n  {\"module\": ");
        json_string(functions[i].module);
        put(", \"function\": ");
        json_string(functions[i].name);
        put(", ");
        json_sums(&functions[i].sums);
        put("}");
        first = false;
    }
    put("]}\n");
    close_out(json_path);
}

void
report_all(void)
{
    each_insn(to_all);
    dr_each_module(add_module, NULL);
    sort_functions();
    each_insn(by_function);
    if (!dr_quiet())
        text();
    if (cachegrind_path)
        write_cachegrind();
    if (json_path)
        write_json();
    if (counts_path)
        write_counts();
}
