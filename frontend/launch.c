/* SPDX-License-Identifier: BSD-3-Clause */
/* Becoming the program. Nothing of ours goes along but the engine's first two
 * arguments: environment, descriptors, signal mask and dispositions are as
 * they were when we started. */
#include "launch.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine_config.h"

static bool
address_space_is_limited(unsigned long long *limit)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_AS, &r) < 0 || r.rlim_cur == RLIM_INFINITY)
        return false;
    *limit = r.rlim_cur;
    return true;
}

static bool
engine_failed(const struct install *in, struct error *err)
{
    unsigned long long limit;

    if (errno == E2BIG)
        return error_set(err, STATUS_NOT_RUNNABLE, "the arguments and the environment together are too long");
    if (errno == ENOMEM && address_space_is_limited(&limit))
        return error_set(err, STATUS_ENGINE, "cannot start the engine: RLIMIT_AS (`ulimit -v`) is %llu KiB, which is "
                                             "too low", limit / 1024);
    return error_sys(err, STATUS_ENGINE, "cannot start the engine %s", in->engine);
}

bool
launch_engine(const struct install *in, const struct settings *s, const struct conf_names *names,
              const struct program *program, char **app, struct error *err)
{
    struct words argv = { 0 };
    const char *config;

    if (!engine_config_build(in, s, names, &config, err))
        return false;
    words_add(&argv, "drengine");
    words_add(&argv, config);
    words_add(&argv, program->path);
    for (; *app; app++)
        words_add(&argv, *app);
    execv(in->engine, argv.v);
    return engine_failed(in, err);
}

bool
launch_native(const struct program *program, char **app, struct error *err)
{
    execv(program->path, app);
    return error_sys(err, STATUS_NOT_RUNNABLE, "cannot run %s", program->path);
}
