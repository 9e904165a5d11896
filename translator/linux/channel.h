/* The socket to the reporter. Packets hold whole records, except where one is larger than a packet. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_CHANNEL_H
#define DRTOOLS_TRANSLATOR_CHANNEL_H

#include "core/thread.h"

/* Takes over the descriptor of the configuration; the reporter of the process the user started is its child. */
void channel_start(int fd, int reporter_pid, bool console);
bool channel_is_open(void);
/* Any thread, with or without locks; waits while the reporter is behind. False: the reporter is gone. */
bool channel_send(const void *bytes, size_t n);
/* A connection for the child; -1: it will speak over its parent's. One fork at a time. */
int channel_before_fork(bool shares_descriptors);
void channel_fork_parent(int childs);
void channel_fork_child(int own);
/* A descriptor that stays open across the execve that is next, or -1. */
int channel_for_exec(const struct thread *t);
void channel_exec_failed(const struct thread *t, int fd);
/* The report is to be finished: waits for it. False: it never was. */
struct record_reply;
bool channel_finish(struct record_reply *out);

/* The reporter's end must not be noticed. */
struct ksiginfo;
bool reporter_signal(const struct ksiginfo *info);
long on_wait4(struct thread *t);
long on_waitid(struct thread *t);

#endif
