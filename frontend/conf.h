/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration files: `VAR=value` lines in APP.conf, in a folder of the
 * user's and in one for all users. VAR is an option's name, `tool`, `toolarg`
 * or `norun`; docs/frontend.md describes them. */
#ifndef DRTOOLS_FRONTEND_CONF_H
#define DRTOOLS_FRONTEND_CONF_H

#include "install.h"
#include "keep.h"
#include "settings.h"

enum conf_scope { CONF_USER, CONF_GLOBAL };

/* The folder, which need not exist; NULL: the user has none. */
const char *conf_folder(enum conf_scope scope);
/* The file about programs named `app` in `scope`, whose folder is not NULL. */
const char *conf_path(enum conf_scope scope, const char *app);

/* A file that does not exist leaves `s` empty and `*exists` false. With `in`
 * NULL, tools are only named and need not be there. */
bool conf_read(const char *path, const struct install *in, struct settings *s, bool *exists,
               struct error *err);

/* The user's file about `app`, and below it the one for all users. */
bool conf_read_app(const char *app, const struct install *in, struct settings *s, struct error *err);

/* Names of the programs with a file in `scope`, sorted. */
bool conf_list(enum conf_scope scope, struct words *apps, struct error *err);

/* All registered programs, by what is done when one is executed. */
struct conf_names {
    struct words reg, norun;
};

bool conf_read_names(struct conf_names *names, struct error *err);

/* Replaces the file as a whole or leaves it as it was. */
bool conf_write(const char *folder, const char *path, const struct settings *s, struct error *err);

#endif
