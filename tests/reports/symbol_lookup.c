/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints what `addr2line -a -i -f -C -e MODULE` prints for the hexadecimal addresses on its input. */
#include <stdio.h>
#include <stdlib.h>

#include "reports/symbols.h"

static void
print_frame(const struct symbol_frame *f)
{
    printf("%s\n%s:", f->signature ? f->signature : "??", f->file ? f->file : "??");
    if (f->line || !f->file)
        printf("%u\n", f->line);
    else
        puts("?");
}

int
main(int argc, char **argv)
{
    struct symbols *s = symbols_new(NULL, 0);
    struct symbol_module *m;
    char line[100];

    if (argc != 2)
        return 2;
    m = symbols_module(s, argv[1], NULL, 0);
    while (fgets(line, sizeof line, stdin)) {
        const struct symbol_frame *frames;
        uint64_t address = strtoull(line, NULL, 16);
        size_t n = symbols_lookup(m, address, &frames);

        printf("0x%016llx\n", (unsigned long long)address);
        for (size_t i = 0; i < n; i++)
            print_frame(&frames[i]);
        if (n == 0)
            puts("??\n??:0");
    }
    symbols_free(s);
    return 0;
}
