//! build: cd $B; F="-O1 -w -I$INC $SRC"; gcc $F -no-pie -o v_nopie; gcc $F -static -o v_static; gcc $F -static-pie -o v_staticpie; gcc $F -pie -Wl,-z,now -o v_now; gcc $F -no-pie -Wl,-z,noseparate-code -o v_nosep; gcc $F -pie -Wl,-z,norelro -Wl,--hash-style=sysv -o v_sysv; gcc $F -pie -Wl,-z,max-page-size=0x200000 -o v_2m; gcc $F -pie -s -o v_strip; gcc $F -o $OUT
//! run: for v in $OUT $B/v_nopie $B/v_static $B/v_staticpie $B/v_now $B/v_nosep $B/v_sysv $B/v_2m $B/v_strip; do $CMD $v a; echo $?; done
#include "tl.h"

/* one program linked in nine ways */
static int zero[5000], one[10] = {1, 2, 3};
static const char text[] = "constant";

static int
cmp(const void *a, const void *b)
{
    return *(int *)b - *(int *)a;
}

static void *
thread(void *a)
{
    static __thread int t = 5;
    return (void *)(long)(t += *(int *)a);
}

int
main(int c, char **v)
{
    int n = 10;
    pthread_t t;
    void *r;
    qsort(one, 10, 4, cmp);
    pthread_create(&t, 0, thread, &n);
    pthread_join(t, &r);
    for (int i = 0; i < 5000; i++)
        zero[i] += i;
    char *name = strrchr(v[0], '/') + 1, l[4096];
    l[readlink("/proc/self/exe", l, sizeof l - 1)] = 0;
    printf("%s: %d %d %ld %s phnum>2 %d exe %d base %d\n", name, one[0], zero[4999], (long)r, text,
           getauxval(AT_PHNUM) > 2, !strcmp(l, v[0]), getauxval(AT_BASE) != 0);
    fflush(stdout);
    return c;
}
