/* SPDX-License-Identifier: BSD-3-Clause */
/* Escaping. */
#include "escape.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const char replacement[] = "\xef\xbf\xbd";

/* Length of the well-formed UTF-8 sequence at `s`, 0 if there is none; *code gets its character. */
static int
sequence(const char *s, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *b = (const uint8_t *)s;
    int n = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : b[0] >> 3 == 30 ? 4 : 0;

    if (n < 2) {
        *code = b[0];
        return n;
    }
    *code = b[0] & (0x7f >> n);
    for (int i = 1; i < n; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (b[i] & 0x3f);
    }
    return *code >= least[n] && *code <= 0x10ffff && !(*code >= 0xd800 && *code < 0xe000) ? n : 0;
}

char *
escape_utf8(const char *s)
{
    char *out = memory_zalloc(strlen(s) * 3 + 1, 1), *to = out;
    uint32_t code;

    while (*s) {
        int n = sequence(s, &code);

        memcpy(to, n ? s : replacement, n ? (size_t)n : 3);
        to += n ? n : 3;
        s += n ? n : 1;
    }
    return out;
}

static const char *
entity(uint32_t code)
{
    switch (code) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    case 0xfffe:
    case 0xffff: return replacement;
    }
    return code < 0x20 && code != '\t' && code != '\n' ? replacement : NULL;
}

void
escape_xml(FILE *out, const char *s)
{
    uint32_t code;

    while (s && *s) {
        int n = sequence(s, &code);
        const char *other = n ? entity(code) : replacement;

        if (other)
            fputs(other, out);
        else
            fwrite(s, 1, (size_t)n, out);
        s += n ? n : 1;
    }
}

char *
escape_uri(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/+,=@";
    char *out = memory_zalloc(strlen(path) * 3 + 1, 1), *to = out;

    for (; *path; path++) {
        if (strchr(plain, *path))
            *to++ = *path;
        else
            to += sprintf(to, "%%%02X", (uint8_t)*path);
    }
    return out;
}

void
escape_text(FILE *out, const char *s)
{
    for (; s && *s; s++)
        putc(((uint8_t)*s < 0x20 && *s != '\t') || *s == 0x7f ? '?' : *s, out);
}
