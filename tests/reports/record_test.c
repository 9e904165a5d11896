/* SPDX-License-Identifier: BSD-3-Clause */
/* The record stream: what is written is read, and no bytes can hurt the reader. */
#include "reports/record.h"

#include <stdlib.h>

#include "check.h"

static uint8_t stream[4096];

static size_t
write_sample(void)
{
    struct record_writer w = {.bytes = stream, .size = sizeof stream};

    record_put_stream_header(&w);
    record_begin(&w, RECORD_PROCESS_START, 42, 42, 0);
    record_put_u32(&w, START_FOLLOWED);
    record_put_u32(&w, 41);
    record_put_u64(&w, 1700000000);
    record_put_string(&w, "drmemory");
    record_put_string(&w, "/bin/app");
    record_put_string(&w, "/tmp");
    record_put_u16(&w, 2);
    record_put_string(&w, "app");
    record_put_string(&w, "x");
    record_end(&w);

    record_begin(&w, RECORD_MODULE_LOAD, 42, 42, 10);
    record_put_u32(&w, 1);
    record_put_u32(&w, MODULE_MAIN);
    record_put_u64(&w, 0x400000);
    record_put_u64(&w, 0x400000);
    record_put_u64(&w, 0x402000);
    record_put_string(&w, "/bin/app");
    record_put_u16(&w, 3);
    record_put(&w, "\0\1\2", 3);
    record_put_u16(&w, 1);
    record_put_u64(&w, 0x401000);
    record_put_u64(&w, 0x1000);
    record_put_u64(&w, 0x1000);
    record_put_u32(&w, 5);
    record_end(&w);

    record_begin(&w, RECORD_ERROR, 42, 43, 20);
    record_put_u32(&w, 1);
    record_put_u8(&w, ERROR_UNADDRESSABLE);
    record_put_u8(&w, ACCESS_READ);
    record_put_u8(&w, PLACE_FREED);
    record_put_u8(&w, 0);
    record_put_u64(&w, 0x1234);
    record_put_u64(&w, 8);
    record_put_string(&w, "");
    record_put_string(&w, "mov (%rax) -> %rcx");
    record_put_u16(&w, 1);
    record_put_string(&w, "a note");
    record_put_u16(&w, 2);
    record_put_u8(&w, STACK_MAIN);
    record_put_string(&w, "");
    record_put_u16(&w, 2);
    record_put_frame(&w, 0x401010, 1 | FRAME_EXACT);
    record_put_frame(&w, 0x401020, 1);
    record_put_u8(&w, STACK_FREED);
    record_put_string(&w, "freed here");
    record_put_u16(&w, 0);
    record_end(&w);

    record_begin(&w, RECORD_ERROR_COUNT, 42, 43, 30);
    record_put_u32(&w, 1);
    record_put_u64(&w, 1000000);
    record_end(&w);
    record_begin(&w, RECORD_END, 42, 42, 40);
    record_put_u32(&w, 0);
    record_end(&w);
    return w.used;
}

/* Records read when the stream is fed `step` bytes at a time and ends at `size`. */
static int
count_records(size_t size, size_t step, enum record_status *last)
{
    struct record_reader *r = record_reader_new();
    struct record rec;
    int n = 0;

    *last = RECORD_WAIT;
    for (size_t at = 0; at < size; at += step) {
        record_feed(r, stream + at, size - at < step ? size - at : step);
        while ((*last = record_next(r, &rec)) == RECORD_READY)
            n++;
    }
    record_reader_free(r);
    return n;
}

TEST(record, reads_what_was_written)
{
    struct record_reader *r = record_reader_new();
    struct record rec;

    record_feed(r, stream, write_sample());
    CHECK(record_next(r, &rec) == RECORD_READY && rec.type == RECORD_PROCESS_START);
    CHECK_NUMBER(rec.parent, 41);
    CHECK_NUMBER(rec.string_count, 2);
    CHECK_TEXT(rec.strings[1].s, "x");
    CHECK(record_next(r, &rec) == RECORD_READY && rec.type == RECORD_MODULE_LOAD);
    CHECK_NUMBER(rec.build_id.size, 3);
    CHECK_NUMBER(rec.segments[0].start, 0x401000);
    CHECK(record_next(r, &rec) == RECORD_READY && rec.type == RECORD_ERROR);
    CHECK_NUMBER(rec.tid, 43);
    CHECK_NUMBER(rec.stack_count, 2);
    CHECK_NUMBER(rec.stacks[0].frames[0].module, 1 | FRAME_EXACT);
    CHECK_TEXT(rec.stacks[1].label.s, "freed here");
    CHECK(record_next(r, &rec) == RECORD_READY && rec.count == 1000000);
    CHECK(record_next(r, &rec) == RECORD_READY && rec.type == RECORD_END);
    CHECK(record_next(r, &rec) == RECORD_WAIT);
    CHECK_NUMBER(record_pending(r), 0);
    record_reader_free(r);
}

TEST(record, may_be_cut_anywhere)
{
    size_t size = write_sample();
    enum record_status last;
    int before = 0;

    for (size_t cut = 0; cut <= size; cut++) {
        int n = count_records(cut, cut ? cut : 1, &last);

        CHECK(last == RECORD_WAIT);
        CHECK(n == before || n == before + 1);
        before = n;
    }
    CHECK_NUMBER(before, 5);
    CHECK_NUMBER(count_records(size, 1, &last), 5);
}

TEST(record, impossible_length_ends_the_stream)
{
    static const uint32_t lengths[] = {0, 23, RECORD_MAX + 1, 0xffffffff};
    enum record_status last;
    size_t size = write_sample();

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(stream + RECORD_STREAM_HEADER, &lengths[i], 4);
        CHECK_NUMBER(count_records(size, size, &last), 0);
        CHECK(last == RECORD_DAMAGED);
    }
}

TEST(record, short_payload_is_skipped_and_counted)
{
    struct record_reader *r = record_reader_new();
    struct record_writer w = {.bytes = stream, .size = sizeof stream};
    struct record rec;

    record_put_stream_header(&w);
    record_begin(&w, RECORD_ERROR, 1, 1, 0);
    record_put_u32(&w, 1);
    record_end(&w);
    record_begin(&w, RECORD_NOTE, 1, 1, 0);
    record_put_u8(&w, NOTE_INFO);
    record_put_string(&w, "still here");
    record_put_u64(&w, 7); /* a field of a later version */
    record_end(&w);
    record_feed(r, stream, w.used);
    CHECK(record_next(r, &rec) == RECORD_READY);
    CHECK_TEXT(rec.detail.s, "still here");
    CHECK_NUMBER(record_malformed(r), 1);
    record_reader_free(r);
}

TEST(record, counts_allocate_no_more_than_the_payload_holds)
{
    struct record_reader *r = record_reader_new();
    struct record_writer w = {.bytes = stream, .size = sizeof stream};
    struct record rec;

    record_put_stream_header(&w);
    record_begin(&w, RECORD_SUMMARY, 1, 1, 0);
    record_put_string(&w, "t");
    record_put_u16(&w, 0xffff);
    record_end(&w);
    record_feed(r, stream, w.used);
    CHECK(record_next(r, &rec) == RECORD_WAIT);
    CHECK_NUMBER(record_malformed(r), 1);
    record_reader_free(r);
}

TEST(record, concatenated_streams_are_one)
{
    struct record_reader *r = record_reader_new();
    struct record rec;
    size_t size = write_sample();
    int n = 0;

    record_feed(r, stream, size);
    record_feed(r, stream, size);
    while (record_next(r, &rec) == RECORD_READY)
        n++;
    CHECK_NUMBER(n, 10);
    CHECK(!record_damage(r));
    record_reader_free(r);
}

TEST(record, foreign_file_is_refused)
{
    struct record_reader *r = record_reader_new();
    struct record rec;

    record_feed(r, "\177ELF", 4);
    CHECK(record_next(r, &rec) == RECORD_DAMAGED);
    CHECK(record_damage(r) != NULL);
    record_reader_free(r);
}

TEST(record, writer_drops_what_does_not_fit_whole)
{
    uint8_t small[60];
    struct record_writer w = {.bytes = small, .size = sizeof small};

    record_begin(&w, RECORD_NOTE, 1, 1, 0);
    record_put_u8(&w, 0);
    record_put_string(&w, "short");
    CHECK(record_end(&w));
    size_t used = w.used;
    record_begin(&w, RECORD_NOTE, 1, 1, 0);
    record_put_u8(&w, 0);
    record_put_string(&w, "this one is too long for what is left of the buffer");
    CHECK(!record_end(&w));
    CHECK_NUMBER(w.used, used);
}
