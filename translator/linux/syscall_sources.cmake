# The files of the system-call table, for whoever builds it in: the engine and its tests.
set(SYSCALL_TABLE_SOURCES
    syscall_async.c
    syscall_bpf.c
    syscall_file.c
    syscall_futex.c
    syscall_ioctl.c
    syscall_keyctl.c
    syscall_memory.c
    syscall_mount.c
    syscall_pages.c
    syscall_prctl.c
    syscall_process.c
    syscall_ptrace.c
    syscall_quota.c
    syscall_signal.c
    syscall_socket.c
    syscall_sysvipc.c
    syscall_table.c
    syscall_time.c
    syscall_view.c
    syscall_wait.c)
list(TRANSFORM SYSCALL_TABLE_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
