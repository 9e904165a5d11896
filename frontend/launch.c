/* SPDX-License-Identifier: BSD-3-Clause */
/* Becoming the program. Nothing of ours goes along but the engine's first two
 * arguments: environment, descriptors, signal mask and dispositions are as
 * they were when we started. */
#include "launch.h"

#include <errno.h>
#include <unistd.h>

#include "engine_config.h"

bool
launch_engine(const struct install *in, const struct settings *s, const struct conf_names *names,
              const struct reporter *r, const struct program *program, char **app, struct error *err)
{
    struct words argv = {0};
    const char *config;

    if (!engine_config_build(in, s, names, r, &config, err))
        return false;
    words_add(&argv, "drengine");
    words_add(&argv, config);
    words_add(&argv, program->path);
    for (; *app; app++)
        words_add(&argv, *app);
    execv(in->engine, argv.v);
    if (errno == E2BIG)
        return error_set(err, STATUS_NOT_RUNNABLE, "the arguments and the environment together are too long");
    return error_sys(err, STATUS_ENGINE, "cannot start the engine %s", in->engine);
}

bool
launch_native(const struct program *program, char **app, struct error *err)
{
    execv(program->path, app);
    return error_sys(err, STATUS_NOT_RUNNABLE, "cannot run %s", program->path);
}
