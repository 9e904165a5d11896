//! need: root
//! build: gcc -O1 -w -static -I$INC $SRC -o $OUT
#include "tl.h"

/* in another root, without /proc, /lib or anything: the program goes on, and starts what is there */
int
main(int c, char **v)
{
    if (c > 1) {
        printf("inside: %s, proc %d\n", v[1], access("/proc/self", F_OK));
        fflush(stdout);
        return 9;
    }
    mkdir("root", 0755);
    int in = open("/proc/self/exe", O_RDONLY), out = open("root/prog", O_CREAT | O_WRONLY, 0755), n;
    static char b[1 << 16];
    while ((n = read(in, b, sizeof b)) > 0)
        write(out, b, n);
    close(out);
    int held = open("root/prog", O_RDONLY);
    EQ(chroot("root"), 0);
    EQ(chdir("/"), 0);
    EQ(access("/lib", F_OK), -1);
    unsigned char *p = tl_rwx(0, 4096);
    p[0] = 0xc3;
    ((void (*)(void))p)();
    for (int i = 0; i < 2; i++) {
        fflush(stdout);
        pid_t k = fork();
        if (!k) {
            if (i)
                syscall(SYS_execveat, held, "", (char *[]){"x", "held", 0}, (char *[]){0}, AT_EMPTY_PATH);
            else
                execl("/prog", "prog", "by path", (char *)0);
            _exit(1);
        }
        int st;
        waitpid(k, &st, 0);
        EQ(WEXITSTATUS(st), 9);
    }
    return tl_end();
}
