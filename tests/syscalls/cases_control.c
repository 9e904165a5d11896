/* Multiplexers: fcntl, ioctl, prctl and their like. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fiemap.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

/* fcntl */
static const struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

CASE(fcntl_dupfd) { return CALL(fcntl, 0, F_DUPFD, 20); }
CASE(fcntl_getfl) { return CALL(fcntl, scratch_file(""), F_GETFL, 0); }
CASE(fcntl_setlk) { return CALL(fcntl, scratch_file(""), F_SETLK, in(r, &whole_file, 32)); }
CASE(fcntl_setlkw) { return CALL(fcntl, scratch_file(""), F_SETLKW, in(r, &whole_file, 32)); }
CASE(fcntl_getlk) { return CALL(fcntl, scratch_file(""), F_GETLK, in(r, &whole_file, 32)); }
CASE(fcntl_ofd_setlk) { return CALL(fcntl, scratch_file(""), F_OFD_SETLK, in(r, &whole_file, 32)); }
CASE(fcntl_ofd_getlk) { return CALL(fcntl, scratch_file(""), F_OFD_GETLK, in(r, &whole_file, 32)); }
CASE(fcntl_setown_ex) { const struct f_owner_ex o = {F_OWNER_PID, 0}; return CALL(fcntl, scratch_file(""), F_SETOWN_EX, in(r, &o, sizeof o)); }
CASE(fcntl_getown_ex) { return CALL(fcntl, scratch_file(""), F_GETOWN_EX, out(r, 8)); }
CASE(fcntl_get_rw_hint) { return CALL(fcntl, scratch_file(""), F_GET_RW_HINT, out(r, 8)); }
CASE(fcntl_set_rw_hint) { const uint64_t hint = 1; return CALL(fcntl, scratch_file(""), F_SET_RW_HINT, in(r, &hint, 8)); }

/* ioctl: terminals */

static int
terminal(struct run *r)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);

    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0)
        skip(r, "no pseudo terminals here");
    return fd;
}

CASE(tcgets) { return CALL(ioctl, terminal(r), TCGETS, out(r, 36)); }
CASE(tcgeta) { return CALL(ioctl, terminal(r), TCGETA, out(r, 18)); }
CASE(tcgets2) { return CALL(ioctl, terminal(r), 0x802c542a, out(r, 44)); }
CASE(tiocgwinsz) { return CALL(ioctl, terminal(r), TIOCGWINSZ, out(r, 8)); }
CASE(tiocgptn) { return CALL(ioctl, terminal(r), TIOCGPTN, out(r, 4)); }
CASE(tiocoutq) { return CALL(ioctl, terminal(r), TIOCOUTQ, out(r, 4)); }
CASE(tiocgexcl) { return CALL(ioctl, terminal(r), TIOCGEXCL, out(r, 4)); }

static uint64_t
settings_of(struct run *r, int fd, unsigned long get, size_t size)
{
    char t[64];

    must(ioctl(fd, get, t) == 0, "terminal settings");
    return in(r, t, size);
}

CASE(tcsets) { int fd = terminal(r); return CALL(ioctl, fd, TCSETS, settings_of(r, fd, TCGETS, 36)); }
CASE(tcsetsw) { int fd = terminal(r); return CALL(ioctl, fd, TCSETSW, settings_of(r, fd, TCGETS, 36)); }
CASE(tcseta) { int fd = terminal(r); return CALL(ioctl, fd, TCSETA, settings_of(r, fd, TCGETA, 18)); }
CASE(tcsets2) { int fd = terminal(r); return CALL(ioctl, fd, 0x402c542b, settings_of(r, fd, 0x802c542a, 44)); }
CASE(tiocswinsz) { int fd = terminal(r); return CALL(ioctl, fd, TIOCSWINSZ, settings_of(r, fd, TIOCGWINSZ, 8)); }
CASE(tiocsptlck) { const int zero = 0; return CALL(ioctl, terminal(r), TIOCSPTLCK, in(r, &zero, 4)); }
CASE(tcflsh) { return CALL(ioctl, terminal(r), TCFLSH, 2 /* TCIOFLUSH */); }

/* ioctl: any descriptor, files */

CASE(fionread) { int p[2]; must(pipe(p) == 0, "pipe"); return CALL(ioctl, p[0], FIONREAD, out(r, 4)); }
CASE(fionbio) { const int on = 1; int p[2]; must(pipe(p) == 0, "pipe"); return CALL(ioctl, p[0], FIONBIO, in(r, &on, 4)); }
CASE(fioclex) { return CALL(ioctl, scratch_file(""), FIOCLEX, 0); }
CASE(fioqsize) { return CALL(ioctl, scratch_file(""), FIOQSIZE, out(r, 8)); }
CASE(figetbsz) { return CALL(ioctl, scratch_file(""), FIGETBSZ, out(r, 4)); }

CASE(fs_ioc_getflags)
{
    int fd = scratch_file(""), flags;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
        skip(r, "no inode flags in the scratch directory");
    return CALL(ioctl, fd, FS_IOC_GETFLAGS, out(r, 4));
}

CASE(fs_ioc_setflags)
{
    int fd = scratch_file(""), flags;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 || ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0)
        skip(r, "no inode flags in the scratch directory");
    return CALL(ioctl, fd, FS_IOC_SETFLAGS, in(r, &flags, 4));
}

CASE(fs_ioc_fsgetxattr)
{
    int fd = scratch_file("");
    struct fsxattr x;

    if (ioctl(fd, FS_IOC_FSGETXATTR, &x) != 0)
        skip(r, "no such attributes in the scratch directory");
    return CALL(ioctl, fd, FS_IOC_FSGETXATTR, out(r, sizeof x));
}

CASE(fs_ioc_fiemap)
{
    union { struct fiemap h; char room[sizeof(struct fiemap) + 3 * sizeof(struct fiemap_extent)]; } m;
    int fd = scratch_file("some contents that need a block");

    memset(&m, 0, sizeof m);
    m.h.fm_length = ~(uint64_t)0;
    m.h.fm_flags = FIEMAP_FLAG_SYNC;
    m.h.fm_extent_count = 3;
    if (ioctl(fd, FS_IOC_FIEMAP, &m) != 0 || m.h.fm_mapped_extents == 0)
        skip(r, "no extents in the scratch directory");
    m.h.fm_mapped_extents = 0;
    return CALL(ioctl, fd, FS_IOC_FIEMAP, loose(r, &m, sizeof m));
}

/* ioctl: sockets */

static int
inet_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0);
}

static uint64_t
loopback(struct run *r)
{
    struct ifreq q = {.ifr_name = "lo"};

    q.ifr_addr.sa_family = AF_INET;
    return in(r, &q, sizeof q);
}

CASE(siocgifindex) { return CALL(ioctl, inet_socket(), SIOCGIFINDEX, loopback(r)); }
CASE(siocgifflags) { return CALL(ioctl, inet_socket(), SIOCGIFFLAGS, loopback(r)); }
CASE(siocgifmtu) { return CALL(ioctl, inet_socket(), SIOCGIFMTU, loopback(r)); }

CASE(siocgifaddr)
{
    struct ifreq q = {.ifr_name = "lo"};

    q.ifr_addr.sa_family = AF_INET;
    if (ioctl(inet_socket(), SIOCGIFADDR, &q) != 0)
        skip(r, "the loopback interface has no address");
    return CALL(ioctl, inet_socket(), SIOCGIFADDR, loopback(r));
}

CASE(siocgifname)
{
    struct ifreq q = {.ifr_name = "lo"};

    must(ioctl(inet_socket(), SIOCGIFINDEX, &q) == 0, "loopback");
    memset(q.ifr_name, 0, sizeof q.ifr_name);
    return CALL(ioctl, inet_socket(), SIOCGIFNAME, in(r, &q, sizeof q));
}

CASE(siocgifconf)
{
    struct ifconf c = {.ifc_len = 400};

    c.ifc_buf = PTR(room(r, 400));
    return CALL(ioctl, inet_socket(), SIOCGIFCONF, in(r, &c, sizeof c));
}

/* prctl, arch_prctl */

CASE(pr_set_name) { return CALL(prctl, PR_SET_NAME, text(r, "short"), 0, 0, 0); }
CASE(pr_set_name_too_long) { return CALL(prctl, PR_SET_NAME, text(r, "a name that is far too long for this"), 0, 0, 0); }
CASE(pr_get_name) { return CALL(prctl, PR_GET_NAME, out(r, 16), 0, 0, 0); }
CASE(pr_get_pdeathsig) { return CALL(prctl, PR_GET_PDEATHSIG, out(r, 4), 0, 0, 0); }
CASE(pr_get_child_subreaper) { return CALL(prctl, PR_GET_CHILD_SUBREAPER, out(r, 4), 0, 0, 0); }
CASE(pr_get_tid_address) { return CALL(prctl, PR_GET_TID_ADDRESS, out(r, 8), 0, 0, 0); }
CASE(pr_get_tsc) { return CALL(prctl, PR_GET_TSC, out(r, 4), 0, 0, 0); }
CASE(pr_get_dumpable) { return CALL(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0); }
CASE(pr_set_dumpable) { return CALL(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
CASE(pr_set_no_new_privs) { return CALL(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
CASE(pr_set_timerslack) { return CALL(prctl, PR_SET_TIMERSLACK, 50000, 0, 0, 0); }

CASE(pr_set_vma_name)
{
    void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long probe = syscall(__NR_prctl, 0x53564d41, 0, p, 4096, "x");

    if (probe != 0)
        skip(r, "memory cannot be named here");
    return CALL(prctl, 0x53564d41, 0, (uint64_t)(uintptr_t)p, 4096, text(r, "name of memory"));
}

CASE(pr_set_mm_map_size)
{
    uint32_t n;

    if (syscall(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP_SIZE, &n, 0, 0) != 0)
        skip(r, "no PR_SET_MM_MAP here");
    return CALL(prctl, PR_SET_MM, PR_SET_MM_MAP_SIZE, out(r, 4), 0, 0);
}

CASE(pr_get_auxv)
{
    char probe[64];

    if (syscall(__NR_prctl, 0x41555856, probe, sizeof probe, 0, 0) < 0)
        skip(r, "no PR_GET_AUXV here");
    return CALL(prctl, 0x41555856, room(r, 1000), 1000, 0, 0);
}

CASE(arch_get_fs) { return CALL(arch_prctl, ARCH_GET_FS, out(r, 8)); }
CASE(arch_get_gs) { return CALL(arch_prctl, ARCH_GET_GS, out(r, 8)); }
CASE(arch_get_xcomp_supp) { return CALL(arch_prctl, 0x1021, out(r, 8)); }
CASE(arch_get_cpuid) { return CALL(arch_prctl, 0x1011, 0); }

/* seccomp */

static uint64_t
filter(struct run *r)
{
    const struct sock_filter allow[2] = {{0x20, 0, 0, 0}, {0x06, 0, 0, 0x7fff0000}};
    struct sock_fprog p = {2, PTR(in(r, allow, sizeof allow))};

    must(syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
    return in(r, &p, sizeof p);
}

CASE(seccomp_filter) { return CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0, filter(r)); }
CASE(pr_set_seccomp) { return CALL(prctl, PR_SET_SECCOMP, 2, filter(r), 0, 0); }
CASE(seccomp_action) { const uint32_t a = 0x7fff0000; return CALL(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, in(r, &a, 4)); }
CASE(seccomp_sizes) { return CALL(seccomp, SECCOMP_GET_NOTIF_SIZES, 0, out(r, 6)); }

/* kcmp, modify_ldt, landlock */

CASE(kcmp_file) { return CALL(kcmp, getpid(), getpid(), KCMP_FILE, 0, 1); }
CASE(kcmp_vm) { return CALL(kcmp, getpid(), getpid(), KCMP_VM, 0, 0); }

CASE(kcmp_epoll)
{
    struct kcmp_epoll_slot slot = {0};
    struct epoll_event e = {.events = EPOLLIN};
    int fd = eventfd(0, 0);

    slot.efd = (uint32_t)epoll_create1(0);
    slot.tfd = (uint32_t)fd;
    must(epoll_ctl((int)slot.efd, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
    return CALL(kcmp, getpid(), getpid(), KCMP_EPOLL_TFD, fd, in(r, &slot, sizeof slot));
}

CASE(modify_ldt_write)
{
    struct user_desc d = {.entry_number = 0, .limit = 1, .seg_32bit = 1, .seg_not_present = 1, .read_exec_only = 1};

    return CALL(modify_ldt, 0x11, in(r, &d, sizeof d), sizeof d);
}

CASE(modify_ldt_read)
{
    struct user_desc d = {.entry_number = 0, .limit = 1, .seg_32bit = 1, .base_addr = 4096};

    if (syscall(__NR_modify_ldt, 0x11, &d, sizeof d) != 0)
        skip(r, "no local descriptor tables here");
    return CALL(modify_ldt, 0, room(r, 64), 64);
}

CASE(landlock_create_ruleset)
{
    const uint64_t handled = 1;

    if (syscall(__NR_landlock_create_ruleset, NULL, 0, 1) < 0)
        skip(r, "no landlock here");
    null_free(r);
    return CALL(landlock_create_ruleset, in(r, &handled, 8), 8, 0);
}

CASE(landlock_add_rule)
{
    const uint64_t handled = 1;
    int fd = (int)syscall(__NR_landlock_create_ruleset, &handled, 8, 0);
    struct landlock_path_beneath_attr a = {1, open(".", O_PATH)};

    if (fd < 0)
        skip(r, "no landlock here");
    return CALL(landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, in(r, &a, sizeof a), 0);
}

/* Keys. A keyring of its own for each run. */

static int
keyring(struct run *r)
{
    int id = (int)syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);

    if (id < 0)
        skip(r, "no keyrings here");
    return id;
}

static int
key(struct run *r)
{
    int id = (int)syscall(__NR_add_key, "user", "drtools test", "seventeen letters", 17, keyring(r));

    must(id >= 0, "add_key");
    return id;
}

CASE(add_key) { int ring = keyring(r); return CALL(add_key, text(r, "user"), text(r, "drtools test"), in(r, "payload", 7), 7, ring); }
CASE(request_key) { key(r); return CALL(request_key, text(r, "user"), text(r, "drtools test"), 0, 0); }
CASE(keyctl_join) { keyring(r); return CALL(keyctl, KEYCTL_JOIN_SESSION_KEYRING, text(r, "a name of drtools tests"), 0, 0, 0); }
CASE(keyctl_update) { return CALL(keyctl, KEYCTL_UPDATE, key(r), in(r, "different", 9), 9, 0); }
CASE(keyctl_read) { return CALL(keyctl, KEYCTL_READ, key(r), room(r, 40), 40, 0); }
CASE(keyctl_read_without_room) { return CALL(keyctl, KEYCTL_READ, key(r), room(r, 10), 10, 0); }
CASE(keyctl_describe) { return CALL(keyctl, KEYCTL_DESCRIBE, key(r), room(r, 200), 200, 0); }
CASE(keyctl_describe_without_room) { return CALL(keyctl, KEYCTL_DESCRIBE, key(r), room(r, 10), 10, 0); }
CASE(keyctl_security) { return CALL(keyctl, KEYCTL_GET_SECURITY, key(r), room(r, 100), 100, 0); }
CASE(keyctl_search) { key(r); return CALL(keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, text(r, "user"), text(r, "drtools test"), 0); }
CASE(keyctl_capabilities) { return CALL(keyctl, KEYCTL_CAPABILITIES, out(r, 30), 30, 0, 0); }
CASE(keyctl_revoke) { return CALL(keyctl, KEYCTL_REVOKE, key(r), 0, 0, 0); }

/* bpf, perf */

CASE(bpf_map_create)
{
    const uint32_t a[4] = {BPF_MAP_TYPE_ARRAY, 4, 8, 1};

    return CALL(bpf, BPF_MAP_CREATE, in(r, a, sizeof a), sizeof a);
}

CASE(bpf_map_lookup)
{
    uint32_t create[4] = {BPF_MAP_TYPE_ARRAY, 4, 8, 1};
    struct { uint32_t fd, pad; uint64_t key, value, flags; } a = {0};
    int fd = (int)syscall(__NR_bpf, BPF_MAP_CREATE, create, sizeof create);
    static uint32_t index;
    static uint64_t value;

    if (fd < 0)
        skip(r, "no bpf here");
    partial(r);
    a.fd = (uint32_t)fd;
    a.key = (uint64_t)(uintptr_t)&index;
    a.value = (uint64_t)(uintptr_t)&value;
    return CALL(bpf, BPF_MAP_LOOKUP_ELEM, in(r, &a, sizeof a), sizeof a);
}

CASE(bpf_prog_load)
{
    const struct bpf_insn code[2] = {{.code = 0xb7}, {.code = 0x95}};
    union bpf_attr a;

    memset(&a, 0, sizeof a);
    a.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    a.insn_cnt = 2;
    a.insns = in(r, code, sizeof code);
    a.license = text(r, "BSD");
    return CALL(bpf, BPF_PROG_LOAD, in(r, &a, 48), 48);
}

CASE(bpf_object_info)
{
    uint32_t create[4] = {BPF_MAP_TYPE_ARRAY, 4, 8, 1};
    int fd = (int)syscall(__NR_bpf, BPF_MAP_CREATE, create, sizeof create);
    struct bpf_map_info info;
    union bpf_attr a;

    if (fd < 0)
        skip(r, "no bpf here");
    memset(&a, 0, sizeof a);
    memset(&info, 0, sizeof info);
    a.info.bpf_fd = (uint32_t)fd;
    a.info.info_len = sizeof info;
    a.info.info = in(r, &info, sizeof info);
    return CALL(bpf, BPF_OBJ_GET_INFO_BY_FD, in(r, &a, 16), 16);
}

CASE(perf_event_open)
{
    struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE, .size = sizeof a, .config = PERF_COUNT_SW_CPU_CLOCK};

    a.exclude_kernel = 1;
    if (syscall(__NR_perf_event_open, &a, 0, -1, -1, 0) < 0)
        skip(r, "no performance events here");
    return CALL(perf_event_open, in(r, &a, sizeof a), 0, -1, -1, 0);
}

CASE(perf_event_open_too_small)
{
    struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE, .size = 10};

    if (syscall(__NR_perf_event_open, &a, 0, -1, -1, 0) >= 0 || errno != E2BIG)
        skip(r, "no performance events here");
    a.size = 10;
    expect(r, -E2BIG);
    return CALL(perf_event_open, loose(r, &a, 64), 0, -1, -1, 0);
}

CASE(perf_event_id)
{
    struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE, .size = sizeof a, .config = PERF_COUNT_SW_CPU_CLOCK};
    int fd;

    a.exclude_kernel = 1;
    fd = (int)syscall(__NR_perf_event_open, &a, 0, -1, -1, 0);
    if (fd < 0)
        skip(r, "no performance events here");
    return CALL(ioctl, fd, PERF_EVENT_IOC_ID, out(r, 8));
}
