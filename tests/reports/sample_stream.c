/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a record stream about a run that never was, with stacks in this very program: every kind of finding, two
 * processes, names that hurt. `sample_stream clean` writes that of a run without errors. */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <drtools/record.h>

static uint8_t bytes[1 << 16];
static struct record_writer w = {.bytes = bytes, .size = sizeof bytes};
static uint64_t base;

/* Functions to stand in stacks. Each returns an address inside itself. */
__attribute__((noinline)) void *
parse_header(void)
{
    return (char *)parse_header + 5;
}

__attribute__((noinline)) void *
read_config(void)
{
    return (char *)read_config + 5;
}

__attribute__((noinline)) void *
make_table(void)
{
    return (char *)make_table + 5;
}

__attribute__((noinline)) void *
drop_table(void)
{
    return (char *)drop_table + 5;
}

static int
take_base(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    base = info->dlpi_addr;
    return 1;
}

static void
put_start(uint32_t pid, uint32_t parent, uint32_t flags, const char *exe)
{
    record_begin(&w, RECORD_PROCESS_START, pid, pid, 0);
    record_put_u32(&w, flags);
    record_put_u32(&w, parent);
    record_put_u64(&w, 1893456000);
    record_put_string(&w, "drmemory");
    record_put_string(&w, exe);
    record_put_string(&w, "/tmp");
    record_put_u16(&w, 3);
    record_put_string(&w, "app");
    record_put_string(&w, "<&\"]]>");
    record_put_string(&w, "\xff\x01 bad");
    record_end(&w);
}

static void
put_module(uint32_t pid, const char *path)
{
    record_begin(&w, RECORD_MODULE_LOAD, pid, pid, 1000);
    record_put_u32(&w, 1);
    record_put_u32(&w, MODULE_MAIN);
    record_put_u64(&w, base);
    record_put_u64(&w, base);
    record_put_u64(&w, base + 0x100000);
    record_put_string(&w, path);
    record_put_string(&w, "");
    record_put_u16(&w, 0);
    record_end(&w);
}

static void
put_stack(enum record_stack_kind kind, const char *label, void *top)
{
    record_put_u8(&w, kind);
    record_put_string(&w, label);
    record_put_u16(&w, 3);
    record_put_frame(&w, (uintptr_t)top, FRAME_EXACT | 1);
    record_put_frame(&w, (uintptr_t)read_config(), 1);
    record_put_frame(&w, 0x10, 0);
}

static void
put_error(uint32_t pid, uint32_t number, int kind, int access, int place, uint64_t address, uint64_t size,
          const char *detail, int stacks)
{
    record_begin(&w, RECORD_ERROR, pid, pid + 1, 210000 + number);
    record_put_u32(&w, number);
    record_put_u8(&w, (uint8_t)kind);
    record_put_u8(&w, (uint8_t)access);
    record_put_u8(&w, (uint8_t)place);
    record_put_u8(&w, 0);
    record_put_u64(&w, address);
    record_put_u64(&w, size);
    record_put_string(&w, detail);
    record_put_string(&w, kind <= ERROR_UNINITIALIZED ? "mov    (%rax) -> %al" : "");
    record_put_u16(&w, 1);
    record_put_string(&w, "next higher malloc: 0x7f20-0x7f30 <em>");
    record_put_u16(&w, (uint16_t)stacks);
    put_stack(STACK_MAIN, "", parse_header());
    if (stacks > 1)
        put_stack(STACK_ALLOCATED, "allocated here", make_table());
    if (stacks > 2)
        put_stack(STACK_FREED, "freed here", drop_table());
    record_end(&w);
}

static void
put_leak(uint32_t pid, int kind, uint64_t size, uint64_t blocks, uint64_t indirect)
{
    record_begin(&w, RECORD_LEAK, pid, pid, 900000);
    record_put_u32(&w, 1);
    record_put_u8(&w, (uint8_t)kind);
    record_put_u8(&w, LEAK_NEW);
    record_put_u64(&w, 0x7f4000);
    record_put_u64(&w, size);
    record_put_u64(&w, blocks);
    record_put_u64(&w, indirect);
    record_put_u64(&w, indirect / 8);
    record_put_u16(&w, 1);
    put_stack(STACK_MAIN, "", make_table());
    record_end(&w);
}

static void
put_ending(uint32_t pid, uint32_t status)
{
    record_begin(&w, RECORD_PROCESS_EXIT, pid, pid, 1500000);
    record_put_u8(&w, EXIT_STATUS);
    record_put_u32(&w, status);
    record_end(&w);
    record_begin(&w, RECORD_END, pid, pid, 1500001);
    record_put_u32(&w, 0);
    record_end(&w);
}

static void
put_errors(uint32_t pid)
{
    put_error(pid, 1, ERROR_UNADDRESSABLE, ACCESS_READ, PLACE_BEYOND_HEAP, 0x7f10, 1, "", 2);
    record_begin(&w, RECORD_ERROR_COUNT, pid, pid + 1, 300000);
    record_put_u32(&w, 1);
    record_put_u64(&w, 3);
    record_end(&w);
    put_error(pid, 2, ERROR_UNADDRESSABLE, ACCESS_WRITE, PLACE_FREED, 0x7f80, 8, "", 3);
    put_error(pid, 3, ERROR_UNINITIALIZED, ACCESS_CONDITION, PLACE_UNKNOWN, 0, 4, "register eax", 1);
    put_error(pid, 4, ERROR_UNINITIALIZED, ACCESS_SYSCALL, PLACE_UNKNOWN, 0x7fa0, 16, "write(buf)", 1);
    put_error(pid, 5, ERROR_INVALID_HEAP_ARGUMENT, ACCESS_NONE, PLACE_DOUBLE_FREE, 0x7fb0, 0, "free", 3);
    put_error(pid, 6, ERROR_INVALID_HEAP_ARGUMENT, ACCESS_NONE, PLACE_MISMATCHED, 0x7fc0, 0,
              "malloc\noperator delete", 2);
    put_error(pid, 7, ERROR_OVERLAP, ACCESS_NONE, PLACE_UNKNOWN, 0x7fd0, 32, "memcpy(0x7fd0, 0x7fd8, 32)", 1);
    put_error(pid, 8, ERROR_WARNING, ACCESS_NONE, PLACE_UNKNOWN, 0, 0, "heap allocation failed", 1);
    put_leak(pid, LEAK_DEFINITE, 40, 1, 16);
    put_leak(pid, LEAK_POSSIBLE, 24, 2, 0);
    put_leak(pid, LEAK_REACHABLE, 1024, 1, 0);
    record_begin(&w, RECORD_NOTE, pid, pid, 1000000);
    record_put_u8(&w, NOTE_WARNING);
    record_put_string(&w, "unknown system call 999");
    record_end(&w);
}

int
main(int argc, char **argv)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    (void)argv;
    self[n < 0 ? 0 : n] = 0;
    dl_iterate_phdr(take_base, NULL);
    record_put_stream_header(&w);
    put_start(42, 1, 0, self);
    put_module(42, self);
    if (argc == 1) {
        put_errors(42);
        record_begin(&w, RECORD_PROCESS_FORK, 42, 42, 1100000);
        record_put_u32(&w, 43);
        record_end(&w);
        put_start(43, 42, START_FORKED | START_FOLLOWED, self);
        put_error(43, 1, ERROR_UNADDRESSABLE, ACCESS_JUMP, PLACE_UNKNOWN, 0x10, 1, "", 1);
        put_ending(43, 0);
    }
    put_ending(42, 5);
    return fwrite(bytes, 1, w.used, stdout) != w.used;
}
