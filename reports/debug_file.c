/* SPDX-License-Identifier: BSD-3-Clause */
/* Separate debug files: by build-id, by .gnu_debuglink, dwz's alternate by
 * .gnu_debugaltlink. The order and the places are gdb's.
 * Invariant: a file is used only if its build-id, or failing that its CRC, is the one asked for. */
#include "debug_file.h"

#include <limits.h>
#include <stdlib.h>
#include <stdio.h>

#include "memory.h"

struct wanted {
    struct span id; /* build-id, may be empty       */
    bool has_crc;
    uint32_t crc;
};

static bool
same(struct span a, struct span b)
{
    return a.size == b.size && a.size && memcmp(a.data, b.data, a.size) == 0;
}

static bool
matches(struct elf_file *elf, const struct wanted *want)
{
    struct span id = elf_build_id(elf);

    if (want->id.size && id.size)
        return same(id, want->id);
    return want->has_crc && elf_crc(elf) == want->crc;
}

/* Takes `path` over. */
static struct elf_file *
try_path(char *path, const struct wanted *want, char **found)
{
    struct elf_file *elf = elf_open(path);

    if (elf && matches(elf, want)) {
        *found = path;
        return elf;
    }
    elf_close(elf);
    free(path);
    return NULL;
}

static struct elf_file *
open_by_id(const struct wanted *want, const char *const *roots, char **found)
{
    char hex[2 * 64 + 1];
    struct elf_file *elf = NULL;

    if (want->id.size < 2 || want->id.size > 64)
        return NULL;
    for (size_t i = 0; i < want->id.size; i++)
        snprintf(hex + 2 * i, 3, "%02x", want->id.data[i]);
    for (size_t i = 0; roots[i] && !elf; i++)
        elf = try_path(memory_printf("%s/.build-id/%.2s/%s.debug", roots[i], hex, hex + 2), want, found);
    return elf;
}

/* DIR of the module with symbolic links resolved, ending in no slash. */
static char *
directory_of(const char *path)
{
    char *real = realpath(path, NULL), *slash;

    if (!real)
        real = memory_string(path);
    slash = strrchr(real, '/');
    if (slash)
        *slash = 0;
    else
        strcpy(real, real[0] ? "." : "");
    return real;
}

static struct elf_file *
open_by_link(struct elf_file *module, const char *module_path, struct wanted *want, const char *const *roots,
             char **found)
{
    struct cursor c = cursor_from(elf_section(module, ".gnu_debuglink"), 0);
    const char *name = cursor_string(&c);
    struct elf_file *elf = NULL;
    char *dir;

    if (!name || !*name || strchr(name, '/'))
        return NULL;
    while (((uintptr_t)c.at - (uintptr_t)name) % 4 && !c.bad)
        cursor_skip(&c, 1);
    want->crc = cursor_u32(&c);
    want->has_crc = !c.bad;
    dir = directory_of(module_path);
    /* Beside the module; a link to the module's own name is not that module. */
    elf = try_path(memory_printf("%s/%s", dir, name), want, found);
    if (!elf)
        elf = try_path(memory_printf("%s/.debug/%s", dir, name), want, found);
    for (size_t i = 0; roots[i] && !elf; i++) {
        elf = try_path(memory_printf("%s%s/%s", roots[i], dir, name), want, found);
        if (!elf && strncmp(dir, "/usr/", 5) == 0)
            elf = try_path(memory_printf("%s%s/%s", roots[i], dir + 4, name), want, found);
        if (!elf && strncmp(dir, "/usr/", 5) != 0)
            elf = try_path(memory_printf("%s/usr%s/%s", roots[i], dir, name), want, found);
    }
    free(dir);
    return elf;
}

struct elf_file *
debug_file_open(struct elf_file *module, const char *module_path, const char *const *roots, char **found)
{
    struct wanted want = {.id = elf_build_id(module)};
    struct elf_file *elf;

    *found = NULL;
    elf = open_by_id(&want, roots, found);
    return elf ? elf : open_by_link(module, module_path, &want, roots, found);
}

struct elf_file *
debug_file_open_alternate(struct elf_file *debug, const char *debug_path, const char *const *roots,
                          char **found)
{
    struct span link = elf_section(debug, ".gnu_debugaltlink");
    struct cursor c = cursor_from(link, 0);
    const char *name = cursor_string(&c);
    struct wanted want = {0};
    struct elf_file *elf = NULL;
    char *dir;

    *found = NULL;
    if (!name || !*name)
        return NULL;
    want.id = (struct span){c.at, cursor_left(&c)};
    dir = directory_of(debug_path);
    elf = try_path(name[0] == '/' ? memory_string(name) : memory_printf("%s/%s", dir, name), &want, found);
    free(dir);
    if (!elf)
        elf = open_by_id(&want, roots, found);
    /* Moved debug trees: the tail below .dwz/ is what stays. */
    const char *tail = strstr(name, ".dwz/");
    for (size_t i = 0; tail && roots[i] && !elf; i++)
        elf = try_path(memory_printf("%s/%s", roots[i], tail), &want, found);
    return elf;
}
