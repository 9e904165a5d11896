/* SPDX-License-Identifier: BSD-3-Clause */
/* What the dwarf_*.c files share. Names of constants follow the DWARF standard. */
#ifndef DRTOOLS_REPORTS_DWARF_PRIV_H
#define DRTOOLS_REPORTS_DWARF_PRIV_H

#include "dwarf.h"

enum { DW_UT_compile = 1, DW_UT_type, DW_UT_partial, DW_UT_skeleton, DW_UT_split_compile, DW_UT_split_type };

enum {
    DW_TAG_entry_point = 0x03,
    DW_TAG_inlined_subroutine = 0x1d,
    DW_TAG_subprogram = 0x2e,
};

enum {
    DW_AT_sibling = 0x01,
    DW_AT_name = 0x03,
    DW_AT_stmt_list = 0x10,
    DW_AT_low_pc = 0x11,
    DW_AT_high_pc = 0x12,
    DW_AT_language = 0x13,
    DW_AT_comp_dir = 0x1b,
    DW_AT_abstract_origin = 0x31,
    DW_AT_specification = 0x47,
    DW_AT_ranges = 0x55,
    DW_AT_call_column = 0x57,
    DW_AT_call_file = 0x58,
    DW_AT_call_line = 0x59,
    DW_AT_linkage_name = 0x6e,
    DW_AT_str_offsets_base = 0x72,
    DW_AT_addr_base = 0x73,
    DW_AT_rnglists_base = 0x74,
    DW_AT_dwo_name = 0x76,
    DW_AT_MIPS_linkage_name = 0x2007,
    DW_AT_GNU_dwo_name = 0x2130,
    DW_AT_GNU_dwo_id = 0x2131,
    DW_AT_GNU_ranges_base = 0x2132,
    DW_AT_GNU_addr_base = 0x2133,
};

enum {
    DW_FORM_addr = 0x01,
    DW_FORM_block2 = 0x03,
    DW_FORM_block4,
    DW_FORM_data2,
    DW_FORM_data4,
    DW_FORM_data8,
    DW_FORM_string,
    DW_FORM_block,
    DW_FORM_block1,
    DW_FORM_data1,
    DW_FORM_flag,
    DW_FORM_sdata,
    DW_FORM_strp,
    DW_FORM_udata,
    DW_FORM_ref_addr,
    DW_FORM_ref1,
    DW_FORM_ref2,
    DW_FORM_ref4,
    DW_FORM_ref8,
    DW_FORM_ref_udata,
    DW_FORM_indirect,
    DW_FORM_sec_offset,
    DW_FORM_exprloc,
    DW_FORM_flag_present,
    DW_FORM_strx,
    DW_FORM_addrx,
    DW_FORM_ref_sup4,
    DW_FORM_strp_sup,
    DW_FORM_data16,
    DW_FORM_line_strp,
    DW_FORM_ref_sig8,
    DW_FORM_implicit_const,
    DW_FORM_loclistx,
    DW_FORM_rnglistx,
    DW_FORM_ref_sup8,
    DW_FORM_strx1,
    DW_FORM_strx2,
    DW_FORM_strx3,
    DW_FORM_strx4,
    DW_FORM_addrx1,
    DW_FORM_addrx2,
    DW_FORM_addrx3,
    DW_FORM_addrx4,
    DW_FORM_GNU_addr_index = 0x1f01,
    DW_FORM_GNU_str_index = 0x1f02,
    DW_FORM_GNU_ref_alt = 0x1f20,
    DW_FORM_GNU_strp_alt = 0x1f21,
};

/* An attribute's value as it stands in the DIE; the value_* functions look up what it points at. */
enum value_kind {
    VALUE_NONE,
    VALUE_NUMBER, /* constants and flags                     */
    VALUE_ADDRESS,
    VALUE_ADDRESS_INDEX, /* into .debug_addr                        */
    VALUE_REFERENCE,     /* to a DIE of the same .debug_info        */
    VALUE_ALTERNATE,     /* to a DIE of the alternate file          */
    VALUE_OFFSET,        /* into the section the attribute implies  */
    VALUE_LIST_INDEX,    /* into .debug_rnglists' offsets           */
    VALUE_STRING,        /* in place                                */
    VALUE_STRP,
    VALUE_LINE_STRP,
    VALUE_STRP_ALTERNATE,
    VALUE_STRING_INDEX,
    VALUE_OTHER, /* blocks and signatures: of no interest   */
};

struct value {
    enum value_kind kind;
    uint64_t u;
    const char *s;
};

struct abbrev_attribute {
    uint16_t name, form;
    int64_t implicit;
};

struct abbrev {
    uint64_t code;
    uint32_t first, count; /* its attributes                                  */
    int32_t fixed;         /* bytes of all attributes; -1: depends on the DIE */
    uint16_t tag;
    bool children;
};

struct abbrevs {
    struct abbrev *list;
    size_t count, room;
    struct abbrev_attribute *attributes;
    size_t attribute_count, attribute_room;
    const struct dwarf *owner;
    uint64_t offset;
    uint32_t shape; /* version and sizes of the units it was measured for */
};

struct function {
    uint64_t die;
    uint64_t low;
    int32_t parent; /* index of the enclosing one, -1: none */
    uint32_t call_file, call_line;
    uint16_t call_column;
    uint16_t depth;
    bool inlined;
};

struct function_range {
    uint64_t low, high;
    uint64_t highest; /* of this and all earlier ranges */
    uint32_t function;
};

struct line_row {
    uint64_t address;
    uint32_t file, line;
    uint16_t column;
};

struct line_sequence {
    uint64_t low, high;
    uint64_t highest;
    size_t first, count;
};

struct line_file {
    const char *name;
    uint64_t directory;
};

/* Decoded on demand, dropped under the budget. */
struct detail {
    struct function *functions;
    size_t function_count, function_room;
    struct function_range *ranges;
    size_t range_count, range_room;
    struct line_row *rows;
    size_t row_count, row_room;
    struct line_sequence *sequences;
    size_t sequence_count, sequence_room;
    const char **directories;
    size_t directory_count, directory_room;
    struct line_file *files;
    size_t file_count, file_room;
    uint8_t line_version;
    struct dwarf *split;         /* the .dwo the functions are in, or NULL */
    struct elf_file *split_file; /* owned; NULL for a .dwp, which `dwarf` owns */
    size_t bytes;
};

struct unit {
    struct dwarf *dwarf;
    uint64_t offset, end; /* of the unit in .debug_info, header included */
    uint64_t first_die;
    uint64_t abbrev_offset;
    uint64_t low_pc, addr_base, str_offsets_base, rnglists_base, stmt_list, dwo_id;
    uint64_t ranges_base;       /* added to .debug_ranges offsets                   */
    uint64_t split_ranges_base; /* what a GNU skeleton gives its .dwo for that      */
    const char *name, *comp_dir, *dwo_name;
    uint16_t version, language;
    uint8_t offset_size, address_size, type;
    bool has_lines, has_dwo_id;
    struct detail *detail;
    struct unit *newer, *older;
};

struct unit_range {
    uint64_t low, high, highest;
    uint32_t unit;
};

enum { ABBREV_SLOTS = 64 };

struct dwarf {
    struct span info, abbrev, str, line, line_str, ranges, rnglists, addr, str_offsets;
    const char *path;
    struct dwarf_budget *budget;
    struct dwarf *alternate;
    struct elf_file *package; /* .dwp, opened on first need */
    bool package_tried;
    struct unit *units;
    size_t unit_count, unit_room;
    struct unit_range *unit_ranges;
    size_t unit_range_count, unit_range_room;
    struct abbrevs *slots[ABBREV_SLOTS];
};

/* dwarf_form.c */
bool form_read(const struct unit *u, struct cursor *c, unsigned form, int64_t implicit, struct value *v);
int form_fixed_size(const struct unit *u, unsigned form); /* -1: depends on the data */
const char *value_string(const struct unit *u, const struct value *v);
bool value_address(const struct unit *u, const struct value *v, uint64_t *address);

/* dwarf_unit.c */
struct dwarf *dwarf_new(struct dwarf_budget *budget, const char *path);
bool dwarf_read_units(struct dwarf *d);
struct unit *dwarf_unit_at(struct dwarf *d, uint64_t offset);
const struct abbrevs *unit_abbrevs(struct unit *u); /* valid until the next call */
const struct abbrev *abbrevs_find(const struct abbrevs *a, uint64_t code);

/* dwarf_range.c: calls `each` for every non-empty range of a DIE's attributes. */
typedef void range_fn(void *context, uint64_t low, uint64_t high);
void ranges_read(const struct unit *u, const struct value *low, const struct value *high,
                 const struct value *ranges, range_fn *each, void *context);

/* dwarf_line.c */
void lines_read(struct unit *u, struct detail *detail);
const struct line_row *lines_find(const struct detail *detail, uint64_t address);
void lines_file(const struct unit *u, const struct detail *detail, uint32_t file, const char *parts[3]);

/* dwarf_function.c */
void functions_read(struct unit *u, struct detail *detail);
const struct function *functions_find(const struct detail *detail, uint64_t address);
/* Name of the DIE at `offset` of `d`, its origins included. *exact as in struct dwarf_frame. */
const char *function_name(struct dwarf *d, uint64_t offset, bool *exact);

/* dwarf_split.c: the unit that holds what the skeleton `u` leaves out, or NULL. */
struct unit *split_open(struct unit *u, struct detail *detail);

#endif
