/* Kernel interfaces that the uapi headers of Debian 12 (Linux 6.1) lack: calls
 * added since, and structs that no uapi header shows. Layouts are the kernel's
 * for good, so they have names of our own and never clash with newer headers. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SYSCALL_ABI_H
#define DRTOOLS_TRANSLATOR_SYSCALL_ABI_H

#include <asm/unistd_64.h>
#include <stdint.h>

/* Linux 6.5 to 6.18. */
#ifndef __NR_uretprobe
#define __NR_uretprobe 335
#endif
#ifndef __NR_uprobe
#define __NR_uprobe 336
#endif
#ifndef __NR_cachestat
#define __NR_cachestat 451
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_map_shadow_stack
#define __NR_map_shadow_stack 453
#endif
#ifndef __NR_futex_wake
#define __NR_futex_wake 454
#endif
#ifndef __NR_futex_wait
#define __NR_futex_wait 455
#endif
#ifndef __NR_futex_requeue
#define __NR_futex_requeue 456
#endif
#ifndef __NR_statmount
#define __NR_statmount 457
#endif
#ifndef __NR_listmount
#define __NR_listmount 458
#endif
#ifndef __NR_lsm_get_self_attr
#define __NR_lsm_get_self_attr 459
#endif
#ifndef __NR_lsm_set_self_attr
#define __NR_lsm_set_self_attr 460
#endif
#ifndef __NR_lsm_list_modules
#define __NR_lsm_list_modules 461
#endif
#ifndef __NR_mseal
#define __NR_mseal 462
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#endif
#ifndef __NR_getxattrat
#define __NR_getxattrat 464
#endif
#ifndef __NR_listxattrat
#define __NR_listxattrat 465
#endif
#ifndef __NR_removexattrat
#define __NR_removexattrat 466
#endif
#ifndef __NR_open_tree_attr
#define __NR_open_tree_attr 467
#endif
#ifndef __NR_file_getattr
#define __NR_file_getattr 468
#endif
#ifndef __NR_file_setattr
#define __NR_file_setattr 469
#endif

struct abi_cachestat_range {
    uint64_t off, len;
};

struct abi_cachestat {
    uint64_t nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted;
};

struct abi_xattr_args {
    uint64_t value;
    uint32_t size, flags;
};

struct abi_file_attr {
    uint64_t xflags;
    uint32_t extsize, nextents, projid, cowextsize;
};

struct abi_lsm_ctx {
    uint64_t id, flags, len, ctx_len; /* then ctx_len bytes */
};

/* What the kernel knows by other names than the C library does. */
struct abi_msghdr {
    uint64_t msg_name;
    int32_t msg_namelen;
    uint32_t pad;
    uint64_t msg_iov, msg_iovlen, msg_control, msg_controllen;
    uint32_t msg_flags, tail_pad;
};

struct abi_mmsghdr {
    struct abi_msghdr msg_hdr;
    uint32_t msg_len, pad;
};

struct abi_cmsghdr {
    uint64_t cmsg_len;
    int32_t cmsg_level, cmsg_type;
};

struct abi_sigset_pair { /* pselect6, io_pgetevents */
    uint64_t sigmask, size;
};

struct abi_ustat {
    int32_t f_tfree;
    uint64_t f_tinode;
    char f_fname[6], f_fpack[6];
};

enum { ABI_SIGSET_SIZE = 8, ABI_SIGINFO_SIZE = 128 };

#endif
