/* One table gives parsing and help. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "fuzz_options.h"
#include "generate.h"

#include <getopt.h>
#include <libgen.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum kind { FLAG, NUMBER, INTEGER, REAL, TEXT, PATH, COMMAND, FEATURES, HELP };

static const struct row {
    const char *name;
    enum kind kind;
    size_t off;
    const char *arg, *help;
} rows[] = {

#define O(member) offsetof(struct options, member)
    {"cmd", COMMAND, O(command), "COMMAND", "the second peer runs below COMMAND (default: natively, too)"},
    {"seed", NUMBER, O(seed), "N", "seed (default 1); a case follows from seed and number"},
    {"cases", NUMBER, O(cases), "N", "number of cases; without it:"},
    {"seconds", REAL, O(seconds), "N", "duration (default 10)"},
    {"long", FLAG, O(is_long), NULL, "for $FUZZ_SECONDS or an hour, with a new seed each time"},
    {"start", NUMBER, O(start), "N", "number of the first case"},
    {"findings", INTEGER, O(findings), "N", "stop after N differences (default 10)"},
    {"without", FEATURES, O(without), "A,B",
     "leave out: gs fs tf ac far smc faults x87save branch16 install sigreturn edit end"},
    {"near-cache", FLAG, O(near_cache), NULL, "the far zone within reach of the second peer's code cache"},
    {"async-every", INTEGER, O(async_every), "N",
     "a case with asynchronous signals in place of one batch in N (default 40; 0: none)"},
    {"no-minimize", FLAG, O(no_minimize), NULL, "report differences as they were found"},
    {"save", TEXT, O(save), "DIR", "write each difference to a file there"},
    {"replay", FLAG, O(replay), NULL, "run the case files named on the command line"},
    {"print", FLAG, O(print), NULL, "print the cases from --start on and do not run them"},
    {"timeouts", FLAG, O(timeouts), NULL, "print the sequences that did not end"},
    {"coverage", FLAG, O(coverage), NULL, "print coverage"},
    {"uncovered", FLAG, O(uncovered), NULL, "print coverage and what is missing"},
    {"least-coverage", REAL, O(least_coverage), "P", "fail below P percent"},
    {"subject", PATH, O(subject), "FILE", "the subject (default: insn_subject beside insn_fuzz)"},
    {"plant", INTEGER, O(plant), "N", "the second peer behaves as an engine with bug N would"},
    {"check-plants", FLAG, O(check_plants), NULL, "all planted bugs, each in a bounded number of cases"},
    {"expect-difference", FLAG, O(expect_difference), NULL, "succeed if there is a difference"},
    {"help", HELP, 0, NULL, "print this"},
#undef O
};

enum { NROWS = sizeof rows / sizeof *rows };

static void
usage(FILE *out)
{
    fprintf(out, "usage: insn_fuzz [options] [--replay FILE...]\n");
    for (int i = 0; i < NROWS; i++) {
        char name[48];

        snprintf(name, sizeof name, "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
                 rows[i].arg ? rows[i].arg : "");
        fprintf(out, "  %-20s %s\n", name, rows[i].help);
    }
    fprintf(out, "status: 0 no difference, 1 differences, 2 could not run\n");
}

static void
split_command(char **words, char *text)
{
    int n = 0;

    for (char *w = strtok(text, " "); w && n < COMMAND_WORDS_MAX; w = strtok(NULL, " "))
        words[n++] = w;
    words[n] = NULL;
}

static unsigned
parse_features(char *text)
{
    unsigned set = 0;

    for (char *w = strtok(text, ","); w; w = strtok(NULL, ",")) {
        int i = 0;

        while (feature_names[i] && strcmp(feature_names[i], w) != 0)
            i++;
        if (!feature_names[i]) {
            fprintf(stderr, "insn_fuzz: --without: there is no `%s`\n", w);
            exit(2);
        }
        set |= 1u << i;
    }
    return set;
}

static void
apply(struct options *o, const struct row *r, char *arg)
{
    void *p = (char *)o + r->off;

    switch (r->kind) {
    case FLAG: *(bool *)p = true; break;
    case NUMBER: *(uint64_t *)p = strtoull(arg, NULL, 0); break;
    case INTEGER: *(int *)p = atoi(arg); break;
    case REAL: *(double *)p = strtod(arg, NULL); break;
    case TEXT: *(const char **)p = arg; break;
    case PATH: snprintf(p, PATH_MAX, "%s", arg); break;
    case COMMAND: split_command(p, arg); break;
    case FEATURES: *(unsigned *)p = parse_features(arg); break;
    case HELP: usage(stdout); exit(0);
    }
}

static void
set_defaults(struct options *o)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    *o = (struct options){.seed = 1, .seconds = 10, .findings = 10, .async_every = 40};
    self[n < 0 ? 0 : n] = 0;
    snprintf(o->subject, sizeof o->subject, "%.*s/insn_subject", PATH_MAX - 20, dirname(self));
}

static void
settle(struct options *o)
{
    const char *seconds = getenv("FUZZ_SECONDS");

    if (o->is_long) {
        o->seconds = seconds ? strtod(seconds, NULL) : 3600;
        o->seed = (uint64_t)time(NULL);
    }
    o->coverage |= o->uncovered || o->least_coverage > 0;
}

int
options_parse(struct options *o, int argc, char **argv)
{
    struct option table[NROWS + 1] = {0};
    int c;

    for (int i = 0; i < NROWS; i++)
        table[i] = (struct option){rows[i].name, rows[i].arg ? required_argument : no_argument, NULL, i};
    set_defaults(o);
    while ((c = getopt_long(argc, argv, "", table, NULL)) >= 0) {
        if (c >= NROWS) {
            usage(stderr);
            exit(2);
        }
        apply(o, &rows[c], optarg);
    }
    settle(o);
    return optind;
}
