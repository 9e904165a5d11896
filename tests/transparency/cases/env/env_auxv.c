#include "tl.h"

extern char __ehdr_start, _start;

int
main(int c, char **v, char **e)
{
    char **p = e;
    while (*p)
        p++;
    Elf64_auxv_t *a = (void *)(p + 1);
    int seen[64] = {0};
    for (; a->a_type; a++)
        if (a->a_type < 64) {
            seen[a->a_type]++;
            if (a->a_type != AT_HWCAP)
                EQ(getauxval(a->a_type), a->a_un.a_val);
            else
                printf("hwcap %lx\n", a->a_un.a_val);
            if (a->a_type != AT_IGNORE)
                printf("%ld ", a->a_type);
        }
    puts("");
    Elf64_Ehdr *eh = (void *)&__ehdr_start;
    EQ(getauxval(AT_PHDR), (char *)eh + eh->e_phoff);
    EQ(getauxval(AT_PHNUM), eh->e_phnum);
    EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    EQ(getauxval(AT_ENTRY), &_start);
    EQ(getauxval(AT_PAGESZ), 4096);
    EQ(getauxval(AT_CLKTCK), 100);
    EQ(getauxval(AT_UID), getuid());
    EQ(getauxval(AT_SECURE), 0);
    printf("hwcap2 %lx flags %lx\n", getauxval(AT_HWCAP2), getauxval(AT_FLAGS));
    Elf64_Ehdr *b = (void *)getauxval(AT_BASE);
    EQ(memcmp(b, "\177ELF", 4), 0);
    struct link_map *lm;
    struct r_debug *rd = &_r_debug;
    int found = 0;
    for (lm = rd->r_map; lm; lm = lm->l_next)
        if (lm->l_addr == (uint64_t)b) {
            found = 1;
            puts(lm->l_name);
        }
    EQ(found, 1);
    for (lm = rd->r_map; lm; lm = lm->l_next) {
        char *s = strrchr(lm->l_name, '/');
        if (s)
            puts(s);
    }
    char *x = (char *)getauxval(AT_EXECFN), l[4096];
    int n = readlink("/proc/self/exe", l, 4095);
    l[n] = 0;
    EQ(strcmp(x, l), 0);
    EQ(strcmp((char *)getauxval(AT_PLATFORM), "x86_64"), 0);
    Elf64_Ehdr *vd = (void *)getauxval(AT_SYSINFO_EHDR);
    EQ(memcmp(vd, "\177ELF", 4), 0);
    char *r = (char *)getauxval(AT_RANDOM);
    int z = 0;
    for (int i = 0; i < 16; i++)
        z += !r[i];
    CHECK(z < 8);
    uint64_t can;
    asm("mov %%fs:0x28,%0" : "=r"(can));
    EQ(memcmp((char *)&can + 1, r + 1, 7), 0);
    CHECK(getauxval(AT_MINSIGSTKSZ) >= 2048);
    printf("minsigstksz %lu\n", getauxval(AT_MINSIGSTKSZ));
    static char buf[4096];
    int fd = open("/proc/self/auxv", O_RDONLY);
    n = read(fd, buf, 4096);
    EQ(memcmp(buf, p + 1, n < 320 ? n : 320), 0);
    return tl_end();
}
