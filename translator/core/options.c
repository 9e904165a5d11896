/* The configuration string from the front end (docs/launch.md). */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "linux/memory.h"

struct options options = {.cache_max = 128u << 20, .trace_threshold = 64, .app_fd = -1, .reporter_fd = -1, .gate = -1};

/* Every key=value pair in order, for the repeatable ones. */
enum { MAX_PAIRS = 512 };
static struct { const char *key, *value; } pair[MAX_PAIRS];
static unsigned n_pairs;

static void
unescape(char *s)
{
    char *d = s;

    for (; *s; s++)
        if (s[0] == '%' && s[1] == '2' && s[2] == '5')
            *d++ = '%', s += 2;
        else if (s[0] == '%' && s[1] == '0' && s[2] == 'A')
            *d++ = '\n', s += 2;
        else
            *d++ = *s;
    *d = 0;
}

enum type { TEXT, FLAG, CLEAR, NUMBER, FD, LIST };
static const struct { const char *key; enum type type; void *to; } keys[] = {
    {"drtools", LIST, NULL},
    {"lib", TEXT, &options.lib},
    {"zydis", TEXT, &options.zydis},
    {"logdir", TEXT, &options.logdir},
    {"log", TEXT, &options.log},
    {"quiet", FLAG, &options.quiet},
    {"color", FLAG, &options.color},
    {"stats", FLAG, &options.stats},
    {"follow", CLEAR, &options.no_follow},
    {"traces", CLEAR, &options.no_traces},
    {"norun", LIST, NULL},
    {"reg", LIST, NULL},
    {"tool", LIST, NULL},
    {"toolarg", LIST, NULL},
    {"cache_max", NUMBER, &options.cache_max},
    {"trace_threshold", NUMBER, &options.trace_threshold},
    {"native_from", NUMBER, &options.native_from},
    {"app", TEXT, &options.app},
    {"app_unnamed", FLAG, &options.app_unnamed},
    {"app_fd", FD, &options.app_fd},
    {"as_soft", NUMBER, &options.limit_extra[0][0]},
    {"as_hard", NUMBER, &options.limit_extra[0][1]},
    {"data_soft", NUMBER, &options.limit_extra[1][0]},
    {"data_hard", NUMBER, &options.limit_extra[1][1]},
    {"depth", FD, &options.depth},
    {"reporter_fd", FD, &options.reporter_fd},
    {"reporter_pid", FD, &options.reporter_pid},
    {"reporter_lost", FLAG, &options.reporter_lost},
    {"console", FLAG, &options.console},
    {"root", FLAG, &options.root},
    {"execed", FLAG, &options.execed},
    {"gate", FD, &options.gate},
    {"exit0", FLAG, &options.always_zero},
};

static bool
apply(const char *key, const char *value)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < COUNT_OF(keys); i++) {
        if (strcmp(keys[i].key, key) != 0)
            continue;
        if (keys[i].type >= NUMBER && keys[i].type != LIST && !parse_u64(value, &n))
            return false;
        switch (keys[i].type) {
        case TEXT: *(const char **)keys[i].to = value; break;
        case FLAG: *(bool *)keys[i].to = strcmp(value, "1") == 0; break;
        case CLEAR: *(bool *)keys[i].to = strcmp(value, "0") == 0; break;
        case NUMBER: *(uint64_t *)keys[i].to = n; break;
        case FD: *(int *)keys[i].to = (int)n; break;
        case LIST: break;
        }
        return true;
    }
    return false;
}

bool
options_parse(char *config, const char **why)
{
    while (*config) {
        char *end = strchr(config, '\n'), *eq = strchr(config, '=');
        *why = config;
        if (!end || !eq || eq > end || n_pairs == MAX_PAIRS)
            return false;
        *end = *eq = 0;
        unescape(eq + 1);
        pair[n_pairs].key = config;
        pair[n_pairs++].value = eq + 1;
        if (!apply(config, eq + 1))
            return false;
        config = end + 1;
    }
    return n_pairs > 0 && strcmp(pair[0].key, "drtools") == 0;
}

const char *
options_nth(const char *key, unsigned n)
{
    for (unsigned i = 0; i < n_pairs; i++)
        if (strcmp(pair[i].key, key) == 0 && n-- == 0)
            return pair[i].value;
    return NULL;
}

bool
options_pair(unsigned n, const char **key, const char **value)
{
    if (n >= n_pairs)
        return false;
    *key = pair[n].key;
    *value = pair[n].value;
    return true;
}
