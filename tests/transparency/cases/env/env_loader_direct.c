//! build: echo 'int answer(void){return 41;}' > $B/a.c; echo 'int answer(void){return 42;} __attribute__((constructor)) static void c(void){extern int puts(const char*);puts("preloaded");}' > $B/p.c; gcc -shared -fPIC $B/a.c -o $B/libanswer.so; gcc -shared -fPIC $B/p.c -o $B/pre.so; gcc -O1 -w -I$INC $SRC -o $OUT -L$B -lanswer -Wl,-rpath,$B; cp $B/pre.so $B/other.so; mkdir -p $B/alt; gcc -shared -fPIC -DX $B/a.c -o $B/alt/libanswer.so
//! run: $CMD $OUT; $CMD /lib64/ld-linux-x86-64.so.2 $OUT; $CMD /lib64/ld-linux-x86-64.so.2 --argv0 name $OUT x; $CMD env LD_PRELOAD=$B/pre.so $OUT; LD_BIND_NOW=1 $CMD $OUT; LD_LIBRARY_PATH=$B/alt $CMD $OUT; $CMD /lib64/ld-linux-x86-64.so.2 --list $OUT | grep -c '=>'; $CMD env LD_TRACE_LOADED_OBJECTS=1 $OUT | grep -c libanswer
#include "tl.h"

/* started through its loader by name, with preloaded and replaced libraries, and listed instead of run */
int answer(void);

int
main(int c, char **v)
{
    Elf64_Ehdr *eh = (void *)getauxval(AT_BASE);
    char *n = strrchr(v[0], '/');
    printf("answer %d argv0 %s argc %d base %d entry %d\n", answer(), n ? n + 1 : v[0], c, eh != 0,
           getauxval(AT_ENTRY) != 0);
    char l[4096];
    int k = readlink("/proc/self/exe", l, sizeof l - 1);
    l[k] = 0;
    printf("exe %s\n", strrchr(l, '/'));
    printf("%s\n", strrchr((char *)getauxval(AT_EXECFN), '/'));
    return tl_end();
}
