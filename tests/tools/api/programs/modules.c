/* Loads and unloads libraries, says what its dynamic linker knows, and has the tool `modules` say what it does. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
say(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    printf("present bias 0x%lx %s\n", (long)info->dlpi_addr, info->dlpi_name);
    return 0;
}

static void
ask(void *address)
{
    printf("asked %ld\n", syscall(1000, address));
    dl_iterate_phdr(say, NULL);
}

int
main(int argc, char **argv)
{
    ask((void *)main);
    for (int i = 1; i < argc; i++) {
        void *library = dlopen(argv[i], RTLD_NOW);
        if (!library) {
            puts(dlerror());
            return 1;
        }
        void *f = dlsym(library, "module_function"), *page = (void *)(((long)dlsym(library, "module_data") + 4096) & ~4095l);
        printf("function %p %d\n", f, ((int (*)(int))f)(21));
        ask(f);
        /* Its data go, and come anew from elsewhere: the module stays. */
        mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        ask(page);
        dlclose(library);
        ask(f);
    }
    return 0;
}
