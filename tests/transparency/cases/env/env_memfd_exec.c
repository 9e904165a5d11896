//! build: gcc -O1 -w -I$INC $SRC -o $OUT
#include "tl.h"

/* exec by descriptor: of a memfd that holds the program, of an O_PATH descriptor, relative to a directory, close-on-exec */
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#endif
static int
status(pid_t p)
{
    int st;
    waitpid(p, &st, 0);
    return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

int
main(int c, char **v, char **e)
{
    if (c == 3) {
        char l[4096], comm[32];
        l[readlink("/proc/self/exe", l, 4095)] = 0;
        prctl(PR_GET_NAME, comm);
        char *s = strrchr(l, '/');
        printf("%s %s: exe %s comm %s execfn %s\n", v[0], v[1], s, comm,
               strncmp((char *)getauxval(AT_EXECFN), "/dev/fd/", 8) ? "path" : "fd");
        fflush(stdout);
        return 7;
    }
    int in = open("/proc/self/exe", O_RDONLY), m = syscall(SYS_memfd_create, "prog", 3), n;
    static char b[1 << 16];
    while ((n = read(in, b, sizeof b)) > 0)
        write(m, b, n);
    EQ(fcntl(m, F_ADD_SEALS, 0xf), 0);
    for (int i = 0; i < 5; i++) {
        pid_t p = fork();
        if (!p) {
            char *a[] = {"zero", "memfd", "x", 0};
            switch (i) {
            case 0: fexecve(m, a, e); break;
            case 1:
                a[1] = "empty path";
                syscall(SYS_execveat, open("/proc/self/exe", O_PATH), "", a, e, AT_EMPTY_PATH);
                break;
            case 2:
                a[1] = "absolute";
                syscall(SYS_execveat, -1, "/proc/self/exe", a, e, 0);
                break;
            case 3: {
                char l[4096];
                l[readlink("/proc/self/exe", l, 4095)] = 0;
                char *s = strrchr(l, '/');
                *s = 0;
                a[1] = "at directory";
                syscall(SYS_execveat, open(l, O_PATH | O_DIRECTORY), s + 1, a, e, 0);
                break;
            }
            case 4:
                symlink("/proc/self/exe", "link");
                a[1] = "nofollow";
                syscall(SYS_execveat, AT_FDCWD, "link", a, e, AT_SYMLINK_NOFOLLOW);
                _exit(errno == ELOOP ? 7 : 1);
            }
            _exit(errno);
        }
        EQ(status(p), 7);
    }
    EQ(syscall(SYS_execveat, 99, "", v, e, AT_EMPTY_PATH), -1);
    EQ(errno, EBADF);
    EQ(syscall(SYS_execveat, in, "", v, e, AT_EMPTY_PATH | 0x45), -1);
    EQ(errno, EINVAL);
    /* a script by a close-on-exec descriptor cannot be read by its interpreter */
    int s = open("script", O_CREAT | O_RDWR, 0755);
    write(s, "#!/bin/sh\nexit 3\n", 17);
    close(s);
    s = open("script", O_RDONLY);
    pid_t p = fork();
    if (!p) {
        fexecve(s, v, e);
        _exit(1);
    }
    EQ(status(p), 3);
    fcntl(s, F_SETFD, FD_CLOEXEC);
    EQ(fexecve(s, v, e), -1);
    EQ(errno, ENOENT);
    return tl_end();
}
