/* A library to be loaded and unloaded. */
/* SPDX-License-Identifier: BSD-3-Clause */
int module_data[5000];

int
module_function(int x)
{
    return x * 2 + module_data[x];
}
