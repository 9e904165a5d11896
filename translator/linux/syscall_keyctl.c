/* keyctl's operations on the kernel's key rings.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/keyctl.h>

#include "syscall_walk.h"

enum {
    TYPE = 32,
    DESCRIPTION = 4096,
    INFO = 4096,
    DH_PARAMS = 12,
    KDF_OTHER_INFO = 8,
    KDF_OTHER_LEN = 16,
    KDF_PARAMS = 56,
    HASH_NAME = 128,
    PKEY_PARAMS = 40,
    PKEY_QUERY = 56,
    IN_LEN = 4,
    OUT_LEN = 8,
};

static uint32_t
operation_key(const uint64_t *arg)
{
    return (uint32_t)arg[0];
}

/* struct keyctl_kdf_params: name of a hash, more bytes and their number. */
static void
kdf(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], name = walk_fetch64(w, at), other = walk_fetch64(w, at + KDF_OTHER_INFO);

    walk_in(w, at, KDF_PARAMS, NULL);
    if (name)
        walk_string(w, name, HASH_NAME, "hashname");
    if (other)
        walk_in(w, other, walk_fetch32(w, at + KDF_OTHER_LEN), "otherinfo");
}

/* Public-key operations: struct keyctl_pkey_params is argument 1, the
 * information string 2, the blobs 3 and 4, as long as the struct says. */
static void
pkey_in(struct syscall_walk *w, unsigned k)
{
    walk_in(w, w->call->arg[k], walk_fetch32(w, w->call->arg[1] + IN_LEN), NULL);
}

static void
pkey_in2(struct syscall_walk *w, unsigned k)
{
    walk_in(w, w->call->arg[k], walk_fetch32(w, w->call->arg[1] + OUT_LEN), NULL);
}

static void
pkey_out(struct syscall_walk *w, unsigned k)
{
    uint64_t room = walk_fetch32(w, w->call->arg[1] + OUT_LEN);

    walk_out(w, w->call->arg[k], room < walk_limit(w) ? room : walk_limit(w), NULL);
}

/* clang-format off */
#define KEY INT("key")
#define PARAMS IN("params", PKEY_PARAMS), STR("info", INFO)
static const struct syscall_variant rows[] = {
    VARIANT(KEYCTL_GET_KEYRING_ID,   0, KEY, INT("create")),
    VARIANT(KEYCTL_JOIN_SESSION_KEYRING, CREDS, STR("name", DESCRIPTION, OPTIONAL)),
    VARIANT(KEYCTL_UPDATE,           0, KEY, IN_COUNT("payload", 3, 1), LONG("plen")),
    VARIANT(KEYCTL_REVOKE,           0, KEY),
    VARIANT(KEYCTL_CHOWN,            0, KEY, INT("uid"), INT("gid")),
    VARIANT(KEYCTL_SETPERM,          0, KEY, INT("perm")),
    VARIANT(KEYCTL_DESCRIBE,         0, KEY, OUT_FITS("buffer", 3, 1, OPTIONAL), LONG("buflen")),
    VARIANT(KEYCTL_CLEAR,            0, KEY),
    VARIANT(KEYCTL_LINK,             0, KEY, INT("keyring")),
    VARIANT(KEYCTL_UNLINK,           0, KEY, INT("keyring")),
    VARIANT(KEYCTL_SEARCH,           0, INT("keyring"), STR("type", TYPE), STR("description", DESCRIPTION), INT("dest_keyring")),
    VARIANT(KEYCTL_READ,             0, KEY, OUT_FITS("buffer", 3, 1, OPTIONAL), LONG("buflen")),
    VARIANT(KEYCTL_INSTANTIATE,      0, KEY, IN_COUNT("payload", 3, 1, OPTIONAL), LONG("plen"), INT("keyring")),
    VARIANT(KEYCTL_NEGATE,           0, KEY, INT("timeout"), INT("keyring")),
    VARIANT(KEYCTL_SET_REQKEY_KEYRING, CREDS, INT("reqkey_defl")),
    VARIANT(KEYCTL_SET_TIMEOUT,      0, KEY, INT("timeout")),
    VARIANT(KEYCTL_ASSUME_AUTHORITY, CREDS, KEY),
    VARIANT(KEYCTL_GET_SECURITY,     0, KEY, OUT_RESULT("buffer", 3, 1, OPTIONAL), LONG("buflen")),
    VARIANT(KEYCTL_SESSION_TO_PARENT, 0),
    VARIANT(KEYCTL_REJECT,           0, KEY, INT("timeout"), INT("error"), INT("keyring")),
    VARIANT(KEYCTL_INSTANTIATE_IOV,  0, KEY, IN_IOV("payload_iov", 3), INT("ioc"), INT("keyring")),
    VARIANT(KEYCTL_INVALIDATE,       0, KEY),
    VARIANT(KEYCTL_GET_PERSISTENT,   0, INT("uid"), INT("keyring")),
    VARIANT(KEYCTL_DH_COMPUTE,       0, IN("params", DH_PARAMS), OUT_RESULT("buffer", 3, 1), LONG("buflen"), IN_WALK("kdf", kdf, OPTIONAL)),
    VARIANT(KEYCTL_PKEY_QUERY,       0, KEY, LONG("reserved"), STR("info", INFO), OUT("result", PKEY_QUERY)),
    VARIANT(KEYCTL_PKEY_ENCRYPT,     0, PARAMS, IN_WALK("in", pkey_in), OUT_WALK("out", pkey_out)),
    VARIANT(KEYCTL_PKEY_DECRYPT,     0, PARAMS, IN_WALK("in", pkey_in), OUT_WALK("out", pkey_out)),
    VARIANT(KEYCTL_PKEY_SIGN,        0, PARAMS, IN_WALK("in", pkey_in), OUT_WALK("out", pkey_out)),
    VARIANT(KEYCTL_PKEY_VERIFY,      0, PARAMS, IN_WALK("in", pkey_in), IN_WALK("in2", pkey_in2)),
    VARIANT(KEYCTL_RESTRICT_KEYRING, 0, INT("keyring"), STR("type", TYPE, OPTIONAL), STR("restriction", DESCRIPTION, OPTIONAL)),
    VARIANT(KEYCTL_MOVE,             0, KEY, INT("from_ring"), INT("to_ring"), FLAGS("flags")),
    VARIANT(KEYCTL_CAPABILITIES,     0, OUT_COUNT("buffer", 2, 1), LONG("buflen")),
    VARIANT(KEYCTL_WATCH_KEY,        0, KEY, FD("watch_queue_fd"), INT("watch_id")),
};
const struct syscall_variants keyctl_options = VARIANTS(operation_key, 1, rows);
/* clang-format on */
