/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing a configuration file. The new one is complete on the disk under
 * another name before it takes the old one's place. */
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
add_line(struct text *t, const char *var, const char *value)
{
    size_t length = strlen(value);

    text_addf(t, "%s=", var);
    for (size_t i = 0; i < length; i++) {
        bool at_end = i == 0 || i + 1 == length; /* where reading would trim blanks */
        char c = value[i];

        if (c == '%' || c == '\n' || (at_end && strchr(" \t\r\v\f", c)))
            text_addf(t, "%%%02X", (unsigned char)c);
        else
            text_add_char(t, c);
    }
    text_add_char(t, '\n');
}

static const char *
contents(const struct settings *s)
{
    struct text t = {0};

    text_add(&t, "# Written by drconfig.\n");
    if (s->norun)
        add_line(&t, "norun", "1");
    for (int i = 0; i < OPT_COUNT; i++)
        if (s->value[i] && option_is_stored(&options[i]))
            add_line(&t, options[i].name, s->value[i]);
    for (size_t i = 0; i < s->tools_n; i++) {
        const struct tool_use *use = &s->tools[i];

        add_line(&t, "tool", strchr(use->as, '/') ? use->tool.path : use->as);
        for (size_t a = 0; a < use->args.n; a++)
            add_line(&t, "toolarg", use->args.v[a]);
    }
    return t.s;
}

static bool
make_folders(const char *path, struct error *err)
{
    for (const char *end = path + 1;; end++) {
        char *part;

        if (*end && *end != '/')
            continue;
        part = keep_slice(path, (size_t)(end - path));
        if (mkdir(part, 0755) < 0 && errno != EEXIST && access(part, F_OK) < 0)
            return error_sys(err, STATUS_USAGE, "cannot create the folder %s", part);
        if (!*end)
            return true;
    }
}

static bool
write_all(int fd, const char *s)
{
    for (size_t left = strlen(s); left;) {
        ssize_t done = write(fd, s, left);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        s += done;
        left -= (size_t)done;
    }
    return true;
}

/* Everybody may read it, as far as the umask lets them: mkstemp's files are the owner's only. */
static bool
open_up(int fd)
{
    mode_t mask = umask(0);

    umask(mask);
    return fchmod(fd, 0644 & ~mask) == 0;
}

bool
conf_write(const char *folder, const char *path, const struct settings *s, struct error *err)
{
    char *temporary = keep_printf("%s/.drconfig.XXXXXX", folder);
    bool good = false;
    int fd;

    if (!make_folders(folder, err))
        return false;
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_sys(err, STATUS_USAGE, "cannot create a file in %s", folder);
    if (!write_all(fd, contents(s)) || !open_up(fd) || fsync(fd) < 0)
        goto out;
    good = rename(temporary, path) == 0;
out:
    if (!good) {
        error_sys(err, STATUS_USAGE, "cannot write %s", path);
        unlink(temporary);
    }
    close(fd);
    return good;
}
