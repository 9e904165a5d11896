/* CASE: bytes stored one by one into undefined memory, from several places of the code, in and outside of loops; then read one by one
 * EXPECT: CLEAN
 * BUILDS: O0 O1 O2
 */
#include "corpus.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static NI void fill_up(volatile char *p, int n, char v)
{
    for (int i = 0; i < n; i++)
        p[i] = v;
}
static NI void fill_down(volatile char *p, int n, char v)
{
    while (n--)
        p[n] = v;
}
static NI int sum(const volatile char *p, int n)
{
    int s = 0;
    for (int i = 0; i < n; i++)
        if (p[i] == 9)
            s++;
    return s;
}
int main(void)
{
    for (int n = 1; n < 40; n++) {
        char *p = malloc((size_t)n), b[40], text[64];
        HIDE(p);
        fill_up(p, n, 9);
        fill_down(b, n, 9);
        if (sum(p, n) != n || sum(b, n) != n)
            return 1;
        snprintf(text, sizeof text, "%p %x %d", (void *)p, n * 77777, n);
        if (strlen(text) < 5 || sum(text, (int)strlen(text)))
            return 2;
        free(p);
    }
    return 0;
}
