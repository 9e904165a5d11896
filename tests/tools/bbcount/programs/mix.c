/* Ordinary compiled code without a library: sorting, divisions, recursion, a switch, calls through pointers.
 * No rep-prefixed instruction, of which Valgrind counts every turn and bbcount one. */
/* SPDX-License-Identifier: BSD-3-Clause */
static unsigned seed = 1;
static unsigned random_number(void) { return seed = seed * 1103515245 + 12345; }

static void
sort(unsigned *v, int n)
{
    if (n < 2)
        return;
    unsigned pivot = v[n / 2];
    int i = 0, j = n - 1;
    while (i <= j) {
        while (v[i] < pivot)
            i++;
        while (v[j] > pivot)
            j--;
        if (i <= j) {
            unsigned t = v[i];
            v[i++] = v[j];
            v[j--] = t;
        }
    }
    sort(v, j + 1);
    sort(v + i, n - i);
}

static unsigned add(unsigned a, unsigned b) { return a + b; }
static unsigned mix(unsigned a, unsigned b) { return a * 31 ^ b; }
static unsigned divide(unsigned a, unsigned b) { return a / (b | 1); }
static unsigned (*const volatile operation[])(unsigned, unsigned) = {add, mix, divide};

static unsigned numbers[20000];

void
_start(void)
{
    unsigned sum = 0;

    for (int i = 0; i < 20000; i++)
        numbers[i] = random_number();
    sort(numbers, 20000);
    for (int i = 0; i < 20000; i++) {
        sum = operation[i % 3](sum, numbers[i]);
        switch (sum % 7) {
        case 0: sum ^= 5; break;
        case 1: sum += numbers[sum % 20000]; break;
        case 3: sum -= 3; break;
        case 4: sum = mix(sum, 9); break;
        case 6: sum >>= 1; break;
        default: sum++;
        }
    }
    /* The last block is five instructions, wherever the compiler has put the rest. */
    __asm__ volatile("jmp 1f\n1: mov $231, %%eax\n mov $9, %%edi\n nop\n nop\n syscall" : : "a"(sum) : "memory");
    __builtin_unreachable();
}
