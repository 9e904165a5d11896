/* The subject: runs cases that the driver wrote, natively or under an engine,
 * and writes down everything a program could observe of them.
 * Usage: insn_subject CASES-FD RESULTS-FD COMMAND-FD ANSWER-FD [PLANT]
 *        insn_subject plants */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 0x1000, FILLER = 0xcc, FLAG_TF = 0x100 };

struct passage passage;
uint8_t passage_xsave[XSAVE_MAX] __attribute__((aligned(64)));
uint8_t passage_xsave_clean[XSAVE_MAX] __attribute__((aligned(64)));
struct subject subject;
extern void passage_raise(void);
int32_t passage_pid;

/* Memory as it is before each run, and what may change in one. */
struct region {
    uint64_t addr;
    size_t size;
    uint8_t *pristine;
};
static struct region regions[2 * ZONE_COUNT];
static int read_pipe[2];

/* What was last written at a code place, to be filled over. */
static struct extent {
    uint32_t off, len;
} extents[ZONE_COUNT][INSTALL_COUNT];

/* ---- memory map ---- */

static _Noreturn void
refuse(const char *what, uint64_t addr)
{
    snprintf(subject.results->error, sizeof subject.results->error, "%s at %#llx: %s", what,
             (unsigned long long)addr, strerror(errno));
    _exit(4);
}

static void
map(uint64_t addr, size_t size, int prot, int fd, uint64_t offset)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *p = mmap((void *)addr, size, prot, flags | MAP_FIXED_NOREPLACE, fd, (off_t)offset);

    if (p != (void *)addr)
        refuse("cannot map", addr);
}

/* A small generator for memory contents: the same in every process. */
static uint64_t
mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static void
put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

static void
put64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, 8);
}

/* Control words: valid ones for MXCSR and, in their low half, for the x87; the last has a reserved bit. */
static void
fill_control(uint8_t *area)
{
    static const uint32_t words[] = {0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x9fc0, 0x1fbf, 0x037f, 0x0f7f,
                                     0x1f80, 0x1d80, 0x1b80, 0x177f, 0x0c7f, 0x033f, 0x1f00, 0x10000};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        put32(area + 4 * i, words[i]);
}

static void
fill_x87(uint8_t *area)
{
    for (size_t i = 0; i < 16; i++) {
        put64(area + 16 * i, i < 8 ? 0x8000000000000000 | mix(i) : mix(i + 99));
        put64(area + 16 * i + 8, i == 0 ? 0 : i == 1 ? 0x7fff : (0x3ff0 + i * 3) | (i & 1) << 15);
    }
}

static void
fill_data(uint8_t *d, uint64_t zone)
{
    static const uint32_t floats[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
                                      0x7fc00000, 0x7f800001, 1,          0x007fffff, 0x7f7fffff, 0x4f000000};
    static const uint64_t doubles[] = {0,
                                       0x8000000000000000,
                                       0x3ff0000000000000,
                                       0xbff0000000000000,
                                       0x7ff0000000000000,
                                       0x7ff8000000000000,
                                       0x7ff0000000000001,
                                       1,
                                       0x000fffffffffffff,
                                       0x7fefffffffffffff,
                                       0x43e0000000000000,
                                       0x41e0000000000000};

    for (uint32_t i = 0; i < DATA_RW_SIZE; i += 8)
        put64(d + i, mix(i));
    for (uint32_t i = 0; i < 0x400; i += 4) /* half of them of ordinary size */
        put32(d + AREA_FLOAT + i, mix(i) & 1 ? floats[mix(i) % 12] : 0x3d000000 + (uint32_t)(mix(i) >> 38));
    for (uint32_t i = 0; i < 0x400; i += 8)
        put64(d + AREA_DOUBLE + i, mix(i) & 1 ? doubles[mix(i) % 12] : 0x3fd0000000000000 + (mix(i) >> 10));
    for (uint32_t i = 0; i < 0x200; i += 4)
        put32(d + AREA_INDEX32 + i, (uint32_t)(mix(i) % 128) - 64);
    for (uint32_t i = 0; i < 0x200; i += 8)
        put64(d + AREA_INDEX64 + i, mix(i) % 128 - 64);
    for (uint32_t i = 0; i < 0x200; i += 8)
        put64(d + AREA_POINTERS + i, zone + DATA_RW + (mix(i) % DATA_RW_SIZE & ~7ull));
    fill_control(d + AREA_CONTROL);
    fill_x87(d + AREA_X87);
    for (uint32_t i = 0; i < 0x400; i++)
        d[AREA_STRING + i] = mix(i) % 23 ? 'a' : 'b';
    memset(d + AREA_ZERO, 0, 0x400);
    memset(d + AREA_SCRATCH, 0, 0x1000);
}

static void
map_gate(uint64_t zone)
{
    static const uint8_t parts[][8] = {
        {0x00, 0xff, 0x25, 0xfa, 0x0f, 0, 0},       /* jmp *[entry] */
        {0x10, 0xff, 0x15, 0xea, 0x0f, 0, 0},       /* call *[entry] */
        {0x16, 0xff, 0x25, 0xec, 0x0f, 0, 0},       /* jmp *[exit] */
        {0x20, 0xff, 0x25, 0xe2, 0x0f, 0, 0},       /* jmp *[exit] */
        {0x30, 0xff, 0x35, 0xca, 0x0f, 0, 0, 0xc3}, /* push [entry]; ret */
    };
    uint8_t *gate = (uint8_t *)(zone + GATE);

    map(zone + GATE, PAGE, PROT_READ | PROT_WRITE, -1, 0);
    map(zone + GATE_DATA, PAGE, PROT_READ | PROT_WRITE, -1, 0);
    memset(gate, FILLER, PAGE);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        memcpy(gate + parts[i][0], parts[i] + 1, 7);
    put64((uint8_t *)(zone + GATE_EXIT_POINTER), (uint64_t)(uintptr_t)passage_out);
    mprotect(gate, PAGE, PROT_READ | PROT_EXEC);
}

static void
map_code(uint64_t zone)
{
    int fd = memfd_create("alias", 0);

    if (fd < 0 || ftruncate(fd, CODE_SIZE) < 0)
        refuse("memfd", 0);
    map(zone + CODE_RWX, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, -1, 0);
    map(zone + CODE_WX, CODE_SIZE, PROT_READ | PROT_WRITE, -1, 0);
    map(zone + CODE_ALIAS, CODE_SIZE, PROT_READ | PROT_EXEC, fd, 0);
    map(zone + CODE_ALIAS_RW, CODE_SIZE, PROT_READ | PROT_WRITE, fd, 0);
    memset((void *)(zone + CODE_RWX), FILLER, CODE_SIZE);
    memset((void *)(zone + CODE_WX), FILLER, CODE_SIZE);
    memset((void *)(zone + CODE_ALIAS_RW), FILLER, CODE_SIZE);
    mprotect((void *)(zone + CODE_WX), CODE_SIZE, PROT_READ | PROT_EXEC);
    close(fd);
}

static void
region_add(struct region *r, uint64_t addr, size_t size)
{
    *r = (struct region){addr, size, malloc(size)};
    memcpy(r->pristine, (void *)addr, size);
}

static void
map_zone(int id)
{
    uint64_t zone = subject.cases->zone_base[id];
    int fd = memfd_create("bus", 0);

    map_code(zone);
    map_gate(zone);
    map(zone + DATA_RW, DATA_RW_SIZE, PROT_READ | PROT_WRITE, -1, 0);
    map(zone + DATA_NONE, PAGE, PROT_NONE, -1, 0);
    map(zone + DATA_RO, PAGE, PROT_READ | PROT_WRITE, -1, 0);
    map(zone + DATA_BUS, PAGE, PROT_READ | PROT_WRITE, fd, 0);
    map(zone + STACK, STACK_SIZE, PROT_READ | PROT_WRITE, -1, 0);
    close(fd);
    fill_data((uint8_t *)(zone + DATA_RW), zone);
    for (uint32_t i = 0; i < PAGE; i += 8)
        put64((uint8_t *)(zone + DATA_RO + i), mix(i + 0x777));
    for (uint32_t i = 0; i < STACK_SIZE; i += 8)
        put64((uint8_t *)(zone + STACK + i), mix(i + 0x888));
    mprotect((void *)(zone + DATA_RO), PAGE, PROT_READ);
    region_add(&regions[2 * id], zone + DATA_RW, DATA_RW_SIZE);
    region_add(&regions[2 * id + 1], zone + STACK, STACK_SIZE);
}

/* ---- installing code ---- */

static uint64_t
place_of(const struct insn_case *c)
{
    uint64_t zone = subject.cases->zone_base[c->zone];

    return zone + (c->install == INSTALL_PROTECT ? CODE_WX
                   : c->install == INSTALL_ALIAS ? CODE_ALIAS
                                                 : CODE_RWX);
}

/* The place's old code replaced by filler and the new code, as one piece of memory. */
static size_t
compose(const struct insn_case *c, struct extent *e, uint8_t *buf, uint32_t *start)
{
    uint32_t end = c->code_off + c->code_len, old_end = e->off + e->len;

    *start = e->len && e->off < c->code_off ? e->off : c->code_off;
    if (old_end > end)
        end = old_end;
    memset(buf, FILLER, end - *start);
    memcpy(buf + (c->code_off - *start), c->code, c->code_len);
    *e = (struct extent){c->code_off, c->code_len};
    return end - *start;
}

static void
write_through_pipe(uint8_t *to, const uint8_t *from, size_t n)
{
    if (write(read_pipe[1], from, n) != (ssize_t)n || read(read_pipe[0], to, n) != (ssize_t)n)
        refuse("read() into code", (uint64_t)to);
}

static void
write_by_vm(uint8_t *to, const uint8_t *from, size_t n)
{
    struct iovec local = {(void *)from, n}, remote = {to, n};

    if (process_vm_writev(passage_pid, &local, 1, &remote, 1, 0) != (ssize_t)n)
        memcpy(to, from, n); /* some sandboxes refuse it */
}

static void
remap(uint8_t *to, const uint8_t *from, size_t n, const struct insn_case *c)
{
    uint8_t *place = (uint8_t *)place_of(c);

    munmap(place, CODE_SIZE);
    map((uint64_t)place, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, -1, 0);
    memset(place, FILLER, CODE_SIZE);
    memcpy(to, from, n);
}

static void
install(const struct insn_case *c)
{
    static uint8_t buf[CODE_SIZE];
    uint64_t place = place_of(c);
    /* all that write to CODE_RWX share the memory of what is there */
    struct extent *e = &extents[c->zone][c->install < INSTALL_PROTECT ? INSTALL_STORE : c->install];
    uint32_t start;
    size_t n = compose(c, e, buf, &start);
    uint8_t *to = (uint8_t *)(place + start);

    subject.code = place + c->code_off;
    switch (c->install) {
    case INSTALL_STORE: memcpy(to, buf, n); break;
    case INSTALL_READ: write_through_pipe(to, buf, n); break;
    case INSTALL_VMWRITE: write_by_vm(to, buf, n); break;
    case INSTALL_REMAP: remap(to, buf, n, c); break;
    case INSTALL_PROTECT:
        mprotect((void *)place, CODE_SIZE, PROT_READ | PROT_WRITE);
        memcpy(to, buf, n);
        mprotect((void *)place, CODE_SIZE, PROT_READ | PROT_EXEC);
        break;
    case INSTALL_ALIAS: memcpy(to + (CODE_ALIAS_RW - CODE_ALIAS), buf, n); break;
    }
    plant_installed(c, (uint8_t *)subject.code);
}

/* ---- what changed ---- */

static void
change_add(struct insn_result *r, uint64_t addr, uint64_t value)
{
    if (r->nchanges < CHANGES_MAX)
        r->change[r->nchanges] = (struct poke){addr, value};
    r->nchanges++;
    r->changes_hash = mix(r->changes_hash ^ mix(addr)) + mix(value);
}

static void
region_collect(struct insn_result *r, const struct region *g)
{
    for (size_t i = 0; i < g->size; i += 256) {
        uint8_t *now = (uint8_t *)g->addr + i, *was = g->pristine + i;

        if (memcmp(now, was, 256) == 0)
            continue;
        for (size_t j = 0; j < 256; j += 8)
            if (memcmp(now + j, was + j, 8) != 0) {
                uint64_t v;

                memcpy(&v, now + j, 8);
                change_add(r, (uint64_t)now + j, v);
                memcpy(now + j, was + j, 8);
            }
    }
}

/* Code that modified itself: noted byte for byte, then put back. */
static void
code_collect(struct insn_result *r, const struct insn_case *c)
{
    uint8_t *code = (uint8_t *)subject.code;

    if (c->install >= INSTALL_PROTECT || memcmp(code, c->code, c->code_len) == 0)
        return;
    for (int i = 0; i < c->code_len; i++)
        if (code[i] != c->code[i]) {
            change_add(r, (uint64_t)(code + i), code[i]);
            code[i] = c->code[i];
        }
}

/* ---- running ---- */

static void
prepare(const struct insn_case *c)
{
    static const uint32_t gates[] = {
        [ENTRY_JMP] = GATE, [ENTRY_CALL] = GATE_CALL, [ENTRY_RET] = GATE_PUSH_RET};
    uint64_t zone = subject.cases->zone_base[c->zone];

    for (int i = 0; i < c->npokes; i++)
        put64((uint8_t *)c->poke[i].addr, c->poke[i].value);
    memcpy(passage.gpr, c->start.gpr, sizeof passage.gpr);
    passage.rflags = c->start.rflags | (subject.stepping ? FLAG_TF : 0);
    passage.entry = subject.code;
    put64((uint8_t *)(zone + GATE_DATA), subject.code);
    passage.gate = c->entry == ENTRY_SIGRETURN ? (uint64_t)(uintptr_t)passage_raise : zone + gates[c->entry];
    state_to_xsave(&c->start.v, c->components, passage_xsave);
}

static void
collect_end(struct insn_result *r, uint64_t fs, uint64_t gs)
{
    memcpy(r->end.gpr, passage.gpr, sizeof r->end.gpr);
    r->end.rflags = passage.rflags & ~(uint64_t)(subject.stepping ? FLAG_TF : 0);
    r->end.fs_base = fs;
    r->end.gs_base = gs;
    state_from_xsave(passage_xsave, &r->end.v);
}

static void
clear_result(struct insn_result *r, const struct insn_case *c)
{
    memset(r, 0, offsetof(struct insn_result, change));
    memset(&r->end, 0, sizeof r->end);
    memset(r->fault, 0, sizeof r->fault);
    r->id = c->id;
    r->async_seen = r->async_bad = 0;
}

static void
run_once(const struct insn_case *c, struct insn_result *r)
{
    sigset_t none;
    uint64_t fs, gs;

    clear_result(r, c);
    subject.stepping = subject.wants_steps;
    prepare(c);
    subject.result = r;
    subject.stepped = NULL;
    subject.current = c;
    if (get_gs_base() != c->start.gs_base)
        set_gs_base(c->start.gs_base);
    set_fs_base(c->start.fs_base);
    passage_in();
    fs = get_fs_base();
    set_fs_base(subject.host_fs);
    gs = get_gs_base();
    subject.current = NULL;
    if (r->outcome == OUTCOME_NONE) {
        r->outcome = OUTCOME_EXIT;
        collect_end(r, fs, gs);
    } else if (c->fault_action == FAULT_LONGJMP) {
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
    }
    plant_leaving(c, (uint8_t *)subject.code);
    code_collect(r, c);
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        region_collect(r, &regions[i]);
    subject.results->progress++;
}

static bool
same_result(const struct insn_result *a, const struct insn_result *b)
{
    uint32_t listed = a->nchanges < CHANGES_MAX ? a->nchanges : CHANGES_MAX;

    return a->outcome == b->outcome && a->nfaults == b->nfaults && a->nchanges == b->nchanges &&
           a->changes_hash == b->changes_hash &&
           memcmp(a->change, b->change, listed * sizeof *a->change) == 0 &&
           memcmp(&a->end, &b->end, sizeof a->end) == 0 &&
           memcmp(a->fault, b->fault, a->nfaults * sizeof *a->fault) == 0;
}

static void
set_timer(long microseconds)
{
    struct itimerval t = {.it_interval.tv_usec = microseconds, .it_value.tv_usec = microseconds};

    setitimer(ITIMER_REAL, &t, NULL);
}

/* A signal loses the x87 pointers on processors that save them only with an
 * exception pending: single steps would show. */
static bool
stores_x87_pointers(const struct insn_case *c)
{
    for (int i = 0; i < c->nmarks; i++)
        if (c->mark[i].kind & MARK_FXSAVE)
            return true;
    return false;
}

/* The first run's result stands, unless a later one differs: then that one. */
static void
run_case(const struct insn_case *c, struct insn_result *r)
{
    static struct insn_result again;
    uint32_t seen = 0;

    subject.wants_steps = c->trace || (plant_wants_steps() && !stores_x87_pointers(c));
    subject.allowed = c->check_async ? &subject.cases->allowed : NULL;
    subject.results->states.count = subject.results->states.overflow = 0;
    install(c);
    if (c->check_async)
        set_timer(50);
    subject.rep = 0;
    run_once(c, r);
    for (subject.rep = 1; subject.rep < c->reps && r->outcome != OUTCOME_TIMEOUT; subject.rep++) {
        run_once(c, &again);
        seen += again.async_seen;
        if (same_result(r, &again) && !again.async_bad)
            continue;
        memcpy(r, &again, sizeof again);
        r->deviating_rep = subject.rep;
        break;
    }
    r->async_seen += seen;
    if (c->check_async)
        set_timer(0);
}

static void
serve(int commands, int answers)
{
    uint32_t request[2]; /* slot, number of cases */

    while (read(commands, request, sizeof request) == sizeof request) {
        for (uint32_t i = 0; i < request[1]; i++) {
            subject.results->current = i;
            run_case(&subject.cases->slot[request[0]][i], &subject.results->slot[request[0]][i]);
        }
        if (write(answers, request, sizeof request) != sizeof request)
            break;
    }
}

static void *
share(int fd, size_t size, int prot)
{
    void *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED) {
        perror("insn_subject: mmap");
        exit(4);
    }
    return p;
}

static int
list_plants(void)
{
    for (int i = 1; plant_name(i); i++)
        printf("%d %s\n", i, plant_name(i));
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "plants") == 0)
        return list_plants();
    if (argc < 5) {
        fprintf(stderr, "insn_subject is started by insn_fuzz\n");
        return 2;
    }
    subject.cases = share(atoi(argv[1]), sizeof(struct case_file), PROT_READ);
    subject.results = share(atoi(argv[2]), sizeof(struct result_file), PROT_READ | PROT_WRITE);
    subject.plant = argc > 5 ? atoi(argv[5]) : 0;
    passage_pid = getpid();
    if (pipe(read_pipe) < 0)
        refuse("pipe", 0);
    state_init();
    put32(passage_xsave_clean + 24, 0x1f80);
    put64(passage_xsave_clean + 512, 0);
    subject.host_fs = get_fs_base();
    for (int z = 0; z < ZONE_COUNT; z++)
        map_zone(z);
    faults_init();
    subject.results->ready = 1;
    serve(atoi(argv[3]), atoi(argv[4]));
    return 0;
}
