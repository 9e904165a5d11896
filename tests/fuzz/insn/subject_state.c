/* Vector and x87 state: between the processor's xsave image and the layout
 * that cases and results have, which is the same on every processor. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "subject.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

/* State components (SDM volume 1, 13.1). */
enum { XC_X87, XC_SSE, XC_AVX, XC_K = 5, XC_ZMM_HIGH, XC_ZMM16, XC_COUNT };

static uint32_t component_offset[XC_COUNT];
static uint32_t components_here; /* XCR0 as far as we know its components */
static bool have_fsgsbase;

void
state_init(void)
{
    unsigned a, b, c, d;

    __cpuid_count(0xd, 0, a, b, c, d);
    components_here = a & 0xe7;
    component_offset[XC_SSE] = 160;
    for (int i = XC_AVX; i < XC_COUNT; i++) {
        __cpuid_count(0xd, i, a, b, c, d);
        component_offset[i] = b;
    }
    have_fsgsbase = getauxval(AT_HWCAP2) & 2;
}

uint8_t *
state_component(uint8_t *image, int component)
{
    return components_here >> component & 1 ? image + component_offset[component] : NULL;
}

static uint64_t
xstate_bv(const uint8_t *image)
{
    uint64_t bv;

    memcpy(&bv, image + 512, 8);
    return bv;
}

void
state_to_xsave(const struct vector_state *v, uint32_t components, uint8_t *image)
{
    uint64_t bv = components & components_here;
    uint8_t *p;

    memset(image, 0, 576);
    memcpy(image, &v->fcw, 2);
    memcpy(image + 2, &v->fsw, 2);
    memcpy(image + 4, &v->ftw, 1);
    memcpy(image + 6, &v->fop, 2);
    memcpy(image + 8, &v->fip, 8);
    memcpy(image + 16, &v->fdp, 8);
    memcpy(image + 24, &v->mxcsr, 4);
    memcpy(image + 32, v->st, sizeof v->st);
    for (int i = 0; i < 16; i++)
        memcpy(image + 160 + 16 * i, v->zmm[i], 16);
    memcpy(image + 512, &bv, 8);
    if ((p = state_component(image, XC_AVX)))
        for (int i = 0; i < 16; i++)
            memcpy(p + 16 * i, v->zmm[i] + 16, 16);
    if ((p = state_component(image, XC_K)))
        memcpy(p, v->k, sizeof v->k);
    if ((p = state_component(image, XC_ZMM_HIGH)))
        for (int i = 0; i < 16; i++)
            memcpy(p + 32 * i, v->zmm[i] + 32, 32);
    if ((p = state_component(image, XC_ZMM16)))
        memcpy(p, v->zmm[16], 16 * 64);
}

static void
x87_from_xsave(const uint8_t *image, struct vector_state *v)
{
    memcpy(&v->fcw, image, 2);
    memcpy(&v->fsw, image + 2, 2);
    memcpy(&v->ftw, image + 4, 1);
    memcpy(&v->fop, image + 6, 2);
    memcpy(&v->fip, image + 8, 8);
    memcpy(&v->fdp, image + 16, 8);
    for (int i = 0; i < 8; i++)
        memcpy(v->st[i], image + 32 + 16 * i, 10);
}

void
state_from_xsave(const uint8_t *image, struct vector_state *v)
{
    uint64_t bv = xstate_bv(image) & components_here;
    uint8_t *img = (uint8_t *)image, *p;

    memset(v, 0, sizeof *v);
    v->fcw = 0x37f;
    if (bv & 1 << XC_X87)
        x87_from_xsave(image, v);
    memcpy(&v->mxcsr, image + 24, 4);
    if (bv & 1 << XC_SSE)
        for (int i = 0; i < 16; i++)
            memcpy(v->zmm[i], image + 160 + 16 * i, 16);
    if ((bv & 1 << XC_AVX) && (p = state_component(img, XC_AVX)))
        for (int i = 0; i < 16; i++)
            memcpy(v->zmm[i] + 16, p + 16 * i, 16);
    if ((bv & 1 << XC_K) && (p = state_component(img, XC_K)))
        memcpy(v->k, p, sizeof v->k);
    if ((bv & 1 << XC_ZMM_HIGH) && (p = state_component(img, XC_ZMM_HIGH)))
        for (int i = 0; i < 16; i++)
            memcpy(v->zmm[i] + 32, p + 32 * i, 32);
    if ((bv & 1 << XC_ZMM16) && (p = state_component(img, XC_ZMM16)))
        memcpy(v->zmm[16], p, 16 * 64);
}

/* Marks a component as in use. Its bytes are valid even if it was not: the
 * kernel's XSAVE writes what is in its initial state, too. */
static uint8_t *
take_component(uint8_t *image, int component)
{
    uint64_t bv = xstate_bv(image) | 1ull << component;

    if (components_here >> component & 1)
        memcpy(image + 512, &bv, 8);
    return state_component(image, component);
}

void
state_edit_xsave(uint8_t *image)
{
    uint8_t *p;

    if ((p = take_component(image, XC_SSE)))
        p[16 * 3] ^= 0xff; /* xmm3 */
    if ((p = take_component(image, XC_AVX)))
        p[16 * 5 + 15] ^= 0x33; /* ymm5 */
    if ((p = take_component(image, XC_K)))
        p[8 * 2] ^= 1; /* k2 */
    if ((p = take_component(image, XC_ZMM16)))
        p[64 + 63] ^= 0x55; /* zmm17 */
}

uint64_t
state_hash(const struct cpu_state *s)
{
    const uint64_t *w = (const uint64_t *)s;
    uint64_t a = 0x9e3779b97f4a7c15, b = 0xc2b2ae3d27d4eb4f;

    for (size_t i = 0; i + 1 < sizeof *s / 8; i += 2) {
        a = (a ^ w[i]) * 0xff51afd7ed558ccd;
        b = (b ^ w[i + 1]) * 0xc4ceb9fe1a85ec53;
        a ^= a >> 32;
        b ^= b >> 29;
    }
    return a ^ (b << 1 | b >> 63);
}

/* ---- segment bases ---- */

static uint64_t
base_syscall(int code, uint64_t arg)
{
    uint64_t ret;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"((uint64_t)SYS_arch_prctl), "D"((uint64_t)code), "S"(arg)
                     : "rcx", "r11", "memory");
    return ret;
}

uint64_t
get_fs_base(void)
{
    uint64_t v;

    if (have_fsgsbase)
        __asm__ volatile("rdfsbase %0" : "=r"(v));
    else
        base_syscall(ARCH_GET_FS, (uint64_t)&v);
    return v;
}

uint64_t
get_gs_base(void)
{
    uint64_t v;

    if (have_fsgsbase)
        __asm__ volatile("rdgsbase %0" : "=r"(v));
    else
        base_syscall(ARCH_GET_GS, (uint64_t)&v);
    return v;
}

void
set_fs_base(uint64_t v)
{
    if (have_fsgsbase)
        __asm__ volatile("wrfsbase %0" ::"r"(v));
    else
        base_syscall(ARCH_SET_FS, v);
}

void
set_gs_base(uint64_t v)
{
    if (have_fsgsbase)
        __asm__ volatile("wrgsbase %0" ::"r"(v));
    else
        base_syscall(ARCH_SET_GS, v);
}
