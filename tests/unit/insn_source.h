/* Where tests of the decoder get instructions: a seeded generator, and the code
 * of real programs. Single-threaded; the generator's state is global. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TESTS_INSN_SOURCE_H
#define DRTOOLS_TESTS_INSN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSN_SLACK = 64 };    /* bytes that are readable from the start of every generated instruction */

void insn_random_seed(uint64_t seed);
unsigned insn_random_below(unsigned n);

/* Fills bytes[0..INSN_SLACK) at random; or with random prefixes, an opcode of
 * any map and encoding, and random bytes to serve as its operands. */
void insn_generate_random(uint8_t *bytes);
void insn_generate_structured(uint8_t *bytes);

/* Calls `fn` for each executable segment: of this program's own modules (libc,
 * ld.so ...), or of the ELF file at `path`, which stays mapped. False: the file
 * cannot be read; the reason is on stderr. */
void insn_each_own_segment(void (*fn)(const uint8_t *code, size_t len));
bool insn_each_file_segment(const char *path, void (*fn)(const uint8_t *code, size_t len));

#endif
