/* A nudge as it travels: rt_sigqueueinfo(2) to the process, with this signal and si_code,
 * and in si_value the 64-bit argument that the tools' nudge event gets. For the front end and the engine. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_NUDGE_H
#define DRTOOLS_NUDGE_H

enum { DR_NUDGE_SIGNAL = 4 /* SIGILL: never blocked in the kernel under the engine */, DR_NUDGE_CODE = -0x6473 };

#endif
