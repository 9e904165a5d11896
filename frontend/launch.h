/* SPDX-License-Identifier: BSD-3-Clause */
/* Becoming the program: through the engine, or natively. docs/launch.md is
 * the contract with the engine. */
#ifndef DRTOOLS_FRONTEND_LAUNCH_H
#define DRTOOLS_FRONTEND_LAUNCH_H

#include "conf.h"
#include "install.h"
#include "program.h"
#include "reporter.h"
#include "settings.h"

/* Both return only on failure, and then false. `app` is the program's argv; `r` as for engine_config_build. */
bool launch_engine(const struct install *in, const struct settings *s, const struct conf_names *names,
                   const struct reporter *r, const struct program *program, char **app, struct error *err);
bool launch_native(const struct program *program, char **app, struct error *err);

#endif
