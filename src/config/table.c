/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What works on any table: freeing, the nearest name, places, errors in the order of the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/schema.h"

static bool owns_text(enum config_kind kind)
{
    return kind == CONFIG_KIND_TEXT || kind == CONFIG_KIND_NAME || kind == CONFIG_KIND_FILE;
}

static void value_free(const struct config_key *key, void *at)
{
    if (key->kind == CONFIG_KIND_TABLE) {
        config_table_free(key->sub, at);
    } else if (owns_text(key->kind)) {
        char *text;
        memcpy(&text, at, sizeof text);
        free(text);
    }
}

void config_value_free(const struct config_key *key, void *field)
{
    if (!key->list || key->kind == CONFIG_KIND_FAMILY) {
        value_free(key, field);
        return;
    }
    /* Every list is { T *at; uint32_t count; }; only the pointer's type differs. */
    struct config_texts list;
    memcpy(&list, field, sizeof list);
    uint8_t *items = (uint8_t *)list.at;
    for (uint32_t i = 0; i < list.count; i++)
        value_free(key, items + i * config_kind_size(key));
    free(items);
}

void config_table_free(const struct config_table *table, void *base)
{
    for (uint32_t i = 0; i < table->count; i++)
        config_value_free(&table->keys[i], (uint8_t *)base + table->keys[i].offset);
}

#define NEAREST_LEN_MAX 40

/* The number of letters to insert, leave out or change (Levenshtein); '-' and '_' are the same. */
static uint32_t distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    uint32_t row[NEAREST_LEN_MAX + 1];
    if (a_len > NEAREST_LEN_MAX || b_len > NEAREST_LEN_MAX)
        return UINT32_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (uint32_t)j;
    for (size_t i = 1; i <= a_len; i++) {
        uint32_t diagonal = row[0];
        char ca = a[i - 1] == '-' ? '_' : a[i - 1];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= b_len; j++) {
            char cb = b[j - 1] == '-' ? '_' : b[j - 1];
            uint32_t best = diagonal + (ca != cb);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_len];
}

const char *config_nearest(const char *text, const char *const *candidates, uint32_t count)
{
    const char *nearest = NULL;
    uint32_t limit = strlen(text) < 3 ? 2 : strlen(text) < 8 ? 3 : 4; /* exclusive */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t d = distance(text, candidates[i]);
        if (d < limit) {
            limit = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}

void config_place_add(struct config_places *p, const void *field, uint32_t line, uint32_t column)
{
    if (p->count == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->at = base_realloc(p->at, p->cap * sizeof *p->at);
    }
    p->at[p->count++] = (struct config_place){ field, line, column };
}

const struct config_place *config_place_find(const struct config_places *p, const void *field)
{
    /* A table begins where its first field does: the field's own place was added later. */
    for (uint32_t i = p->count; i > 0; i--)
        if (p->at[i - 1].field == field)
            return &p->at[i - 1];
    return NULL;
}

struct err *config_error_at(struct config_reading *r, uint32_t line, uint32_t column)
{
    struct config_errors *errors = r->errors;
    /* One too many overwrites the last: what counts is that it is counted. */
    struct err *e =
        &errors->at[errors->count < CONFIG_ERRORS_MAX ? errors->count : CONFIG_ERRORS_MAX - 1];
    errors->count++;
    *e = (struct err){ .file = r->source->file, .line = line, .column = column };
    return e;
}

struct err *config_error_of(struct config_reading *r, const void *field, const void *or_field)
{
    const struct config_place *p = config_place_find(&r->places, field);
    if (p == NULL && or_field != NULL)
        p = config_place_find(&r->places, or_field);
    return config_error_at(r, p ? p->line : 0, p ? p->column : 0);
}

void config_errors_print(const struct config_errors *errors, FILE *out)
{
    char line[900];
    uint32_t kept = errors->count < CONFIG_ERRORS_MAX ? errors->count : CONFIG_ERRORS_MAX;
    for (uint32_t i = 0; i < kept; i++)
        fprintf(out, "%s\n", err_text(&errors->at[i], line, sizeof line));
    if (errors->count > kept)
        fprintf(out, "and %u more\n", errors->count - kept);
}
