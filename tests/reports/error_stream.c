/* SPDX-License-Identifier: BSD-3-Clause */
/* error_stream MODULE < ADDRESSES: a record stream of one error for each address of the module, with a stack of that
 * address and the seven before it. */
#include <stdio.h>
#include <stdlib.h>

#include <drtools/record.h>

enum { DEPTH = 8 };

static uint8_t bytes[1 << 14];
static struct record_writer w = {.bytes = bytes, .size = sizeof bytes};

static void
flush(void)
{
    fwrite(bytes, 1, w.used, stdout);
    w.used = w.at = 0;
}

static void
put_process(const char *module)
{
    record_put_stream_header(&w);
    record_begin(&w, RECORD_PROCESS_START, 1, 1, 0);
    record_put_u32(&w, 0);
    record_put_u32(&w, 0);
    record_put_u64(&w, 0);
    record_put_string(&w, "drmemory");
    record_put_string(&w, module);
    record_put_string(&w, "/");
    record_put_u16(&w, 0);
    record_end(&w);
    record_begin(&w, RECORD_MODULE_LOAD, 1, 1, 0);
    record_put_u32(&w, 1);
    record_put_u32(&w, MODULE_MAIN);
    record_put_u64(&w, 0);
    record_put_u64(&w, 0);
    record_put_u64(&w, UINT64_MAX);
    record_put_string(&w, module);
    record_put_string(&w, "");
    record_put_u16(&w, 0);
    record_end(&w);
    flush();
}

static void
put_error(uint32_t number, const uint64_t *stack)
{
    record_begin(&w, RECORD_ERROR, 1, 1, number);
    record_put_u32(&w, number);
    record_put_u8(&w, ERROR_UNADDRESSABLE);
    record_put_u8(&w, ACCESS_READ);
    record_put_u8(&w, PLACE_FREED);
    record_put_u8(&w, 0);
    record_put_u64(&w, 0x1000 + number);
    record_put_u64(&w, 4);
    record_put_string(&w, "");
    record_put_string(&w, "mov");
    record_put_u16(&w, 0);
    record_put_u16(&w, 1);
    record_put_u8(&w, STACK_MAIN);
    record_put_string(&w, "");
    record_put_u16(&w, DEPTH);
    for (int i = 0; i < DEPTH; i++)
        record_put_frame(&w, stack[i], FRAME_EXACT | 1);
    record_end(&w);
    flush();
}

int
main(int argc, char **argv)
{
    uint64_t stack[DEPTH] = {0};
    uint32_t number = 0;
    char line[100];

    if (argc != 2)
        return 2;
    put_process(argv[1]);
    while (fgets(line, sizeof line, stdin)) {
        for (int i = DEPTH - 1; i > 0; i--)
            stack[i] = stack[i - 1];
        stack[0] = strtoull(line, NULL, 16);
        put_error(++number, stack);
    }
    record_begin(&w, RECORD_END, 1, 1, number);
    record_put_u32(&w, 0);
    record_end(&w);
    flush();
    return ferror(stdout) != 0;
}
