#include "tl.h"

/* #! scripts: arguments, nesting, relative interpreters, spaces, no newline, long lines, and what is refused */
static void
put(const char *name, const char *text, int mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    write(fd, text, strlen(text));
    fchmod(fd, mode);
    close(fd);
}

static void
try(const char *what, const char *path)
{
    fflush(stdout);
    pid_t p = fork();
    if (!p) {
        execve(path, (char *[]){"zero", "one", "two words", 0}, (char *[]){"E=1", "PATH=/usr/bin:/bin", 0});
        printf("%s: %s\n", what, strerrorname_np(errno));
        fflush(stdout);
        _exit(0);
    }
    int st;
    waitpid(p, &st, 0);
    printf("%s: status %x\n", what, st);
}

int
main(int c, char **v)
{
    if (getenv("E")) { /* as an interpreter */
        printf("interpreter: ");
        for (int i = 1; i < c; i++) {
            char *s = strrchr(v[i], '/');
            printf("[%s] ", s ? s + 1 : v[i]);
        }
        printf("argv0 is %s\n", strrchr(v[0], '/') ? strrchr(v[0], '/') + 1 : v[0]);
        return 8;
    }
    char self[4096], b[8192];
    int n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n] = 0;
    symlink(self, "interp");
    sprintf(b, "#!%s\n", self);
    put("plain", b, 0755);
    try("plain", "./plain");
    sprintf(b, "#!%s an argument with spaces \n", self);
    put("arg", b, 0755);
    try("argument", "./arg");
    sprintf(b, "#!   %s\t-x\t\n", self);
    put("blank", b, 0755);
    try("blanks", "./blank");
    sprintf(b, "#!%s", self);
    put("nonl", b, 0755);
    try("no newline", "./nonl");
    put("relative", "#!./interp rel\n", 0755);
    try("relative interpreter", "./relative");
    put("nest1", "#!./relative nested\n", 0755);
    put("nest2", "#!./nest1 twice\n", 0755);
    put("nest3", "#!./nest2\n", 0755);
    put("nest4", "#!./nest3\n", 0755);
    put("nest5", "#!./nest4\n", 0755);
    try("nested once", "./nest1");
    try("nested twice", "./nest2");
    try("nested thrice", "./nest3");
    try("nested too deep", "./nest5");
    put("loop", "#!./loop\n", 0755);
    try("itself", "./loop");
    put("noint", "#!/no/such/interpreter\n", 0755);
    try("no such interpreter", "./noint");
    put("empty", "#!\n", 0755);
    try("empty line", "./empty");
    put("spaces", "#!    \n", 0755);
    try("only blanks", "./spaces");
    put("none", "echo this has no first line\n", 0755);
    try("no #!", "./none");
    put("zero", "", 0755);
    try("empty file", "./zero");
    put("noexec", "#!/bin/sh\n", 0644);
    try("not executable", "./noexec");
    put("sh", "#!/bin/sh\necho \"sh $0 $1 $2\"\nexit 3\n", 0755);
    try("sh", "./sh");
    put("env", "#!/usr/bin/env bash\necho \"bash ${0##*/} $1\"\nexit 4\n", 0755);
    try("env", "./env");
    memset(b, 'x', 400);
    memcpy(b, "#!./interp ", 11);
    b[400] = '\n';
    b[401] = 0;
    put("long", b, 0755);
    try("long line", "./long");
    int fd = open("plain", O_RDONLY);
    fflush(stdout);
    pid_t p = fork();
    if (!p) {
        fexecve(fd, (char *[]){"f", "fexecve", 0}, (char *[]){"E=1", 0});
        _exit(1);
    }
    int st;
    waitpid(p, &st, 0);
    printf("fexecve: %x\n", st);
    return tl_end();
}
