/* The raw profile: one mapping of a file, in which records are laid one behind
 * the other and never move.
 * Invariant: what lies below `reserved` has disk or memory behind it, so that no
 *            store into it fails. `used` <= `reserved`.
 * Threads:   any; raw_lock. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/record.h"
#include "priv.h"

enum { FIRST_STEP = 1 << 20, LARGEST_STEP = 32 << 20, MAX_PATH = 4096, COPY_STEP = 1 << 20 };

uint8_t *raw;
static struct dr_mutex raw_lock;
static int file = -1;
static uint64_t reserved, size;
static unsigned files_made, parts_made;

static uint64_t min(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Tells the reporter where the profile of this process is. */
static void
announce(const char *path)
{
    uint8_t bytes[MAX_PATH + 64];
    struct record_writer w = {.bytes = bytes, .size = sizeof bytes};
    struct dr_record_stamp s;

    dr_record_stamp(&s);
    record_begin(&w, RECORD_PROFILE, s.pid, s.tid, s.time);
    record_put_string(&w, path);
    if (record_end(&w))
        dr_record(w.bytes, w.used);
}

/* Each file of a process has a name of its own: after execve the number of the process is the same. */
static uint8_t *
make_file(void *at, uint64_t bytes, int *handle)
{
    char path[MAX_PATH];

    for (; files_made < 10000; files_made++) {
        dr_format(path, sizeof path, "%s.%d.%u.raw", options.raw, dr_process_id(), files_made);
        uint8_t *p = dr_map_file(path, at, bytes, handle);
        if (p)
            announce(path);
        if (p || *handle != -17 /* EEXIST */)
            return p;
    }
    return NULL;
}

static bool
reserve(uint64_t upto)
{
    uint64_t step = min(LARGEST_STEP, reserved < FIRST_STEP ? FIRST_STEP : reserved);

    if (upto <= reserved)
        return true;
    while (reserved + step < upto)
        step += step;
    step = min(step, size - reserved);
    if (reserved + step < upto || !dr_file_space(file, reserved, step))
        return false;
    reserved += step;
    return true;
}

static void
begin_header(void)
{
    memcpy(header->magic, PROF_MAGIC, sizeof header->magic);
    header->base = (uint64_t)raw;
    header->size = size;
    header->pid = (uint32_t)dr_process_id();
    header->parent = (uint32_t)dr_parent_id();
}

bool
raw_open(void)
{
    int handle = 0;

    for (size = options.memory; size >= 16ul * FIRST_STEP && !raw; size /= 4)
        raw = make_file(NULL, size, &handle);
    size *= 4;
    if (!raw) {
        dr_print("drprof: cannot create %s.PID.N.raw (error %d)\n", options.raw, -handle);
        return false;
    }
    file = handle;
    if (!reserve(FIRST_STEP)) {
        dr_print("drprof: no space for %s.PID.N.raw\n", options.raw);
        return false;
    }
    header->used = (sizeof(struct prof_header) + 15) & ~15ul;
    begin_header();
    return true;
}

void *
raw_alloc(uint64_t bytes)
{
    uint8_t *p = NULL;

    bytes = (bytes + 15) & ~15ul;
    dr_lock(&raw_lock);
    if (reserve(header->used + bytes)) {
        p = raw + header->used;
        header->used += bytes;
    } else {
        header->flags |= PROF_TRUNCATED;
    }
    dr_unlock(&raw_lock);
    return p;
}

prof_ref
raw_text(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = raw_alloc(n);

    if (p)
        memcpy(p, s, n);
    return ref_of(p);
}

/* The mapping is shared with the parent until it is replaced. */
bool
raw_reopen_in_child(void)
{
    uint64_t used = header->used;
    uint8_t *kept = dr_map(used);
    int handle = -1;

    raw_lock.state = 0;
    if (!kept)
        return false;
    memcpy(kept, raw, used);
    dr_close(file);
    files_made = parts_made = 0;
    uint8_t *p = make_file(raw, size, &handle);
    bool good = p != NULL;
    if (good) {
        file = handle;
        reserved = 0;
        good = reserve(used);
    }
    if (good) {
        memcpy(raw, kept, used);
        begin_header();
    }
    dr_unmap(kept, used);
    return good;
}

bool
raw_dump(void)
{
    char path[MAX_PATH];
    bool good = true;

    dr_lock(&raw_lock);
    header->part = ++parts_made;
    header->flags |= PROF_ENDED;         /* as far as this part goes */
    dr_format(path, sizeof path, "%s.%d.%u.part%u.raw", options.raw, dr_process_id(), files_made, parts_made);
    int out = dr_create(path);
    if (out < 0) {
        good = false;
    } else {
        for (uint64_t at = 0; good && at < header->used; at += COPY_STEP)
            good = dr_write(out, raw + at, min(COPY_STEP, header->used - at));
        dr_close(out);
        announce(path);
    }
    header->part = 0;
    header->flags &= ~(uint32_t)PROF_ENDED;
    dr_unlock(&raw_lock);
    if (!good)
        dr_print("drprof: cannot write all of %s\n", path);
    return good;
}
