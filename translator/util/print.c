/* Formatting without libc and without allocation. Safe in a signal handler. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/sys.h"
#include "util/base.h"

struct sink {
    char *buf;
    size_t size, len;   /* len counts what would have been written, as snprintf does */
};

static void
put(struct sink *s, char c)
{
    if (s->len + 1 < s->size)
        s->buf[s->len] = c;
    s->len++;
}

static void
put_padded(struct sink *s, const char *text, size_t n, int width, char pad, bool left)
{
    for (; !left && width > (int)n; width--)
        put(s, pad);
    for (size_t i = 0; i < n; i++)
        put(s, text[i]);
    for (; left && width > (int)n; width--)
        put(s, ' ');
}

static void
put_number(struct sink *s, uint64_t v, unsigned base, bool negative, int width, char pad, bool left)
{
    char digits[24];
    size_t n = sizeof digits;

    do
        digits[--n] = "0123456789abcdef"[v % base];
    while (v /= base);
    if (negative)
        digits[--n] = '-';
    put_padded(s, digits + n, sizeof digits - n, width, pad, left);
}

size_t
format_v(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct sink s = {buf, size, 0};

    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&s, *fmt);
            continue;
        }
        bool left = false;
        char pad = ' ';
        int width = 0, longs = 0;
        for (fmt++; *fmt == '-' || *fmt == '0'; fmt++)
            *fmt == '-' ? (left = true) : (pad = '0');
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + *fmt - '0';
        for (; *fmt == 'l' || *fmt == 'z'; fmt++)
            longs++;
        switch (*fmt) {
        case 'd': {
            int64_t v = longs ? va_arg(ap, int64_t) : va_arg(ap, int);
            put_number(&s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, width, pad, left);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t v = longs ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
            put_number(&s, v, *fmt == 'x' ? 16 : 10, false, width, pad, left);
            break;
        }
        case 'p':
            put(&s, '0');
            put(&s, 'x');
            put_number(&s, (uint64_t)va_arg(ap, void *), 16, false, width, '0', left);
            break;
        case 's': {
            const char *t = va_arg(ap, const char *);
            t = t ? t : "(null)";
            put_padded(&s, t, strlen(t), width, ' ', left);
            break;
        }
        case 'c':
            put(&s, (char)va_arg(ap, int));
            break;
        default:
            put(&s, *fmt);
            break;
        }
    }
    if (size)
        buf[s.len < size ? s.len : size - 1] = 0;
    return s.len;
}

size_t
format(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    size_t n = format_v(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

volatile int console_fd = 2;

void
print_err(const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    size_t n = format_v(line, sizeof line, fmt, ap);
    va_end(ap);
    sys_write(console_fd, line, MIN(n, sizeof line - 1));
}
