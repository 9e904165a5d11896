/* insn_fuzz: runs random instruction sequences natively and under a command,
 * and reports where a program could tell the difference. See docs/fuzzing.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "casefile.h"
#include "compare.h"
#include "fuzz_options.h"
#include "minimize.h"
#include "session.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fuzzing {
    struct session s;
    struct options o;
    struct recipe recipes[SLOTS][BATCH];
    struct recipe before[HISTORY_MAX + BATCH]; /* what the second peer ran before the current batch */
    int nbefore;
    struct recipe history[HISTORY_MAX];
    uint64_t done, timeouts, dismissed, async_done, async_seen;
    int found;
    bool silent;
    double began;
};

static struct fuzzing fuzzing;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- which forms this processor has ---- */

static void
probe_batch(struct fuzzing *z, const uint32_t *form, uint32_t n)
{
    struct session *s = &z->s;

    if (!peer_start(&s->native)) {
        fprintf(stderr, "insn_fuzz: %s: %s\n", z->o.subject, s->native.death);
        exit(2);
    }
    peer_send(&s->native, 0, n);
    if (!peer_wait(&s->native)) {
        char name[128];

        form_name(&s->forms.form[form[s->native.results->current]], name, sizeof name);
        fprintf(stderr, "insn_fuzz: probing `%s`: subject %s\n", name, s->native.death);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct insn_result *r = &s->native.results->slot[0][i];
        bool ill = r->nfaults && r->fault[0].signo == SIGILL;

        if (!ill || form_always_faults(&s->forms.form[form[i]]))
            s->coverage.had[form[i]] = true;
    }
}

/* Three instances each: some encodings of a form may be undefined when others are not. */
static void
probe_forms(struct fuzzing *z)
{
    struct generator all;
    uint32_t form[BATCH];
    uint32_t n = 0;

    generator_init(&all, &z->s.forms, NULL, 1, 0);
    for (uint64_t attempt = 0; attempt < 3; attempt++) {
        for (uint32_t i = 0; i < z->s.forms.nforms; i++) {
            if (form_excluded(&z->s.forms.form[i])) {
                z->s.coverage.had[i] = true;
                continue;
            }
            if (z->s.coverage.had[i] || !generate_probe(&all, i, attempt * 1000003 + i, &z->recipes[0][n]) ||
                !recipe_layout(&z->recipes[0][n], &z->s.cases->slot[0][n]))
                continue;
            form[n++] = i;
            if (n == BATCH) {
                probe_batch(z, form, n);
                n = 0;
            }
        }
        probe_batch(z, form, n);
        n = 0;
    }
    generator_free(&all);
}

/* ---- findings ---- */

static void
print_history(FILE *out, struct fuzzing *z, const struct finding *f)
{
    struct insn_case c;

    if (!f->nhistory)
        return;
    fprintf(out, "after %d other case%s in the same process:\n", f->nhistory, f->nhistory == 1 ? "" : "s");
    for (int i = 0; i < f->nhistory && i < 4; i++)
        if (recipe_layout(&f->history[i], &c)) {
            fprintf(out, "  [case %llu, %s]\n", (unsigned long long)c.id, install_names[c.install]);
            print_case(out, &z->s.forms, &c);
        }
}

static void
print_finding(FILE *out, struct fuzzing *z, const struct finding *f)
{
    const char *const names[2] = {z->s.native.name, z->s.other.name};
    const struct insn_case *c = &f->layout;

    print_history(out, z, f);
    fprintf(out, "entered by %s, code written by %s, fault action %s, %u runs\n", entry_names[c->entry],
            install_names[c->install], fault_action_names[c->fault_action], c->reps);
    print_case(out, &z->s.forms, c);
    if (f->died)
        fprintf(out, "  the %s %s\n", z->s.other.name, f->death);
    else
        print_difference(out, c, &f->native, &f->other, names);
}

static void
save_finding(struct fuzzing *z, const struct finding *f)
{
    char path[PATH_MAX], *text = NULL;
    struct insn_case c;
    size_t size;
    FILE *out, *comment;

    snprintf(path, sizeof path, "%s/seed-%llx-%llu.case", z->o.save, (unsigned long long)z->o.seed,
             (unsigned long long)f->recipe.id);
    out = fopen(path, "w");
    if (!out) {
        fprintf(stderr, "insn_fuzz: cannot write %s: %s\n", path, strerror(errno));
        return;
    }
    comment = open_memstream(&text, &size);
    print_finding(comment, z, f);
    fclose(comment);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        fprintf(out, "# %s\n", line);
    for (int i = 0; i < f->nhistory; i++)
        if (recipe_layout(&f->history[i], &c))
            casefile_write(out, &z->s.forms, &c);
    casefile_write(out, &z->s.forms, &f->layout);
    fclose(out);
    free(text);
    printf("saved as %s\n", path);
}

static void
restart_peers(struct fuzzing *z)
{
    peer_stop(&z->s.native);
    peer_stop(&z->s.other);
    z->nbefore = 0;
}

/* The x87 pointers do not survive a context switch on processors that save
 * them only with an exception pending, and a switch can change which
 * components xsave finds in use: now and then that shows natively, too. */
static bool
saves_extended_state(const struct insn_case *c)
{
    for (int i = 0; i < c->nmarks; i++)
        if (c->mark[i].kind & MARK_FXSAVE)
            return true;
    return false;
}

/* The cases that the second peer ran before this one, oldest first, as many as are kept. */
static int
gather_before(const struct fuzzing *z, uint32_t slot, uint32_t at, struct recipe *before)
{
    int n = 0, end = z->nbefore + (int)at;

    for (int i = end > HISTORY_MAX ? end - HISTORY_MAX : 0; i < end; i++)
        before[n++] = i < z->nbefore ? z->before[i] : z->recipes[slot][i - z->nbefore];
    return n;
}

static void
finding_first(const struct fuzzing *z, struct finding *f, uint32_t slot, uint32_t at, bool died)
{
    f->layout = z->s.cases->slot[slot][at];
    f->native = z->s.native.results->slot[slot][at];
    f->other = z->s.other.results->slot[slot][at];
    f->recipe = z->recipes[slot][at];
    f->nhistory = 0;
    f->died = died;
    memcpy(f->death, z->s.other.death, sizeof f->death);
}

/* False: it does not recur in fresh processes; *f is as it was. */
static bool
make_small(struct fuzzing *z, struct finding *f, uint32_t slot, uint32_t at)
{
    static struct finding small;
    static struct recipe before[HISTORY_MAX];
    int nbefore = gather_before(z, slot, at, before);

    small.history = z->history;
    minimize(&z->s, &f->recipe, before, nbefore, &small);
    if (small.recurs && saves_extended_state(&small.layout))
        small.recurs = finding_is_steady(&z->s, &small);
    if (small.recurs)
        *f = small;
    return small.recurs;
}

/* A case of this slot differed or killed the second peer. */
static void
report(struct fuzzing *z, uint32_t slot, uint32_t at, bool died)
{
    static struct finding f;
    bool recurs;

    finding_first(z, &f, slot, at, died);
    recurs = z->silent || z->o.no_minimize || make_small(z, &f, slot, at);
    if (!recurs && saves_extended_state(&f.layout)) {
        z->dismissed++;
        restart_peers(z);
        return;
    }
    z->found++;
    if (z->silent)
        return;
    printf("\ndifference %d: seed %#llx, case %llu%s\n", z->found, (unsigned long long)z->o.seed,
           (unsigned long long)f.recipe.id, f.recipe.async ? " (asynchronous signals)" : "");
    if (!recurs)
        printf("it did not recur in a fresh process; as it was:\n");
    print_finding(stdout, z, &f);
    if (z->o.save)
        save_finding(z, &f);
    fflush(stdout);
    restart_peers(z);
}

/* ---- the run ---- */

static bool
more(const struct fuzzing *z)
{
    if (z->found >= z->o.findings)
        return false;
    if (z->o.cases)
        return z->done < z->o.cases;
    return now() - z->began < z->o.seconds;
}

static uint32_t
fill_slot(struct fuzzing *z, uint32_t slot, uint64_t first)
{
    uint32_t n = 0;

    while (n < BATCH && (!z->o.cases || z->done + n < z->o.cases)) {
        generate_case(&z->s.generator, first + n, &z->recipes[slot][n]);
        while (!recipe_layout(&z->recipes[slot][n], &z->s.cases->slot[slot][n])) {
            z->recipes[slot][n].nitems = 1; /* too long: the exit alone */
            z->recipes[slot][n].item[0] = (struct item){.bytes = {0xf4}, .len = 1, .form = -1, .target = -1};
        }
        n++;
    }
    return n;
}

static void
remember(struct fuzzing *z, uint32_t slot, uint32_t n)
{
    int drop;

    if ((int)n > HISTORY_MAX)
        memcpy(z->before, z->recipes[slot] + (n - HISTORY_MAX), HISTORY_MAX * sizeof *z->before),
            z->nbefore = HISTORY_MAX;
    else {
        drop = z->nbefore + (int)n - HISTORY_MAX;
        if (drop > 0) {
            memmove(z->before, z->before + drop, (size_t)(z->nbefore - drop) * sizeof *z->before);
            z->nbefore -= drop;
        }
        memcpy(z->before + z->nbefore, z->recipes[slot], n * sizeof *z->before);
        z->nbefore += (int)n;
    }
}

/* Compares a batch; at the first difference reports it and gives up the rest. */
static void
judge(struct fuzzing *z, uint32_t slot, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct insn_result *a = &z->s.native.results->slot[slot][i],
                                 *b = &z->s.other.results->slot[slot][i];

        coverage_count(&z->s.coverage, &z->recipes[slot][i], &z->s.cases->slot[slot][i], a);
        z->done++;
        z->timeouts += a->outcome == OUTCOME_TIMEOUT;
        if (a->outcome == OUTCOME_TIMEOUT && z->o.timeouts)
            print_case(stdout, &z->s.forms, &z->s.cases->slot[slot][i]);
        if (results_agree(a, b))
            continue;
        if (session_met_engine(&z->s, a)) {
            z->dismissed++;
            restart_peers(z);
        } else {
            report(z, slot, i, false);
        }
        return;
    }
    remember(z, slot, n);
}

static void
blame(struct fuzzing *z, uint32_t slot, uint32_t at)
{
    const struct peer *p = session_blame(&z->s);

    if (p == &z->s.native) {
        fprintf(stderr, "insn_fuzz: the native subject %s at case %llu\n", p->death,
                (unsigned long long)z->recipes[slot][at].id);
        print_case(stderr, &z->s.forms, &z->s.cases->slot[slot][at]);
        exit(2);
    }
    z->done += at;
    report(z, slot, at, true);
    z->done++;
}

static void
run_async(struct fuzzing *z, uint64_t index)
{
    uint32_t at;

    generate_async_case(&z->s.generator, index, &z->recipes[0][0]);
    if (!session_trace(&z->s, &z->recipes[0][0]))
        return;
    if (!session_run(&z->s, 0, 1, &at)) {
        blame(z, 0, 0);
        return;
    }
    z->async_done++;
    z->async_seen += z->s.other.results->slot[0][0].async_seen;
    if (!results_agree(&z->s.native.results->slot[0][0], &z->s.other.results->slot[0][0]))
        report(z, 0, 0, false);
}

static void
run_cases(struct fuzzing *z)
{
    uint64_t batch;

    for (batch = 0; more(z); batch++) {
        uint32_t at, n = fill_slot(z, 0, z->o.start + z->done);

        if (z->o.async_every && batch % (uint64_t)z->o.async_every == (uint64_t)z->o.async_every - 1) {
            run_async(z, z->o.start + batch * BATCH);
            continue;
        }
        if (session_run(&z->s, 0, n, &at))
            judge(z, 0, n);
        else
            blame(z, 0, at);
    }
}

/* ---- kept cases ---- */

static bool
replay(struct fuzzing *z, const char *path)
{
    const char *const names[2] = {z->s.native.name, z->s.other.name};
    const char *error;
    uint32_t n = 0, at;
    bool agree = true;
    FILE *in = fopen(path, "r");

    if (!in) {
        fprintf(stderr, "insn_fuzz: cannot read %s: %s\n", path, strerror(errno));
        exit(2);
    }
    while (n < BATCH && casefile_read(in, &z->s.cases->slot[0][n], &error))
        n++;
    fclose(in);
    if (error || n == 0) {
        fprintf(stderr, "insn_fuzz: %s: %s\n", path, error ? error : "no case in it");
        exit(2);
    }
    restart_peers(z);
    if (z->s.cases->slot[0][0].far_base)
        zone_base[ZONE_FAR] = z->s.cases->slot[0][0].far_base;
    z->s.native.fixed_layout = z->s.other.fixed_layout = zone_base[ZONE_FAR] != ZONE_FAR_BASE;
    if (!session_run(&z->s, 0, n, &at)) {
        printf("%s: the %s %s\n", path, session_blame(&z->s)->name, session_blame(&z->s)->death);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct insn_result *a = &z->s.native.results->slot[0][i], *b = &z->s.other.results->slot[0][i];

        if (results_agree(a, b))
            continue;
        agree = false;
        printf("%s: case %u differs\n", path, i + 1);
        print_case(stdout, &z->s.forms, &z->s.cases->slot[0][i]);
        print_difference(stdout, &z->s.cases->slot[0][i], a, b, names);
    }
    return agree;
}

/* ---- main ---- */

static void
set_up(struct fuzzing *z)
{
    struct session *s = &z->s;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    s->cases = cases_create(&fd);
    peer_init(&s->native, "native", z->o.subject, NULL, s->cases, fd);
    peer_init(&s->other, z->o.command[0] ? "engine" : "other", z->o.subject,
              z->o.command[0] ? z->o.command : NULL, s->cases, fd);
    s->other.plant = z->o.plant;
    forms_build(&s->forms);
    coverage_init(&s->coverage, &s->forms);
}

static int
print_cases(struct fuzzing *z)
{
    static struct recipe r;
    static struct insn_case c;

    for (uint64_t i = 0; i < (z->o.cases ? z->o.cases : 1); i++) {
        generate_case(&z->s.generator, z->o.start + i, &r);
        printf("case %llu%s\n", (unsigned long long)(z->o.start + i),
               recipe_layout(&r, &c) ? "" : " (too long)");
        print_case(stdout, &z->s.forms, &c);
    }
    return 0;
}

/* ---- planted bugs ---- */

enum { PLANT_CASES = 20000, CONTROL_CASES = 600 };

/* Name of plant `n`, as the subject lists it; false: there are no more. */
static bool
plant_name(const struct options *o, int n, char *name, int size)
{
    char command[PATH_MAX + 16];
    bool found = false;
    FILE *list;

    snprintf(command, sizeof command, "'%s' plants", o->subject);
    list = popen(command, "r");
    while (list && fgets(name, size, list))
        if (atoi(name) == n) {
            found = true;
            break;
        }
    if (list)
        pclose(list);
    name[strcspn(name, "\n")] = 0;
    return found;
}

/* Each must be found; the one called "nothing" is the control and must not. */
static bool
check_plants(struct fuzzing *z)
{
    char name[128];
    bool good = true;

    z->o.no_minimize = true;
    z->o.findings = 1;
    for (int plant = 1; plant_name(&z->o, plant, name, sizeof name); plant++) {
        bool control = strstr(name, "nothing") != NULL, as_expected;

        restart_peers(z);
        z->s.other.plant = plant;
        z->o.cases = control ? CONTROL_CASES : PLANT_CASES;
        z->done = 0;
        z->found = 0;
        z->began = now();
        z->silent = !control;
        run_cases(z);
        as_expected = control ? z->found == 0 : z->found > 0;
        good &= as_expected;
        printf("%-60s %s after %llu cases, %.1f s%s\n", name, z->found ? "found" : "not found",
               (unsigned long long)z->done, now() - z->began, as_expected ? "" : "  <-- WRONG");
    }
    return good;
}

static void
print_summary(struct fuzzing *z)
{
    double seconds = now() - z->began;

    if (z->dismissed)
        printf("%llu differences were dismissed\n", (unsigned long long)z->dismissed);
    printf(
        "%llu cases (%llu without end) and %llu with asynchronous signals (%llu landed) in %.1f s, %.0f cases/s; "
        "%d difference%s\n",
        (unsigned long long)z->done, (unsigned long long)z->timeouts, (unsigned long long)z->async_done,
        (unsigned long long)z->async_seen, seconds, (double)z->done / seconds, z->found,
        z->found == 1 ? "" : "s");
}

int
main(int argc, char **argv)
{
    struct fuzzing *z = &fuzzing;
    bool failed = false;
    int first;

    first = options_parse(&z->o, argc, argv);
    set_up(z);
    if (z->o.replay) {
        for (int i = first; i < argc; i++)
            failed |= !replay(z, argv[i]);
        restart_peers(z);
        printf("%d case file%s, %s\n", argc - first, argc - first == 1 ? "" : "s",
               failed ? "with differences" : "no difference");
        return failed;
    }
    if (z->o.near_cache && !session_zone_near_cache(&z->s)) {
        fprintf(stderr, "insn_fuzz: no code cache found, or no room near it\n");
        return 2;
    }
    probe_forms(z);
    generator_init(&z->s.generator, &z->s.forms, z->s.coverage.had, z->o.seed, z->o.without);
    if (z->o.print)
        return print_cases(z);
    if (z->o.check_plants)
        return !check_plants(z);
    z->began = now();
    run_cases(z);
    restart_peers(z);
    print_summary(z);
    if (z->o.coverage)
        failed = coverage_print(&z->s.coverage, stdout, z->o.uncovered) < z->o.least_coverage;
    if (z->o.expect_difference)
        return z->found == 0;
    return failed || z->found;
}
