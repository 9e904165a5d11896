/* Four mistakes for drmemory to find: docs/drmemory.md explains the report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct order {
    int number;
    int paid;
};

static char *
copy_name(const char *name)
{
    char *copy = malloc(strlen(name));

    strcpy(copy, name);             /* no room for the terminating zero */
    return copy;
}

static int
is_paid(const struct order *o)
{
    return o->paid ? 1 : 0;         /* never set */
}

int
main(void)
{
    struct order *o = malloc(sizeof *o);
    char *name = copy_name("drtools");

    o->number = 1;
    printf("order %d is %s\n", o->number, is_paid(o) ? "paid" : "open");
    free(o);
    printf("order %d\n", o->number); /* freed above */
    name = NULL;                    /* and so its memory is lost */
    return name != NULL;
}
