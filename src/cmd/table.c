/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/client.h"

void client_table_init(struct client_table *t, uint32_t columns)
{
    *t = (struct client_table){ .columns = columns };
}

void client_table_add(struct client_table *t, const char *fmt, ...)
{
    char *cell = NULL;
    va_list ap;
    if (t->rows == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->cells = base_realloc(t->cells, t->cap * sizeof *t->cells);
    }
    va_start(ap, fmt);
    if (vasprintf(&cell, fmt, ap) < 0)
        cell = base_strdup("?");
    va_end(ap);
    t->cells[t->rows++] = cell;
}

void client_table_print(struct client_table *t)
{
    int width[CLIENT_COLUMNS_MAX] = { 0 };
    for (uint32_t i = 0; i < t->rows; i++)
        if ((int)strlen(t->cells[i]) > width[i % t->columns])
            width[i % t->columns] = (int)strlen(t->cells[i]);
    for (uint32_t i = 0; i < t->rows; i++) {
        bool last = (i + 1) % t->columns == 0;
        printf("%-*s%s", last ? 0 : width[i % t->columns], t->cells[i], last ? "\n" : "  ");
        free(t->cells[i]);
    }
    free(t->cells);
    *t = (struct client_table){ 0 };
}
