/* SPDX-License-Identifier: BSD-3-Clause */
/* Attribute values: every form of DWARF 2 to 5 and GNU's.
 * See DWARF 5, section 7.5.6. */
#include "dwarf_priv.h"

enum { SIZE_OFFSET = -2, SIZE_ADDRESS = -3, SIZE_REF_ADDR = -4, SIZE_VARIABLE = -1 };

struct form {
    int8_t size; /* bytes, or a SIZE_ */
    uint8_t kind;
    bool known;
};

static const struct form forms[] = {
    [DW_FORM_addr] = {SIZE_ADDRESS, VALUE_ADDRESS, true},
    [DW_FORM_block2] = {SIZE_VARIABLE, VALUE_OTHER, true},
    [DW_FORM_block4] = {SIZE_VARIABLE, VALUE_OTHER, true},
    [DW_FORM_data2] = {2, VALUE_NUMBER, true},
    [DW_FORM_data4] = {4, VALUE_NUMBER, true}, /* also offsets, before DWARF 4 */
    [DW_FORM_data8] = {8, VALUE_NUMBER, true},
    [DW_FORM_string] = {SIZE_VARIABLE, VALUE_STRING, true},
    [DW_FORM_block] = {SIZE_VARIABLE, VALUE_OTHER, true},
    [DW_FORM_block1] = {SIZE_VARIABLE, VALUE_OTHER, true},
    [DW_FORM_data1] = {1, VALUE_NUMBER, true},
    [DW_FORM_flag] = {1, VALUE_NUMBER, true},
    [DW_FORM_sdata] = {SIZE_VARIABLE, VALUE_NUMBER, true},
    [DW_FORM_strp] = {SIZE_OFFSET, VALUE_STRP, true},
    [DW_FORM_udata] = {SIZE_VARIABLE, VALUE_NUMBER, true},
    [DW_FORM_ref_addr] = {SIZE_REF_ADDR, VALUE_REFERENCE, true},
    [DW_FORM_ref1] = {1, VALUE_REFERENCE, true},
    [DW_FORM_ref2] = {2, VALUE_REFERENCE, true},
    [DW_FORM_ref4] = {4, VALUE_REFERENCE, true},
    [DW_FORM_ref8] = {8, VALUE_REFERENCE, true},
    [DW_FORM_ref_udata] = {SIZE_VARIABLE, VALUE_REFERENCE, true},
    [DW_FORM_indirect] = {SIZE_VARIABLE, VALUE_OTHER, true},
    [DW_FORM_sec_offset] = {SIZE_OFFSET, VALUE_OFFSET, true},
    [DW_FORM_exprloc] = {SIZE_VARIABLE, VALUE_OTHER, true},
    [DW_FORM_flag_present] = {0, VALUE_NUMBER, true},
    [DW_FORM_strx] = {SIZE_VARIABLE, VALUE_STRING_INDEX, true},
    [DW_FORM_addrx] = {SIZE_VARIABLE, VALUE_ADDRESS_INDEX, true},
    [DW_FORM_ref_sup4] = {4, VALUE_ALTERNATE, true},
    [DW_FORM_strp_sup] = {SIZE_OFFSET, VALUE_STRP_ALTERNATE, true},
    [DW_FORM_data16] = {16, VALUE_OTHER, true},
    [DW_FORM_line_strp] = {SIZE_OFFSET, VALUE_LINE_STRP, true},
    [DW_FORM_ref_sig8] = {8, VALUE_OTHER, true},
    [DW_FORM_implicit_const] = {0, VALUE_NUMBER, true},
    [DW_FORM_loclistx] = {SIZE_VARIABLE, VALUE_LIST_INDEX, true},
    [DW_FORM_rnglistx] = {SIZE_VARIABLE, VALUE_LIST_INDEX, true},
    [DW_FORM_ref_sup8] = {8, VALUE_ALTERNATE, true},
    [DW_FORM_strx1] = {1, VALUE_STRING_INDEX, true},
    [DW_FORM_strx2] = {2, VALUE_STRING_INDEX, true},
    [DW_FORM_strx3] = {3, VALUE_STRING_INDEX, true},
    [DW_FORM_strx4] = {4, VALUE_STRING_INDEX, true},
    [DW_FORM_addrx1] = {1, VALUE_ADDRESS_INDEX, true},
    [DW_FORM_addrx2] = {2, VALUE_ADDRESS_INDEX, true},
    [DW_FORM_addrx3] = {3, VALUE_ADDRESS_INDEX, true},
    [DW_FORM_addrx4] = {4, VALUE_ADDRESS_INDEX, true},
};

static struct form
form_of(unsigned form)
{
    switch (form) {
    case DW_FORM_GNU_addr_index: return (struct form){SIZE_VARIABLE, VALUE_ADDRESS_INDEX, true};
    case DW_FORM_GNU_str_index: return (struct form){SIZE_VARIABLE, VALUE_STRING_INDEX, true};
    case DW_FORM_GNU_ref_alt: return (struct form){SIZE_OFFSET, VALUE_ALTERNATE, true};
    case DW_FORM_GNU_strp_alt: return (struct form){SIZE_OFFSET, VALUE_STRP_ALTERNATE, true};
    }
    return form < sizeof forms / sizeof *forms ? forms[form] : (struct form){0};
}

int
form_fixed_size(const struct unit *u, unsigned form)
{
    struct form f = form_of(form);

    switch (f.known ? f.size : SIZE_VARIABLE) {
    case SIZE_OFFSET: return u->offset_size;
    case SIZE_ADDRESS: return u->address_size;
    case SIZE_REF_ADDR: return u->version == 2 ? u->address_size : u->offset_size;
    case SIZE_VARIABLE: return -1;
    default: return f.size;
    }
}

static void
read_variable(struct cursor *c, unsigned form, struct value *v)
{
    switch (form) {
    case DW_FORM_string: v->s = cursor_string(c); break;
    case DW_FORM_sdata: v->u = (uint64_t)cursor_sleb(c); break;
    case DW_FORM_block1: cursor_skip(c, cursor_u8(c)); break;
    case DW_FORM_block2: cursor_skip(c, cursor_u16(c)); break;
    case DW_FORM_block4: cursor_skip(c, cursor_u32(c)); break;
    case DW_FORM_block:
    case DW_FORM_exprloc: cursor_skip(c, cursor_uleb(c)); break;
    default: v->u = cursor_uleb(c); break;
    }
}

/* False: an unknown form, after which nothing of the unit can be read, or the end of the data. */
bool
form_read(const struct unit *u, struct cursor *c, unsigned form, int64_t implicit, struct value *v)
{
    struct form f;
    int size;

    if (form == DW_FORM_indirect) {
        form = (unsigned)cursor_uleb(c);
        if (form == DW_FORM_indirect)
            return cursor_fail(c);
        if (form == DW_FORM_implicit_const)
            implicit = cursor_sleb(c);
    }
    f = form_of(form);
    if (!f.known)
        return cursor_fail(c);
    v->kind = f.kind;
    v->s = NULL;
    v->u = 0;
    size = form_fixed_size(u, form);
    if (size < 0)
        read_variable(c, form, v);
    else if (size > 8)
        cursor_skip(c, (uint64_t)size);
    else
        v->u = cursor_fixed(c, (unsigned)size);
    if (form == DW_FORM_flag_present)
        v->u = 1;
    else if (form == DW_FORM_implicit_const)
        v->u = (uint64_t)implicit;
    else if (f.kind == VALUE_REFERENCE && form != DW_FORM_ref_addr)
        v->u += u->offset;
    return !c->bad;
}

static const char *
string_in(struct span s, uint64_t offset)
{
    struct cursor c = cursor_from(s, offset);

    return c.bad ? NULL : cursor_string(&c);
}

static const char *
indexed_string(const struct unit *u, uint64_t index)
{
    struct cursor c;

    if (index > UINT32_MAX)
        return NULL;
    c = cursor_part(u->dwarf->str_offsets, u->str_offsets_base + index * u->offset_size, u->offset_size);
    return c.bad ? NULL : string_in(u->dwarf->str, cursor_fixed(&c, u->offset_size));
}

const char *
value_string(const struct unit *u, const struct value *v)
{
    switch (v->kind) {
    case VALUE_STRING: return v->s;
    case VALUE_STRP: return string_in(u->dwarf->str, v->u);
    case VALUE_LINE_STRP: return string_in(u->dwarf->line_str, v->u);
    case VALUE_STRING_INDEX: return indexed_string(u, v->u);
    case VALUE_STRP_ALTERNATE: return u->dwarf->alternate ? string_in(u->dwarf->alternate->str, v->u) : NULL;
    default: return NULL;
    }
}

bool
value_address(const struct unit *u, const struct value *v, uint64_t *address)
{
    struct cursor c;

    if (v->kind == VALUE_ADDRESS) {
        *address = v->u;
        return true;
    }
    if (v->kind != VALUE_ADDRESS_INDEX || v->u > UINT32_MAX)
        return false;
    c = cursor_part(u->dwarf->addr, u->addr_base + v->u * u->address_size, u->address_size);
    *address = cursor_fixed(&c, u->address_size);
    return !c.bad;
}
