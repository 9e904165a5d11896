/* SPDX-License-Identifier: BSD-3-Clause */
/* A small cache of source files with their line starts.
 * Invariant: a file is read once while it is in the cache, and only if it is a
 *            regular file of reasonable size. */
#include "source.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

enum { FILES = 8, LARGEST = 8 << 20, LONGEST_LINE = 500 };

static struct file {
    char *path, *text;
    size_t size;
    size_t *lines;
    size_t line_count, line_room;
} files[FILES];

static unsigned next_slot;

static void
forget(struct file *f)
{
    free(f->path);
    free(f->text);
    free(f->lines);
    *f = (struct file){0};
}

void
source_forget(void)
{
    for (int i = 0; i < FILES; i++)
        forget(&files[i]);
}

static bool
read_text(struct file *f, int fd)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > LARGEST)
        return false;
    f->text = memory_zalloc((size_t)st.st_size + 1, 1);
    while (f->size < (size_t)st.st_size &&
           (n = read(fd, f->text + f->size, (size_t)st.st_size - f->size)) > 0)
        f->size += (size_t)n;
    return true;
}

static void
index_lines(struct file *f)
{
    for (size_t at = 0; at < f->size;) {
        const char *newline = memchr(f->text + at, '\n', f->size - at);

        GROW(f->lines, f->line_count, f->line_room);
        f->lines[f->line_count++] = at;
        at = newline ? (size_t)(newline - f->text) + 1 : f->size;
    }
}

/* An entry of a file that cannot be read has no lines, and is remembered too. */
static struct file *
find_file(const char *path)
{
    struct file *f;
    struct stat st;
    int fd;

    for (int i = 0; i < FILES; i++)
        if (files[i].path && strcmp(files[i].path, path) == 0)
            return &files[i];
    f = &files[next_slot++ % FILES];
    forget(f);
    f->path = memory_string(path);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) /* to open a device can be to act on it */
        return f;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) {
        if (read_text(f, fd))
            index_lines(f);
        close(fd);
    }
    return f;
}

char *
source_line(const char *path, unsigned line)
{
    struct file *f;
    size_t from, size;

    if (!path || path[0] != '/' || line == 0)
        return NULL;
    f = find_file(path);
    if (line > f->line_count)
        return NULL;
    from = f->lines[line - 1];
    size = strcspn(f->text + from, "\r\n");
    return memory_string_n(f->text + from, size < LONGEST_LINE ? size : LONGEST_LINE);
}
