/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding APP through PATH, and refusing what the kernel would refuse, with
 * a reason it would not give. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "elf_check.h"
#include "keep.h"
#include "script.h"

static const char *
search_path(void)
{
    const char *path = getenv("PATH");

    return path ? path : "/bin:/usr/bin"; /* execvp's default */
}

/* Leaves in errno what execve would say. */
static bool
executable(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    if (!S_ISREG(st.st_mode)) {
        errno = EACCES;
        return false;
    }
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

bool
program_find(struct program *program, const char *name, struct error *err)
{
    bool denied = false;

    memset(program, 0, sizeof *program);
    if (strchr(name, '/')) {
        program->path = name;
        return true; /* program_check says what is wrong with it */
    }
    for (const char *dir = search_path(), *end; *name; dir = end + 1) {
        size_t length = strcspn(dir, ":");

        end = dir + length;
        program->path = length ? keep_printf("%.*s/%s", (int)length, dir, name) : keep_string(name);
        if (executable(program->path))
            return true;
        denied |= errno == EACCES;
        if (!*end)
            break;
    }
    if (denied)
        return error_set(err, STATUS_NOT_RUNNABLE, "the file %s that PATH leads to is not executable", name);
    return error_set(err, STATUS_NOT_FOUND, "cannot find the program '%s' in PATH", name);
}

/* Would execve give the process another identity than it has? The engine
 * could not: it runs under the identity it has from the start. */
static bool
changes_identity(const char *path, const struct stat *st, const struct statvfs *fs)
{
    bool to_user = (st->st_mode & S_ISUID) && st->st_uid != geteuid();
    bool to_group = (st->st_mode & S_ISGID) && (st->st_mode & S_IXGRP) && st->st_gid != getegid();
    bool to_capabilities = geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;

    if ((fs->f_flag & ST_NOSUID) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return false; /* the kernel ignores all three */
    return to_user || to_group || to_capabilities;
}

static bool check_contents(struct program *program, int depth, struct error *err);

/* The program that runs a script is the one that decides. */
static bool
check_script_interpreter(struct program *script, const char *path, int depth, struct error *err)
{
    struct program interpreter = {.path = path};

    if (depth >= SCRIPT_DEPTH_MAX)
        return error_set(err, STATUS_NOT_RUNNABLE, "%s: its interpreters are scripts more than %d deep",
                         script->path, SCRIPT_DEPTH_MAX);
    if (!check_contents(&interpreter, depth + 1, err)) {
        err->status = err->status == STATUS_ENGINE ? STATUS_ENGINE : STATUS_NOT_RUNNABLE;
        err->text = keep_printf("%s: bad interpreter: %s", script->path, err->text);
        return false;
    }
    script->native = interpreter.native;
    return true;
}

static bool
check_opened(struct program *program, int fd, const struct stat *st, int depth, struct error *err)
{
    const char *interpreter;

    switch (script_interpreter(fd, &interpreter)) {
    case SCRIPT_NOT:
        return elf_check(fd, (unsigned long long)st->st_size, program->path, &program->native, err);
    case SCRIPT_BAD:
        return error_set(err, STATUS_NOT_RUNNABLE, "%s: its #! line names no interpreter", program->path);
    default: return check_script_interpreter(program, interpreter, depth, err);
    }
}

static bool
check_contents(struct program *program, int depth, struct error *err)
{
    const char *path = program->path;
    struct statvfs fs = {0};
    struct stat st;
    bool good;
    int fd;

    if (stat(path, &st) < 0)
        return error_sys(err, errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_RUNNABLE,
                         "cannot run '%s'", path);
    if (S_ISDIR(st.st_mode))
        return error_set(err, STATUS_NOT_RUNNABLE, "cannot run %s: it is a directory", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, STATUS_NOT_RUNNABLE, "cannot run %s: it is not a regular file", path);
    if (!executable(path))
        return error_sys(err, STATUS_NOT_RUNNABLE, "cannot run %s", path);
    if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
        return error_set(err, STATUS_NOT_RUNNABLE, "cannot run %s: its file system is mounted noexec", path);

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno != EACCES)
        return error_sys(err, STATUS_NOT_RUNNABLE, "cannot open %s", path);
    if (fd < 0) {
        program->native = "it may be executed but not read";
        return true;
    }
    good = check_opened(program, fd, &st, depth, err);
    close(fd);
    /* Of a script, the kernel takes the identity from the interpreter. */
    if (good && !program->native && changes_identity(path, &st, &fs))
        program->native = "it is set-user-id, set-group-id or has capabilities";
    return good;
}

bool
program_check(struct program *program, struct error *err)
{
    return check_contents(program, 0, err);
}
