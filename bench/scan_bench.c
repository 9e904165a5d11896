/* Nanoseconds an instruction for the scanner, beside Zydis' full decode and its
 * minimal mode, over the code of this program's own modules (libc, Zydis, ld.so)
 * or of the ELF files named. Each way walks the code from instruction to
 * instruction, as a translator does. They are measured in turn, and the fastest
 * of several rounds counts. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "insn_source.h"
#include "x86/scan.h"

#include <Zydis/Zydis.h>

#include <stdio.h>
#include <time.h>

enum { ROUNDS = 15, REGIONS_MAX = 64 };

struct region {
    const uint8_t *begin, *end;
};

static struct region regions[REGIONS_MAX];
static unsigned region_count;
static ZydisDecoder full, minimal;

static void
collect(const uint8_t *code, size_t len)
{
    if (region_count < REGIONS_MAX && len > INSN_SLACK)
        regions[region_count++] = (struct region){code, code + len - INSN_SLACK};
}

/* ---- the ways; each returns the length, or 1 for what is no instruction ---- */

static unsigned
way_scan(const uint8_t *p)
{
    struct insn in;

    scan_insn(p, INSN_SLACK, &in);
    return in.len;
}

static unsigned
way_scan_15(const uint8_t *p)
{
    struct insn in;

    scan_insn(p, INSN_MAX_LEN, &in);
    return in.len;
}

static unsigned
way_scan_effects(const uint8_t *p)
{
    static volatile unsigned sink;
    struct insn in;
    struct effects fx;

    scan_insn(p, INSN_SLACK, &in);
    scan_effects(p, &in, &fx);
    sink = fx.reads;
    (void)sink;
    return in.len;
}

static unsigned
way_zydis_minimal(const uint8_t *p)
{
    ZydisDecodedInstruction z;

    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&minimal, NULL, p, INSN_MAX_LEN, &z)) ? z.length : 1;
}

static unsigned
way_zydis_full(const uint8_t *p)
{
    ZydisDecodedInstruction z;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];

    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&full, p, INSN_MAX_LEN, &z, ops)) ? z.length : 1;
}

struct way {
    const char *name;
    unsigned (*decode)(const uint8_t *p);
    double best;
};

static struct way ways[] = {
    {"scan_insn", way_scan, 1e9},
    {"scan_insn, 15 bytes readable", way_scan_15, 1e9},
    {"scan_insn and scan_effects", way_scan_effects, 1e9},
    {"Zydis, minimal mode", way_zydis_minimal, 1e9},
    {"Zydis, full decode", way_zydis_full, 1e9},
};

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static size_t
measure(struct way *w)
{
    size_t n = 0;
    double start = now_ns(), ns;

    for (unsigned i = 0; i < region_count; i++) {
        for (const uint8_t *p = regions[i].begin; p < regions[i].end; p += w->decode(p))
            n++;
    }
    ns = (now_ns() - start) / n;
    if (ns < w->best)
        w->best = ns;
    return n;
}

int
main(int argc, char **argv)
{
    const unsigned n = sizeof ways / sizeof *ways;
    size_t insns = 0;

    ZydisDecoderInit(&full, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisDecoderInit(&minimal, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisDecoderEnableMode(&minimal, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
    if (argc == 1)
        insn_each_own_segment(collect);
    for (int i = 1; i < argc; i++)
        insn_each_file_segment(argv[i], collect);
    if (region_count == 0) {
        fprintf(stderr, "scan_bench: no code\n");
        return 2;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < n; i++)
            insns = measure(&ways[i]);
    }
    printf("%zu instructions\n", insns);
    for (unsigned i = 0; i < n; i++)
        printf("%-32s %6.1f ns\n", ways[i].name, ways[i].best);
    return 0;
}
