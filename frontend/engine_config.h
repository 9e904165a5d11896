/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's configuration string; docs/launch.md lists its keys. */
#ifndef DRTOOLS_FRONTEND_ENGINE_CONFIG_H
#define DRTOOLS_FRONTEND_ENGINE_CONFIG_H

#include "conf.h"
#include "install.h"
#include "reporter.h"
#include "settings.h"

/* `s->value[OPT_LOGDIR]` must be absolute by now. `r` NULL: nobody is to report; r->fd -1: who should, cannot. */
bool engine_config_build(const struct install *in, const struct settings *s, const struct conf_names *names,
                         const struct reporter *r, const char **config, struct error *err);

#endif
