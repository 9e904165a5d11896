/* Random numbers that are a function of a seed and nothing else. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_RNG_H
#define DRTOOLS_FUZZ_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t
rng_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static inline uint64_t
rng_next(struct rng *r)
{
    return rng_mix(r->state += 0x9e3779b97f4a7c15);
}

/* 0 .. n - 1 */
static inline uint32_t
rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

static inline bool
rng_percent(struct rng *r, uint32_t p)
{
    return rng_below(r, 100) < p;
}

#endif
