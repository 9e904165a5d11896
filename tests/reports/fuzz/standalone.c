/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives a fuzz target where libFuzzer is not: random changes to the files named
 * on the command line, from a fixed seed. `TARGET ROUNDS FILE...` */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 88172645463325252u;

static uint64_t
next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void
change(uint8_t *b, size_t size)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x20, 0x0a};

    for (int n = 1 + next() % 8; n > 0 && size; n--) {
        size_t at = next() % size;

        if (next() % 3 == 0)
            b[at] = edges[next() % sizeof edges];
        else if (next() % 2)
            b[at] ^= 1u << next() % 8;
        else
            b[at] = (uint8_t)next();
    }
}

static uint8_t *
read_all(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *b = NULL;

    *size = 0;
    if (!f)
        return NULL;
    for (size_t n = 1; n; *size += n) {
        b = realloc(b, *size + 65536);
        n = fread(b + *size, 1, 65536, f);
    }
    fclose(f);
    return b;
}

int
main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[1]) : 0;

    for (int i = 2; i < argc; i++) {
        size_t size;
        uint8_t *original = read_all(argv[i], &size);

        if (!original)
            return fprintf(stderr, "cannot read %s\n", argv[i]), 1;
        LLVMFuzzerTestOneInput(original, size);
        for (int round = 0; round < rounds; round++) {
            size_t cut = next() % 8 == 0 ? next() % (size + 1) : size;
            uint8_t *b = malloc(cut ? cut : 1); /* exact, so that a sanitizer sees an overrun */

            memcpy(b, original, cut);
            change(b, cut);
            LLVMFuzzerTestOneInput(b, cut);
            free(b);
        }
        free(original);
    }
    return 0;
}
