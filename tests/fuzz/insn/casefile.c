/* One line, one fact: `key value...`; what is zero is left out. `insn` lines
 * carry the bytes, with the disassembly as a comment behind `;`. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "casefile.h"
#include "compare.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct number_field {
    const char *key;
    size_t off, size;
};

#define N(key, member)                                                                   \
    {                                                                                    \
        key, offsetof(struct insn_case, member), sizeof(((struct insn_case *)0)->member) \
    }

static const struct number_field numbers[] = {
    N("id", id),
    N("far_base", far_base),
    N("zone", zone),
    N("install", install),
    N("entry", entry),
    N("fault_action", fault_action),
    N("fault_limit", fault_limit),
    N("check_async", check_async),
    N("reps", reps),
    N("components", components),
    N("code_off", code_off),
    N("rflags", start.rflags),
    N("fs_base", start.fs_base),
    N("gs_base", start.gs_base),
    N("fcw", start.v.fcw),
    N("fsw", start.v.fsw),
    N("ftw", start.v.ftw),
    N("fop", start.v.fop),
    N("fip", start.v.fip),
    N("fdp", start.v.fdp),
    N("mxcsr", start.v.mxcsr),
};

enum { NNUMBERS = sizeof numbers / sizeof *numbers };

/* ---- writing ---- */

static bool
all_zero(const uint8_t *p, size_t n)
{
    while (n && !*p)
        p++, n--;
    return n == 0;
}

static void
write_bytes(FILE *out, const char *key, int number, const uint8_t *p, size_t n)
{
    if (all_zero(p, n))
        return;
    fprintf(out, "%s %d ", key, number);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%02x", p[i]);
    fputc('\n', out);
}

static void
write_code(FILE *out, const struct forms *f, const struct insn_case *c)
{
    char *text = NULL, *at;
    size_t size;
    FILE *lines = open_memstream(&text, &size);

    print_case(lines, f, c);
    fclose(lines);
    at = text;
    for (int i = 0; i < c->nmarks; i++) {
        const struct mark *m = &c->mark[i];
        char *end = strchr(at, '\n');

        fprintf(out, "insn %x %d ", m->kind, m->disp_off);
        for (int j = 0; j < m->len; j++)
            fprintf(out, "%02x", c->code[m->off + j]);
        *end = 0;
        fprintf(out, " ;%s\n", at + 46);
        at = end + 1;
    }
    free(text);
}

void
casefile_write(FILE *out, const struct forms *f, const struct insn_case *c)
{
    fprintf(out, "case\n");
    for (int i = 0; i < NNUMBERS; i++) {
        uint64_t v = 0;

        memcpy(&v, (const uint8_t *)c + numbers[i].off, numbers[i].size);
        if (v)
            fprintf(out, "%s %llx\n", numbers[i].key, (unsigned long long)v);
    }
    for (int i = 0; i < 16; i++)
        if (c->start.gpr[i])
            fprintf(out, "gpr %d %llx\n", i, (unsigned long long)c->start.gpr[i]);
    for (int i = 0; i < 8; i++)
        write_bytes(out, "st", i, c->start.v.st[i], 10);
    for (int i = 0; i < 8; i++)
        write_bytes(out, "k", i, (const uint8_t *)&c->start.v.k[i], 8);
    for (int i = 0; i < 32; i++)
        write_bytes(out, "zmm", i, c->start.v.zmm[i], 64);
    for (int i = 0; i < c->npokes; i++)
        fprintf(out, "poke %llx %llx\n", (unsigned long long)c->poke[i].addr,
                (unsigned long long)c->poke[i].value);
    write_code(out, f, c);
    fprintf(out, "end\n");
}

/* ---- reading ---- */

static size_t
parse_hex(const char *s, uint8_t *out, size_t max)
{
    size_t n = 0;
    unsigned byte;

    while (n < max && sscanf(s, "%2x", &byte) == 1 && s[0] > ' ' && s[1] > ' ') {
        out[n++] = (uint8_t)byte;
        s += 2;
    }
    return n;
}

static bool
parse_number(struct insn_case *c, const char *key, const char *rest)
{
    for (int i = 0; i < NNUMBERS; i++)
        if (strcmp(key, numbers[i].key) == 0) {
            uint64_t v = strtoull(rest, NULL, 16);

            memcpy((uint8_t *)c + numbers[i].off, &v, numbers[i].size);
            return true;
        }
    return false;
}

static bool
parse_insn(struct insn_case *c, const char *rest)
{
    struct mark *m = &c->mark[c->nmarks];
    unsigned kind, disp_off;
    char hex[64];

    if (c->nmarks == MARKS_MAX || sscanf(rest, "%x %u %63s", &kind, &disp_off, hex) != 3 ||
        c->code_len + 15 > CODE_MAX)
        return false;
    *m = (struct mark){c->code_len, (uint16_t)kind, 0, (uint8_t)disp_off};
    m->len = (uint8_t)parse_hex(hex, c->code + c->code_len, 15);
    c->code_len += m->len;
    c->nmarks++;
    return m->len > 0;
}

static bool
parse_numbered(struct insn_case *c, const char *key, const char *rest)
{
    char *end;
    unsigned long i = strtoul(rest, &end, 10);

    while (*end == ' ')
        end++;
    if (strcmp(key, "gpr") == 0 && i < 16)
        return c->start.gpr[i] = strtoull(end, NULL, 16), true;
    if (strcmp(key, "st") == 0 && i < 8)
        return parse_hex(end, c->start.v.st[i], 10) == 10;
    if (strcmp(key, "k") == 0 && i < 8)
        return parse_hex(end, (uint8_t *)&c->start.v.k[i], 8) == 8;
    if (strcmp(key, "zmm") == 0 && i < 32)
        return parse_hex(end, c->start.v.zmm[i], 64) == 64;
    return false;
}

static bool
parse_line(struct insn_case *c, const char *key, const char *rest)
{
    if (strcmp(key, "insn") == 0)
        return parse_insn(c, rest);
    if (strcmp(key, "poke") == 0 && c->npokes < POKES_MAX) {
        unsigned long long addr, v;

        if (sscanf(rest, "%llx %llx", &addr, &v) != 2)
            return false;
        c->poke[c->npokes++] = (struct poke){addr, v};
        return true;
    }
    return parse_number(c, key, rest) || parse_numbered(c, key, rest);
}

bool
casefile_read(FILE *in, struct insn_case *c, const char **error)
{
    char text[512], key[32];
    bool inside = false;
    int n;

    *error = NULL;
    memset(c, 0, sizeof *c);
    while (fgets(text, sizeof text, in)) {
        if (text[0] == '#' || sscanf(text, "%31s%n", key, &n) != 1)
            continue;
        if (!inside) {
            inside = strcmp(key, "case") == 0;
            if (!inside)
                return *error = "expected `case`", false;
        } else if (strcmp(key, "end") == 0) {
            return true;
        } else if (!parse_line(c, key, text + n)) {
            return *error = "a line that is not understood", false;
        }
    }
    if (inside)
        *error = "`end` is missing";
    return false;
}
