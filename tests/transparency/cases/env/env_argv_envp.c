//! env: ALPHA=1 BETA=two=2 EMPTY= LD_PRELOAD= PATHLIKE=a:b:c
//! args: one "two words" "" --flag -x=y -- "*" "tab	in"
#include "tl.h"

int
main(int c, char **v, char **e)
{
    for (int i = 1; i < c; i++)
        printf("[%s]\n", v[i]);
    EQ(v[c], 0);
    char *s = strrchr(v[0], '/');
    puts(s);
    int n = 0;
    while (e[n])
        puts(e[n++]);
    extern char **environ;
    CHECK(environ == e);
    /* argv, envp and auxv lie one after another, strings above them in order */
    CHECK((void *)(v + c + 1) == (void *)e);
    Elf64_auxv_t *a = (void *)(e + n + 1);
    CHECK(a->a_type != 0);
    for (int i = 1; i < c; i++)
        EQ(v[i], v[i - 1] + strlen(v[i - 1]) + 1);
    EQ(e[0], v[c - 1] + strlen(v[c - 1]) + 1);
    for (int i = 1; i < n; i++)
        EQ(e[i], e[i - 1] + strlen(e[i - 1]) + 1);
    EQ(((uint64_t)v - 8) % 16, 0);
    EQ(((long *)v)[-1], c);
    int fd = open("/proc/self/environ", O_RDONLY);
    static char b[65536];
    int r = read(fd, b, sizeof b);
    EQ(r, e[n - 1] + strlen(e[n - 1]) + 1 - e[0]);
    EQ(memcmp(b, e[0], r), 0);
    setenv("NEW", "v", 1);
    EQ(strcmp(getenv("NEW"), "v"), 0);
    EQ(clearenv(), 0);
    CHECK(!getenv("ALPHA"));
    return tl_end();
}
