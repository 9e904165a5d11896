/* The one system-call table: what each x86-64 Linux call is named, what its
 * arguments are, which program memory the kernel reads and writes for it, and
 * what else it changes. The engine, memory checkers and tracers all ask here.
 * Invariants: the table is constant; nothing here faults, allocates, or keeps
 *             state: program memory is read only through the caller's safe_read.
 * Threads:    any, no lock.
 * See docs/syscall-table.md for how to read a row and how to add one. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_SYSCALLS_H
#define DRTOOLS_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */

enum {
    SYSCALL_MAX_ARGS = 6,
    SYSCALL_SAVED = 16,          /* lengths kept from before a call to after it          */
    SYSCALL_MAX_IOV = 1024,      /* UIO_MAXIOV: the kernel refuses more                  */
    SYSCALL_MAX_STRINGS = 1 << 20, /* argv entries; the kernel's 6 MiB limit holds fewer */
};

/* What a call does besides moving bytes. In a row: anything the call may do.
 * In a view: what this call, with this command, may do. */
enum syscall_flag {
    SYSCALL_BLOCKS = 1 << 0,      /* may sleep in a way that a signal ends                              */
    SYSCALL_NORETURN = 1 << 1,    /* does not come back to its caller when it succeeds                  */
    SYSCALL_MAPS = 1 << 2,        /* changes the address space, its protection, or drops contents       */
    SYSCALL_FDS = 1 << 3,         /* opens, closes or renumbers descriptors                             */
    SYSCALL_NEWFD = 1 << 4,       /* the result is a new descriptor (never without SYSCALL_FDS)         */
    SYSCALL_SIGNALS = 1 << 5,     /* changes signal mask, actions or alternate stack                    */
    SYSCALL_SIGSET = 1 << 6,      /* is given a signal set: a mask while it sleeps, or what to wait for */
    SYSCALL_RAISES = 1 << 7,      /* sends a signal, perhaps to the caller                              */
    SYSCALL_SPAWNS = 1 << 8,      /* creates a thread or process: returns twice                         */
    SYSCALL_EXEC = 1 << 9,        /* replaces the program                                               */
    SYSCALL_FARMEM = 1 << 10,     /* touches program memory that its arguments do not name: later, through another process, or by handle */
    SYSCALL_CREDS = 1 << 11,      /* changes identity, root or namespaces: what later calls may do      */
    SYSCALL_OBSOLETE = 1 << 12,   /* no kernel that can run us implements it: ENOSYS                    */
    SYSCALL_INT_RESULT = 1 << 13, /* the result is an int in rax: its errors are not sign-extended      */

    /* How the kernel restarts the call after a signal (signal(7)). A call that
     * sleeps and has none of these fails with EINTR whatever SA_RESTART says. */
    SYSCALL_RESTART_SA = 1 << 16,      /* ERESTARTSYS: if the handler has SA_RESTART, or none ran       */
    SYSCALL_RESTART_NOHAND = 1 << 17,  /* ERESTARTNOHAND: only if no handler ran                        */
    SYSCALL_RESTART_BLOCK = 1 << 18,   /* ERESTART_RESTARTBLOCK: only if no handler ran, by restart_syscall with the time left */
    SYSCALL_RESTART_ALWAYS = 1 << 19,  /* ERESTARTNOINTR: the program never sees the interruption       */
    SYSCALL_RESTART_MASK = 0xf << 16,
};

enum syscall_arg_kind {
    SYSCALL_ARG_NONE,
    SYSCALL_ARG_VALUE,
    SYSCALL_ARG_FLAGS,
    SYSCALL_ARG_COMMAND,   /* chooses what the arguments mean                          */
    SYSCALL_ARG_FD,        /* a descriptor, or AT_FDCWD or -1 where the call has those */
    SYSCALL_ARG_PID,
    SYSCALL_ARG_SIGNAL,
    SYSCALL_ARG_ADDRESS,   /* an address that this call itself does not access         */
    SYSCALL_ARG_PATH,      /* NUL-terminated file name                                 */
    SYSCALL_ARG_STRING,    /* NUL-terminated, other than a file name                   */
    SYSCALL_ARG_POINTER,   /* to memory that the call reads, writes or both            */
};

struct syscall_walk;
struct syscall_layout;
struct syscall_variants;

/* One argument. Readers use the first three fields and syscall_view; the rest
 * drives the iterators and is explained where rows are written, syscall_rows.h. */
struct syscall_arg {
    const char *name;
    uint8_t kind;              /* enum syscall_arg_kind                                          */
    uint8_t bits;              /* low bits of the register that matter: 64, 32, 16, 8; 0: none   */
    uint8_t access, how, count_arg, wrote;
    uint8_t if_how, if_arg : 4, optional : 1, maybe : 1;
    uint32_t size, if_mask;
    union {
        const struct syscall_layout *layout;
        void (*walk)(struct syscall_walk *w, unsigned argno);
    };
};

struct syscall_info {
    const char *name;
    uint32_t flags;            /* enum syscall_flag                       */
    uint8_t nargs;
    const struct syscall_arg *arg;              /* nargs of them                           */
    const struct syscall_variants *variants;    /* not NULL: a multiplexer, see syscall_view */
};

/* NULL when the number is unknown (x32 numbers are: they are other calls). */
const struct syscall_info *syscall_info(unsigned nr);
const char *syscall_name(unsigned nr);

/* May the kernel write program memory on behalf of call `nr`? True for unknown ones. */
bool syscall_may_write(unsigned nr);

/* One call being made. The caller fills all but `saved`, and hands the same
 * object to syscall_memory_pre and, unchanged, to syscall_memory_post. */
struct syscall_args {
    uint32_t nr;
    uint64_t arg[SYSCALL_MAX_ARGS];

    /* Copies n bytes of program memory at `addr`; false (whatever was copied)
     * if any of them cannot be read. `cookie` is the iterator's. */
    bool (*safe_read)(void *dst, uint64_t addr, size_t n, void *cookie);

    uint32_t saved[SYSCALL_SAVED];   /* by syscall_memory_pre: in-out lengths before the kernel changes them */
    uint8_t nsaved;                  /* 0 if syscall_memory_pre never ran                                    */
};

/* The call as its arguments choose it: a multiplexer's command resolved,
 * conditions on flags evaluated. */
struct syscall_view {
    const struct syscall_info *info;
    const char *command;                            /* "F_SETLK"; NULL: no multiplexer, or unknown command */
    uint32_t flags;
    uint8_t nargs;
    const struct syscall_arg *arg[SYSCALL_MAX_ARGS];
    uint8_t bits[SYSCALL_MAX_ARGS];                 /* of each register, those that this call examines: 0 if it does not */
};

/* False if number or command is unknown: then what is known is filled in, no
 * register of the unknown part counts as examined, and its flags are the row's. */
bool syscall_view(const struct syscall_args *a, struct syscall_view *out);

/* Bit k: argument k is a descriptor that this call examines. */
unsigned syscall_descriptor_args(const struct syscall_args *a);

enum syscall_access {
    SYSCALL_READ,    /* the kernel reads these bytes and acts on them, or passes them on      */
    SYSCALL_COPY,    /* it fetches them but does not look: padding, opaque values. Must be addressable, may be undefined. */
    SYSCALL_WRITE,   /* pre: it may write them; post: it has written them                     */
};

struct syscall_range {
    uint64_t addr, size;      /* size is never 0                                                   */
    uint8_t access;           /* enum syscall_access                                               */
    uint8_t argno;
    bool string;              /* a C string: `size` counts up to and with the NUL that was found   */
    bool maybe;               /* the kernel may touch less, or nothing, of it                      */
    const char *arg;          /* name of the argument                                              */
    const char *outer, *member;   /* path below it; each % stands for the next index; may be NULL   */
    uint32_t index[2];
};

/* Called for each range; false ends the iteration. */
typedef bool syscall_visit_fn(const struct syscall_range *r, void *cookie);

/* Visits all memory that the kernel is going to read or may write, before the
 * call; and what it has written, after it, given the kernel's result (-errno on
 * failure). Ranges come in no particular order and can overlap. A required
 * pointer that is NULL is visited like any other address.
 *
 * True: everything the kernel touches through the arguments was visited.
 * False: something is missing: number or command unknown, a size that only the
 * kernel knows, memory that safe_read could not read, or `f` said stop. */
bool syscall_memory_pre(struct syscall_args *a, syscall_visit_fn *f, void *cookie);
bool syscall_memory_post(const struct syscall_args *a, int64_t result, syscall_visit_fn *f, void *cookie);

/* "msg.msg_iov[0].iov_base". Always NUL-terminated if n > 0; returns the full
 * length, which is more than n - 1 if the name was cut. */
size_t syscall_range_name(const struct syscall_range *r, char *buf, size_t n);
/* clang-format on */

#endif
