/* Address space, memory nodes, other processes' memory, userfaultfd. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

enum { PAGE = 4096 };

static uint64_t
pages(unsigned n)
{
    char *p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(p != MAP_FAILED, "mmap");
    memset(p, 1, n * PAGE);
    return (uint64_t)(uintptr_t)p;
}

CASE(mmap_anonymous) { return CALL(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
CASE(mmap_of_a_file) { return CALL(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, scratch_file("abc"), 0); }
CASE(mprotect) { return CALL(mprotect, pages(1), PAGE, PROT_READ); }
CASE(munmap) { return CALL(munmap, pages(1), PAGE); }
CASE(mremap) { return CALL(mremap, pages(1), PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0); }
CASE(mremap_fixed) { uint64_t to = pages(2); return CALL(mremap, pages(1), PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to); }
CASE(madvise) { return CALL(madvise, pages(1), PAGE, MADV_DONTNEED); }
CASE(msync) { return CALL(msync, pages(1), PAGE, MS_ASYNC); }
CASE(mincore) { return CALL(mincore, pages(5), 5 * PAGE, out(r, 5)); }
CASE(mincore_of_a_bit_more) { return CALL(mincore, pages(3), 2 * PAGE + 1, out(r, 3)); }

CASE(get_mempolicy) { return CALL(get_mempolicy, out(r, 4), out(r, 128), 1024, 0, 0); }
CASE(get_mempolicy_odd) { return CALL(get_mempolicy, out(r, 4), out(r, 136), 1026, 0, 0); }
CASE(get_mempolicy_without_mask) { return CALL(get_mempolicy, out(r, 4), 0, 0, 0, 0); }

CASE(set_mempolicy)
{
    const uint64_t node0[2] = {1, 0};

    return CALL(set_mempolicy, 2 /* MPOL_BIND */, in(r, node0, 8), 65);
}

CASE(set_mempolicy_two_longs)
{
    const uint64_t node0[2] = {1, 0};

    return CALL(set_mempolicy, 2, in(r, node0, 16), 66);
}

CASE(mbind)
{
    const uint64_t node0 = 1;

    return CALL(mbind, pages(1), PAGE, 2, in(r, &node0, 8), 65, 0);
}

CASE(migrate_pages)
{
    const uint64_t node0 = 1;

    return CALL(migrate_pages, 0, 65, in(r, &node0, 8), in(r, &node0, 8));
}

CASE(move_pages_asking)
{
    uint64_t first = pages(3), p[3] = {first, first + PAGE, first + 2 * PAGE};

    return CALL(move_pages, 0, 3, in(r, p, sizeof p), 0, out(r, 12), 0);
}

CASE(move_pages)
{
    uint64_t first = pages(2), p[2] = {first, first + PAGE};
    const int nodes[2] = {0, 0};

    return CALL(move_pages, 0, 2, in(r, p, sizeof p), in(r, nodes, sizeof nodes), out(r, 8), 0);
}

CASE(process_vm_readv)
{
    static char source[50] = "somewhere";
    struct iovec local[2] = {{PTR(room(r, 20)), 20}, {PTR(room(r, 40)), 40}}, remote = {source, sizeof source};

    return CALL(process_vm_readv, getpid(), in(r, local, sizeof local), 2, in(r, &remote, sizeof remote), 1, 0);
}

CASE(process_vm_writev)
{
    static char target[50];
    struct iovec local = {PTR(loose(r, "0123456789", 10)), 10}, remote = {target, sizeof target};

    return CALL(process_vm_writev, getpid(), in(r, &local, sizeof local), 1, in(r, &remote, sizeof remote), 1, 0);
}

CASE(process_madvise)
{
    struct iovec v = {PTR(pages(1)), PAGE};

    return CALL(process_madvise, syscall(__NR_pidfd_open, getpid(), 0), in(r, &v, sizeof v), 1, MADV_COLD, 0);
}

CASE(mseal) { return CALL(mseal, pages(1), PAGE, 0); }
CASE(pkey_mprotect) { return CALL(pkey_mprotect, pages(1), PAGE, PROT_READ, -1); }
CASE(mlock) { return CALL(mlock, pages(1), PAGE); }

/* userfaultfd */

static int
handler(struct run *r, bool agree)
{
    struct uffdio_api api = {.api = UFFD_API};
    int fd = (int)syscall(__NR_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);

    if (fd < 0)
        skip(r, "no userfaultfd here");
    must(!agree || ioctl(fd, UFFDIO_API, &api) == 0, "UFFDIO_API");
    return fd;
}

static struct uffdio_register
unfilled(int fd)
{
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register reg = {.range = {(uint64_t)(uintptr_t)p, PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};

    must(fd < 0 || ioctl(fd, UFFDIO_REGISTER, &reg) == 0, "UFFDIO_REGISTER");
    return reg;
}

CASE(uffdio_api)
{
    struct uffdio_api api = {.api = UFFD_API};

    return CALL(ioctl, handler(r, false), UFFDIO_API, in(r, &api, sizeof api));
}

CASE(uffdio_register)
{
    struct uffdio_register reg = unfilled(-1);

    return CALL(ioctl, handler(r, true), UFFDIO_REGISTER, in(r, &reg, sizeof reg));
}

CASE(uffdio_copy)
{
    static char source[PAGE] __attribute__((aligned(4096)));
    int fd = handler(r, true);
    struct uffdio_copy c = {.dst = unfilled(fd).range.start, .len = PAGE};

    c.src = loose(r, source, sizeof source);
    aligned(r, PAGE);
    return CALL(ioctl, fd, UFFDIO_COPY, in(r, &c, sizeof c));
}

CASE(uffdio_zeropage)
{
    int fd = handler(r, true);
    struct uffdio_zeropage z = {.range = unfilled(fd).range};

    return CALL(ioctl, fd, UFFDIO_ZEROPAGE, in(r, &z, sizeof z));
}

CASE(uffdio_unregister)
{
    int fd = handler(r, true);
    struct uffdio_range range = unfilled(fd).range;

    return CALL(ioctl, fd, UFFDIO_UNREGISTER, in(r, &range, sizeof range));
}
