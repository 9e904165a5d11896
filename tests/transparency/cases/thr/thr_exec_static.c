//! expect: exit 2
//! build: gcc -O1 -w -I$INC $SRC -o $OUT && echo '#include <stdio.h>' > $B/h.c && echo 'int main(int c,char**v,char**e){int n=0;while(e[n])n++;printf("static %d %s %d\n",c,v[c-1],n);return c;}' >> $B/h.c && gcc -static $B/h.c -o $B/hst && gcc -static-pie $B/h.c -o $B/hspie && gcc -no-pie $B/h.c -o $B/hnp && cp $B/hst $B/hstrip && strip -s $B/hstrip
#include "tl.h"

int
main(void)
{
    char *n[] = {"hst", "hspie", "hnp", "hstrip"};
    for (int i = 0; i < 4; i++) {
        char p[4096];
        sprintf(p, "%s/%s", getenv("B"), n[i]);
        fflush(stdout);
        pid_t c = fork();
        if (!c) {
            execve(p, (char *[]){p, "a", n[i], 0}, (char *[]){"E=1", 0});
            _exit(1);
        }
        int st;
        waitpid(c, &st, 0);
        EQ(st, 3 << 8);
    }
    fflush(stdout);
    char p[4096];
    sprintf(p, "%s/hst", getenv("B"));
    execl(p, "x", "last", (char *)0);
    return 1;
}
