#include "tl.h"

/* /proc/self/maps tells the truth about what the program mapped */
static int
look(void *p, char *perm, char *name, uint64_t *lo, uint64_t *hi)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char l[5000];
    int ok = 0;
    while (fgets(l, sizeof l, f)) {
        uint64_t a, b;
        char pe[8], nm[4096] = "";
        sscanf(l, "%lx-%lx %7s %*s %*s %*s %4095s", &a, &b, pe, nm);
        if ((uint64_t)p >= a && (uint64_t)p < b) {
            *lo = a;
            *hi = b;
            strcpy(perm, pe);
            strcpy(name, nm);
            ok = 1;
        }
    }
    fclose(f);
    return ok;
}

static int gv = 3;
static const char ro[] = "ro";

int
main(int c, char **v)
{
    char pe[8], nm[4096];
    uint64_t lo, hi;
    CHECK(look(main, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "r-xp"), 0);
    EQ(strcmp(nm, v[0]), 0);
    CHECK(look(&gv, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "rw-p"), 0);
    EQ(strcmp(nm, v[0]), 0);
    CHECK(look((void *)ro, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "r--p"), 0);
    CHECK(look(&pe, pe, nm, &lo, &hi));
    printf("%s %s\n", pe, nm);
    char *h = malloc(100);
    CHECK(look(h, pe, nm, &lo, &hi));
    printf("%s %s\n", pe, nm);
    CHECK(look((void *)getauxval(AT_SYSINFO_EHDR), pe, nm, &lo, &hi));
    printf("%s %s\n", pe, nm);
    CHECK(look(printf, pe, nm, &lo, &hi));
    printf("%s %s\n", pe, strrchr(nm, '/'));
    char *p = mmap(0, 16 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(look(p, pe, nm, &lo, &hi));
    mprotect(p + 4096, 4096, PROT_NONE);
    mprotect(p + 8192, 4096, PROT_READ | PROT_EXEC);
    mprotect(p + 3 * 4096, 4096, 7);
    munmap(p + 5 * 4096, 4096);
    CHECK(look(p + 4096, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "---p"), 0);
    EQ(lo, p + 4096);
    EQ(hi, p + 8192);
    CHECK(look(p + 8192, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "r-xp"), 0);
    CHECK(look(p + 3 * 4096, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "rwxp"), 0);
    CHECK(!look(p + 5 * 4096, pe, nm, &lo, &hi));
    ((unsigned char *)p)[3 * 4096] = 0xc3;
    ((void (*)(void))(p + 3 * 4096))();
    CHECK(look(p + 3 * 4096, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "rwxp"), 0);
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 8192);
    char *q = mmap(0, 8192, 1, MAP_SHARED, fd, 0);
    CHECK(look(q, pe, nm, &lo, &hi));
    EQ(strcmp(pe, "r--s"), 0);
    EQ(strcmp(strrchr(nm, '/'), "/f"), 0);
    return tl_end();
}
