/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding this copy of drtools and the library it needs. */
#include "install.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "keep.h"

/* Without /proc (a bare chroot) the kernel's word for the path we were run by has to do. */
static bool
own_path(char path[PATH_MAX])
{
    const char *run_as = (const char *)getauxval(AT_EXECFN);

    if (realpath("/proc/self/exe", path))
        return true;
    return run_as && realpath(run_as, path);
}

static char *
parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == path ? keep_string("/") : keep_slice(path, (size_t)(slash - path));
}

bool
install_find(struct install *in, struct error *err)
{
    char self[PATH_MAX];
    const char *top;

    if (!own_path(self))
        return error_sys(err, STATUS_ENGINE, "cannot find out where drtools is installed");
    top = parent_of(parent_of(self));
    in->lib = keep_printf("%s/lib/drtools", strcmp(top, "/") == 0 ? "" : top);
    in->engine = keep_printf("%s/drengine", in->lib);
    in->tools = keep_printf("%s/tools", in->lib);
    return true;
}

bool
install_find_zydis(const struct install *in, const char **path, struct error *err)
{
    static const char *const folders[] = {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"};
    static const char *const names[] = {"libZydis.so.4.0", "libZydis.so.4", "libZydis.so"};
    struct words candidates = {0};

    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        words_add(&candidates, keep_printf("%s/%s", in->lib, names[n]));
    words_add(&candidates, DRTOOLS_ZYDIS); /* where it was when drtools was built */
    for (size_t f = 0; f < sizeof folders / sizeof *folders; f++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            words_add(&candidates, keep_printf("%s/%s", folders[f], names[n]));

    for (size_t i = 0; i < candidates.n; i++)
        if (access(candidates.v[i], R_OK) == 0) {
            *path = candidates.v[i];
            return true;
        }
    return error_set(err, STATUS_ENGINE,
                     "libZydis.so is not installed (looked in %s and /usr/lib; Debian's package is "
                     "libzydis4.0)",
                     in->lib);
}
