/* CASE: string functions at the very ends of blocks, on undefined bytes that do not decide, by pointer, with locales
 * EXPECT: CLEAN
 * BUILDS: O0 O2 clang2 static stripped
 * CFLAGS: -fno-builtin -D_GNU_SOURCE
 */
#include "corpus.h"
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
int main(void)
{
    int (*volatile by_pointer)(const char *, const char *) = strcasecmp;
    setlocale(LC_ALL, "");
    for (size_t n = 1; n < 140; n += 3) {
        char *p = malloc(n + 1), *q = malloc(n + 1), *r = malloc(2 * n + 1);
        HIDE(p);
        HIDE(q);
        memset(p, 'a', n);
        p[n] = 0;
        memcpy(q, p, n + 1);
        strcpy(r, p);
        strcat(r, q);
        if (strlen(r) != 2 * n || strcmp(p, q) || memcmp(p, q, n + 1) || strncmp(r, q, n) || by_pointer(p, q))
            return 1;
        if (strchr(r, 'b') || strrchr(r, 'a') != r + 2 * n - 1 || strstr(r, q) != r || strspn(r, "a") != 2 * n || strpbrk(r, "xyz"))
            return 2;
        char *u = malloc(n + 40);        /* undefined behind the terminator */
        HIDE(u);
        memcpy(u, p, n + 1);
        if (strlen(u) != n || strcmp(u, p) || memchr(u, 0, n + 40) != u + n)
            return 3;
        memmove(u + 1, u, n + 39);       /* and moved about */
        memset(u + n + 2, 0, 38);
        if (strnlen(u + 1, n + 39) != n)
            return 4;
        char *d = strdup(u + 1), *e = strndup(u + 1, n / 2);
        if (strlen(d) != n || strlen(e) != n / 2)
            return 5;
        free(d), free(e), free(p), free(q), free(r), free(u);
    }
    wchar_t *w = malloc(5 * sizeof *w);
    HIDE(w);
    wcscpy(w, L"word");
    if (wcslen(w) != 4 || wcscmp(w, L"word") || wmemchr(w, L'd', 4) != w + 3)
        return 6;
    free(w);
    return 0;
}
