/* SPDX-License-Identifier: BSD-3-Clause */
/* The pprof format: profile.proto, gzipped. A sample a calling context and source line. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "memory.h"

/* ---- protocol buffers ---- */

struct bytes { uint8_t *b; size_t n, room; };

static void
put_byte(struct bytes *to, uint8_t v)
{
    GROW(to->b, to->n, to->room);
    to->b[to->n++] = v;
}
static void
put_varint(struct bytes *to, uint64_t v)
{
    for (; v > 127; v >>= 7)
        put_byte(to, (uint8_t)(v | 128));
    put_byte(to, (uint8_t)v);
}
static void
put_number(struct bytes *to, unsigned field, uint64_t v)
{
    if (v) {
        put_varint(to, field << 3);
        put_varint(to, v);
    }
}
static void
put_bytes(struct bytes *to, unsigned field, const void *p, size_t n)
{
    put_varint(to, field << 3 | 2);
    put_varint(to, n);
    for (size_t i = 0; i < n; i++)
        put_byte(to, ((const uint8_t *)p)[i]);
}
/* `message` as a field; it is emptied. */
static void
put_message(struct bytes *to, unsigned field, struct bytes *message)
{
    put_bytes(to, field, message->b, message->n);
    message->n = 0;
}

/* ---- tables: strings are the same pointer when equal ---- */

struct table { const void **key; uint32_t *hash; size_t n, room, slots; };

static size_t
table_find(const struct table *t, const void *a)
{
    size_t s = (size_t)(((uintptr_t)a * 0x9e3779b97f4a7c15ull) >> 22) & (t->slots - 1);

    while (t->hash[s] && t->key[t->hash[s] - 1] != a)
        s = (s + 1) & (t->slots - 1);
    return s;
}

/* Number of `key`, from 1; *new if it had none. */
static uint64_t
table_number(struct table *t, const void *key, bool *new)
{
    if (2 * (t->n + 1) >= t->slots) {
        t->slots = t->slots ? t->slots * 2 : 256;
        free(t->hash);
        t->hash = memory_zalloc(t->slots, sizeof *t->hash);
        for (uint32_t i = 0; i < t->n; i++)
            t->hash[table_find(t, t->key[i])] = i + 1;
    }
    size_t s = table_find(t, key);
    *new = !t->hash[s];
    if (*new) {
        GROW(t->key, t->n, t->room);
        t->key[t->n++] = key;
        t->hash[s] = (uint32_t)t->n;
    }
    return t->hash[s];
}

struct writer {
    struct profile *p;
    struct bytes out, strings, part, piece, ids;
    struct table names, functions;
};

static uint64_t
string_id(struct writer *w, const char *s)
{
    bool new;
    uint64_t id = s && *s ? table_number(&w->names, s, &new) : 0;

    if (id && new)
        put_bytes(&w->strings, 6, s, strlen(s));
    return id;
}

static uint64_t
literal_id(struct writer *w, const char *s)
{
    return string_id(w, strings_keep(w->p->strings, s));
}

/* A function of the format is one name in one file. */
static uint64_t
function_id(struct writer *w, const struct profile_frame *f)
{
    char key[64];
    bool new;

    snprintf(key, sizeof key, "%p %p", (const void *)f->function, (const void *)f->file);
    uint64_t id = table_number(&w->functions, strings_keep(w->p->strings, key), &new);
    if (new) {
        put_number(&w->part, 1, id);
        put_number(&w->part, 2, string_id(w, f->function));
        put_number(&w->part, 3, string_id(w, f->function));
        put_number(&w->part, 4, string_id(w, f->file));
        put_message(&w->out, 5, &w->part);
    }
    return id;
}

static void
put_locations(struct writer *w)
{
    for (size_t i = 0; i < w->p->n_locations; i++) {
        const struct profile_location *l = &w->p->locations[i];
        struct bytes message = {0};
        put_number(&message, 1, i + 1);
        if (l->module != PROFILE_NONE) {
            put_number(&message, 2, l->module + 1);
            put_number(&message, 3, l->address + w->p->modules[l->module].bias);
        } else {
            put_number(&message, 3, l->address);
        }
        for (size_t k = 0; k < l->n; k++) {
            uint64_t f = function_id(w, &l->frame[k]);
            put_number(&w->piece, 1, f);
            put_number(&w->piece, 2, l->frame[k].line);
            put_message(&message, 4, &w->piece);
        }
        put_message(&w->out, 4, &message);
        free(message.b);
    }
}

static void
put_samples(struct writer *w)
{
    const struct profile *p = w->p;

    for (uint32_t i = 0; i < p->n_nodes; i++)
        for (size_t k = 0; k < p->nodes[i].n_costs; k++) {
            put_varint(&w->ids, p->nodes[i].cost[k].location + 1);
            for (uint32_t n = i; n && n != PROFILE_NONE; n = p->nodes[n].parent)
                if (p->nodes[n].site != PROFILE_NONE)
                    put_varint(&w->ids, p->nodes[n].site + 1);
            put_message(&w->part, 1, &w->ids);
            put_varint(&w->piece, p->nodes[i].cost[k].count);
            put_message(&w->part, 2, &w->piece);
            put_message(&w->out, 2, &w->part);
        }
}

static void
put_mappings(struct writer *w)
{
    for (size_t i = 0; i < w->p->n_modules; i++) {
        const struct profile_module *m = &w->p->modules[i];
        put_number(&w->part, 1, i + 1);
        put_number(&w->part, 2, m->start);
        put_number(&w->part, 3, m->end);
        put_number(&w->part, 5, string_id(w, m->path));
        for (unsigned has = 7; has <= 10; has++)
            put_number(&w->part, has, 1);
        put_message(&w->out, 3, &w->part);
    }
}

static void
put_value_type(struct writer *w, unsigned field, const char *type, const char *unit)
{
    uint64_t t = literal_id(w, type), u = literal_id(w, unit);

    put_number(&w->part, 1, t);
    put_number(&w->part, 2, u);
    put_message(&w->out, field, &w->part);
}

static void
gzip(FILE *out, const uint8_t *data, size_t n)
{
    z_stream z = {0};
    uint8_t piece[1 << 14];

    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (Bytef *)(uintptr_t)data;
    for (int r = Z_OK; r != Z_STREAM_END;) {
        if (!z.avail_in && n) {
            z.avail_in = (uInt)(n < 1u << 30 ? n : 1u << 30);
            n -= z.avail_in;
        }
        z.next_out = piece;
        z.avail_out = sizeof piece;
        r = deflate(&z, n ? Z_NO_FLUSH : Z_FINISH);
        fwrite(piece, 1, sizeof piece - z.avail_out, out);
    }
    deflateEnd(&z);
}

void
profile_write_pprof(struct profile *p, FILE *out)
{
    struct writer w = {.p = p};

    put_bytes(&w.strings, 6, "", 0);
    put_value_type(&w, 1, p->unit, "count");
    put_value_type(&w, 11, p->unit, "count");
    put_number(&w.out, 12, p->period ? p->period : 1);
    put_number(&w.out, 9, (uint64_t)time(NULL) * 1000000000u);
    put_mappings(&w);
    put_locations(&w);
    put_samples(&w);
    for (size_t i = 0; i < w.strings.n; i++)
        put_byte(&w.out, w.strings.b[i]);
    gzip(out, w.out.b, w.out.n);
    free(w.out.b);
    free(w.strings.b);
    free(w.part.b);
    free(w.piece.b);
    free(w.ids.b);
    free(w.names.key);
    free(w.names.hash);
    free(w.functions.key);
    free(w.functions.hash);
}
