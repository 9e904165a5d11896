//! run: cp $OUT ./copy; $CMD ./copy; cp $OUT ./renamed; $CMD ./renamed 2
#include "tl.h"

/* the program's file is removed or replaced while it runs: it goes on, also by exec of /proc/self/exe, and names stay true */
int
main(int c, char **v)
{
    char l[4096];
    if (c > 2) {
        l[readlink("/proc/self/exe", l, 4095)] = 0;
        printf("again: %s\n", strrchr(l, '/'));
        return 0;
    }
    if (c == 1) {
        EQ(unlink("./copy"), 0);
        l[readlink("/proc/self/exe", l, 4095)] = 0;
        printf("%s\n", strrchr(l, '/'));
        struct stat st;
        EQ(stat("/proc/self/exe", &st), 0);
        EQ(st.st_nlink, 0);
    } else {
        EQ(rename("./renamed", "./other"), 0);
        l[readlink("/proc/self/exe", l, 4095)] = 0;
        printf("%s\n", strrchr(l, '/'));
        int fd = open("./renamed", O_CREAT | O_WRONLY, 0755);
        write(fd, "#!/bin/echo wrong\n", 18);
        close(fd);
    }
    fflush(stdout);
    pid_t p = fork();
    if (!p) {
        execl("/proc/self/exe", "x", "y", "z", (char *)0);
        _exit(errno);
    }
    int st;
    waitpid(p, &st, 0);
    EQ(st, 0);
    return tl_end();
}
