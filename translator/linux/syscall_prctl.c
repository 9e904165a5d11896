/* prctl and arch_prctl. Many options insist that the arguments they do not
 * use are 0, and so examine them: LONG, not UNUSED.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/prctl.h>
#include <linux/prctl.h>

#include "syscall_walk.h"

enum { COMM = 16, VMA_NAME = 80 };

static uint32_t
option_key(const uint64_t *arg)
{
    return (uint32_t)arg[0];
}

/* struct prctl_mm_map, whose `auxv` leads on. */
static void
mm_map(struct syscall_walk *w, uint64_t at, uint64_t size)
{
    struct prctl_mm_map m;

    if (size != sizeof m) {
        walk_unknown(w);
        return;
    }
    walk_in(w, at, sizeof m, NULL);
    if (walk_fetch(w, &m, at, sizeof m) && m.auxv)
        walk_in(w, (uint64_t)(uintptr_t)m.auxv, m.auxv_size, "auxv");
}

static void
walk_set_mm(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    switch (walk_arg(w, 1)) {
    case PR_SET_MM_MAP: mm_map(w, at, walk_arg(w, 3)); break;
    case PR_SET_MM_MAP_SIZE: walk_out(w, at, 4, NULL); break;
    case PR_SET_MM_AUXV: walk_in(w, at, walk_count(w, 3), NULL); break;
    default: break; /* an address or a descriptor */
    }
}

static void
walk_seccomp_filter(struct syscall_walk *w, unsigned k)
{
    walk_sock_fprog(w, w->call->arg[k]);
}

/* clang-format off */
#define REST3 LONG("arg3"), LONG("arg4"), LONG("arg5")
static const struct syscall_variant prctl_rows[] = {
    VARIANT(PR_SET_PDEATHSIG,       0, SIG("sig")),
    VARIANT(PR_GET_PDEATHSIG,       0, OUT("sig", 4)),
    VARIANT(PR_GET_DUMPABLE,        0),
    VARIANT(PR_SET_DUMPABLE,        0, LONG("dumpable")),
    VARIANT(PR_GET_UNALIGN,         0),
    VARIANT(PR_SET_UNALIGN,         0),
    VARIANT(PR_GET_KEEPCAPS,        0),
    VARIANT(PR_SET_KEEPCAPS,        CREDS, LONG("state")),
    VARIANT(PR_GET_FPEMU,           0),
    VARIANT(PR_SET_FPEMU,           0),
    VARIANT(PR_GET_FPEXC,           0),
    VARIANT(PR_SET_FPEXC,           0),
    VARIANT(PR_GET_TIMING,          0),
    VARIANT(PR_SET_TIMING,          0, LONG("timing")),
    VARIANT(PR_SET_NAME,            0, STR("name", COMM - 1)),
    VARIANT(PR_GET_NAME,            0, OUT("name", COMM)),
    VARIANT(PR_GET_ENDIAN,          0),
    VARIANT(PR_SET_ENDIAN,          0),
    VARIANT(PR_GET_SECCOMP,         0),
    VARIANT(PR_SET_SECCOMP,         CREDS, LONG("mode"), IN_WALK("filter", walk_seccomp_filter, IF(1, 2 /* SECCOMP_MODE_FILTER */))),
    VARIANT(PR_CAPBSET_READ,        0, LONG("cap")),
    VARIANT(PR_CAPBSET_DROP,        CREDS, LONG("cap")),
    VARIANT(PR_GET_TSC,             0, OUT("state", 4)),
    VARIANT(PR_SET_TSC,             0, INT("state")),
    VARIANT(PR_GET_SECUREBITS,      0),
    VARIANT(PR_SET_SECUREBITS,      CREDS, LONG("flags")),
    VARIANT(PR_SET_TIMERSLACK,      0, LONG("slack")),
    VARIANT(PR_GET_TIMERSLACK,      0),
    VARIANT(PR_TASK_PERF_EVENTS_DISABLE, 0),
    VARIANT(PR_TASK_PERF_EVENTS_ENABLE,  0),
    VARIANT(PR_MCE_KILL,            0, LONG("subop"), REST3),
    VARIANT(PR_MCE_KILL_GET,        0, LONG("arg2"), REST3),
    VARIANT(PR_SET_MM,              MAPS, INT("subop"), INOUT_WALK("addr", walk_set_mm), LONG("arg4"), LONG("arg5")),
    VARIANT(PR_SET_PTRACER,         0, LONG("pid")),
    VARIANT(PR_SET_CHILD_SUBREAPER, 0, LONG("on")),
    VARIANT(PR_GET_CHILD_SUBREAPER, 0, OUT("on", 4)),
    VARIANT(PR_SET_NO_NEW_PRIVS,    CREDS, LONG("on"), REST3),
    VARIANT(PR_GET_NO_NEW_PRIVS,    0, LONG("arg2"), REST3),
    VARIANT(PR_GET_TID_ADDRESS,     0, OUT("tidptr", 8)),
    VARIANT(PR_SET_THP_DISABLE,     0, LONG("on"), REST3),
    VARIANT(PR_GET_THP_DISABLE,     0, LONG("arg2"), REST3),
    VARIANT(PR_MPX_ENABLE_MANAGEMENT,  0),
    VARIANT(PR_MPX_DISABLE_MANAGEMENT, 0),
    VARIANT(PR_SET_FP_MODE,         0),
    VARIANT(PR_GET_FP_MODE,         0),
    VARIANT(PR_CAP_AMBIENT,         CREDS, LONG("subop"), REST3),
    VARIANT(PR_SVE_SET_VL,          0),
    VARIANT(PR_SVE_GET_VL,          0),
    VARIANT(PR_GET_SPECULATION_CTRL, 0, LONG("misfeature"), REST3),
    VARIANT(PR_SET_SPECULATION_CTRL, 0, LONG("misfeature"), REST3),
    VARIANT(PR_PAC_RESET_KEYS,      0),
    VARIANT(PR_SET_TAGGED_ADDR_CTRL, 0),
    VARIANT(PR_GET_TAGGED_ADDR_CTRL, 0),
    VARIANT(PR_SET_IO_FLUSHER,      0, LONG("on"), REST3),
    VARIANT(PR_GET_IO_FLUSHER,      0, LONG("arg2"), REST3),
    VARIANT(PR_SET_SYSCALL_USER_DISPATCH, SIGNALS, LONG("mode"), LONG("offset"), LONG("len"), ADDR("selector")),
    VARIANT(PR_PAC_SET_ENABLED_KEYS, 0),
    VARIANT(PR_PAC_GET_ENABLED_KEYS, 0),
    VARIANT(PR_SCHED_CORE,          0, LONG("subop"), PID("pid"), INT("type"), OUT("cookie", 8, OPTIONAL)),
    VARIANT_NR(65, PR_SET_MDWE,            CREDS, LONG("bits"), REST3),
    VARIANT_NR(66, PR_GET_MDWE,            0, LONG("arg2"), REST3),
    VARIANT(PR_SET_VMA,             0, LONG("subop"), ADDR("addr"), LONG("len"), STR("name", VMA_NAME, OPTIONAL)),
    VARIANT_NR(67, PR_SET_MEMORY_MERGE,    0, LONG("on"), REST3),
    VARIANT_NR(68, PR_GET_MEMORY_MERGE,    0, LONG("arg2"), REST3),
    VARIANT_NR(74, PR_GET_SHADOW_STACK_STATUS,  0),      /* RISC-V and Arm: EINVAL here */
    VARIANT_NR(75, PR_SET_SHADOW_STACK_STATUS,  0),
    VARIANT_NR(76, PR_LOCK_SHADOW_STACK_STATUS, 0),
    VARIANT_NR(77, PR_TIMER_CREATE_RESTORE_IDS, 0, LONG("mode"), REST3),
    VARIANT_NR(78, PR_FUTEX_HASH,          0, LONG("subop"), LONG("arg3"), LONG("arg4")),
    VARIANT_NR(0x41555856, PR_GET_AUXV,            0, OUT_RESULT("auxv", 2, 1), LONG("len"), LONG("arg4"), LONG("arg5")),
};
const struct syscall_variants prctl_options = VARIANTS(option_key, 1, prctl_rows);

static const struct syscall_variant arch_prctl_rows[] = {
    VARIANT(ARCH_SET_GS,               0, LONG("addr")),
    VARIANT(ARCH_SET_FS,               0, LONG("addr")),
    VARIANT(ARCH_GET_FS,               0, OUT("addr", 8)),
    VARIANT(ARCH_GET_GS,               0, OUT("addr", 8)),
    VARIANT(ARCH_GET_CPUID,            0),
    VARIANT(ARCH_SET_CPUID,            0, LONG("on")),
    VARIANT(ARCH_GET_XCOMP_SUPP,       0, OUT("features", 8)),
    VARIANT(ARCH_GET_XCOMP_PERM,       0, OUT("features", 8)),
    VARIANT(ARCH_REQ_XCOMP_PERM,       0, LONG("feature")),
    VARIANT(ARCH_GET_XCOMP_GUEST_PERM, 0, OUT("features", 8)),
    VARIANT(ARCH_REQ_XCOMP_GUEST_PERM, 0, LONG("feature")),
    VARIANT(ARCH_MAP_VDSO_X32,         MAPS, ADDR("addr")),
    VARIANT(ARCH_MAP_VDSO_32,          MAPS, ADDR("addr")),
    VARIANT(ARCH_MAP_VDSO_64,          MAPS, ADDR("addr")),
    VARIANT_NR(0x4001, ARCH_GET_UNTAG_MASK,       0, OUT("mask", 8)),
    VARIANT_NR(0x4002, ARCH_ENABLE_TAGGED_ADDR,   0, LONG("bits")),
    VARIANT_NR(0x4003, ARCH_GET_MAX_TAG_BITS,     0, OUT("bits", 8)),
    VARIANT_NR(0x4004, ARCH_FORCE_TAGGED_SVA,     0),
    VARIANT_NR(0x5001, ARCH_SHSTK_ENABLE,         MAPS, LONG("features")),
    VARIANT_NR(0x5002, ARCH_SHSTK_DISABLE,        MAPS, LONG("features")),
    VARIANT_NR(0x5003, ARCH_SHSTK_LOCK,           0, LONG("features")),
    VARIANT_NR(0x5004, ARCH_SHSTK_UNLOCK,         0, LONG("features")),
    VARIANT_NR(0x5005, ARCH_SHSTK_STATUS,         0, OUT("features", 8)),
};
const struct syscall_variants arch_prctl_codes = VARIANTS(option_key, 1, arch_prctl_rows);
/* clang-format on */
