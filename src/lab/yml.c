/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/yml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool add(struct yml *y, uint32_t line, uint32_t column, const char *hint, const char *what)
{
    if (y->errors < YML_ERRORS_MAX) {
        struct err *e = &y->at[y->errors];
        *e = (struct err){ .file = y->file, .line = line, .column = column };
        err_set(e, ERR_INPUT, hint, "%s", what);
    }
    y->errors++;
    return false;
}

bool yml_error(struct yml *y, yml_node n, const char *hint, const char *fmt, ...)
{
    char what[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    uint32_t line = n ? (uint32_t)n->start_mark.line + 1 : 0;
    uint32_t column = n ? (uint32_t)n->start_mark.column + 1 : 0;
    return add(y, line, column, hint, what);
}

/* Nesting, anchors and size are looked at event by event, before libyaml builds anything: deep nesting
 * takes it quadratic time, and aliases could multiply. */
static bool check_events(struct yml *y, const char *text, size_t len)
{
    yaml_parser_t p;
    if (!yaml_parser_initialize(&p))
        return add(y, 0, 0, NULL, "no memory for the YAML parser");
    yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
    int depth = 0;
    bool ok = true, end = false;
    while (ok && !end) {
        yaml_event_t ev;
        if (!yaml_parser_parse(&p, &ev)) {
            ok = add(y, (uint32_t)p.problem_mark.line + 1, (uint32_t)p.problem_mark.column + 1,
                     "this is where the YAML stops making sense",
                     p.problem ? p.problem : "not YAML");
            break;
        }
        uint32_t line = (uint32_t)ev.start_mark.line + 1, col = (uint32_t)ev.start_mark.column + 1;
        if (ev.type == YAML_SEQUENCE_START_EVENT || ev.type == YAML_MAPPING_START_EVENT)
            depth++;
        if (ev.type == YAML_SEQUENCE_END_EVENT || ev.type == YAML_MAPPING_END_EVENT)
            depth--;
        if (depth > YML_DEPTH_MAX)
            ok = add(y, line, col, NULL, "nested too deeply");
        if (ev.type == YAML_ALIAS_EVENT)
            ok = add(y, line, col, "write the value again", "aliases are not taken");
        end = ev.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&ev);
    }
    yaml_parser_delete(&p);
    return ok;
}

yml_node yml_read(struct yml *y, const char *name, const char *text, size_t len)
{
    memset(y, 0, sizeof *y);
    y->file = name;
    if (!check_events(y, text, len))
        return NULL;
    yaml_parser_t p;
    if (!yaml_parser_initialize(&p)) {
        add(y, 0, 0, NULL, "no memory for the YAML parser");
        return NULL;
    }
    yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
    y->loaded = yaml_parser_load(&p, &y->doc) != 0;
    if (!y->loaded)
        add(y, (uint32_t)p.problem_mark.line + 1, (uint32_t)p.problem_mark.column + 1, NULL,
            p.problem ? p.problem : "not YAML");
    yaml_parser_delete(&p);
    yml_node root = y->loaded ? yaml_document_get_root_node(&y->doc) : NULL;
    if (y->loaded && (root == NULL || root->type != YAML_MAPPING_NODE)) {
        yml_error(y, root, "start with 'key: value' lines", "the file is not a map");
        root = NULL;
    }
    return root;
}

yml_node yml_read_file(struct yml *y, const char *path)
{
    memset(y, 0, sizeof *y);
    y->file = path;
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        yml_error(y, NULL, NULL, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    char *text = base_alloc(YML_FILE_MAX + 1);
    size_t len = fread(text, 1, YML_FILE_MAX + 1, f);
    bool bad = ferror(f) != 0;
    fclose(f);
    yml_node root = NULL;
    if (bad)
        yml_error(y, NULL, NULL, "cannot be read");
    else if (len > YML_FILE_MAX)
        yml_error(y, NULL, NULL, "larger than 1 MiB");
    else
        root = yml_read(y, path, text, len);
    free(text);
    return root;
}

void yml_fini(struct yml *y)
{
    if (y->loaded)
        yaml_document_delete(&y->doc);
    y->loaded = false;
}

void yml_print(const struct yml *y, FILE *out)
{
    char line[600];
    for (uint32_t i = 0; i < y->errors && i < YML_ERRORS_MAX; i++)
        fprintf(out, "%s\n", err_text(&y->at[i], line, sizeof line));
    if (y->errors > YML_ERRORS_MAX)
        fprintf(out, "%s: and %u more errors\n", y->file, y->errors - YML_ERRORS_MAX);
}

static yml_node node_at(struct yml *y, int id)
{
    return yaml_document_get_node(&y->doc, id);
}

static const char *scalar(yml_node n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

/* How many letters differ, roughly: enough to tell `dealy` from `rate`. */
static unsigned distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    unsigned row[32];
    if (la > 31 || lb > 31)
        return 99;
    for (size_t j = 0; j <= lb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

static void unknown_key(struct yml *y, yml_node key, const char *const *allowed)
{
    const char *nearest = NULL;
    unsigned least = 3;
    char hint[160] = "known here:";
    for (const char *const *a = allowed; *a != NULL; a++) {
        unsigned d = distance(scalar(key), *a);
        if (d < least) {
            least = d;
            nearest = *a;
        }
        size_t used = strlen(hint);
        snprintf(hint + used, sizeof hint - used, " %s", *a);
    }
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest);
    yml_error(y, key, hint, "unknown key '%.60s'", scalar(key));
}

void yml_keys(struct yml *y, yml_node map, const char *const *allowed)
{
    if (map == NULL)
        return;
    if (map->type != YAML_MAPPING_NODE) {
        yml_error(y, map, "write 'key: value' lines", "a map is needed here");
        return;
    }
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        yml_node key = node_at(y, p->key);
        if (scalar(key) == NULL) {
            yml_error(y, key, NULL, "a key must be a word");
            continue;
        }
        bool known = false;
        for (const char *const *a = allowed; *a != NULL; a++)
            known = known || strcmp(*a, scalar(key)) == 0;
        if (!known)
            unknown_key(y, key, allowed);
        for (yaml_node_pair_t *q = map->data.mapping.pairs.start; q < p; q++) {
            const char *before = scalar(node_at(y, q->key));
            if (before && strcmp(before, scalar(key)) == 0)
                yml_error(y, key, "keep one of them", "'%.60s' is given twice", before);
        }
    }
}

yml_node yml_get(struct yml *y, yml_node map, const char *key)
{
    if (map == NULL || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const char *k = scalar(node_at(y, p->key));
        if (k && strcmp(k, key) == 0)
            return node_at(y, p->value);
    }
    return NULL;
}

yml_node yml_need(struct yml *y, yml_node map, const char *key)
{
    yml_node n = yml_get(y, map, key);
    if (n == NULL && map != NULL && map->type == YAML_MAPPING_NODE)
        yml_error(y, map, NULL, "'%s' is missing", key);
    return n;
}

uint32_t yml_count(struct yml *y, yml_node list)
{
    if (list == NULL)
        return 0;
    if (list->type != YAML_SEQUENCE_NODE) {
        yml_error(y, list, "write a list: '- …' lines, or [a, b]", "a list is needed here");
        return 0;
    }
    return (uint32_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

yml_node yml_at(struct yml *y, yml_node list, uint32_t idx)
{
    if (list == NULL || list->type != YAML_SEQUENCE_NODE)
        return NULL;
    return node_at(y, list->data.sequence.items.start[idx]);
}

const char *yml_text(struct yml *y, yml_node n)
{
    if (n != NULL && scalar(n) == NULL)
        yml_error(y, n, NULL, "one value is needed here");
    return scalar(n);
}

/* Reads digits and splits off the unit; false when there is no number of at most 12 digits. */
static bool number(const char *t, uint64_t *v, const char **unit)
{
    *v = 0;
    int digits = 0;
    for (; *t >= '0' && *t <= '9'; t++, digits++) {
        if (digits == 12)
            return false;
        *v = *v * 10 + (uint64_t)(*t - '0');
    }
    *unit = t;
    return digits > 0;
}

uint32_t yml_u32(struct yml *y, yml_node n, uint32_t min, uint32_t max, uint32_t absent)
{
    const char *t = yml_text(y, n), *unit;
    uint64_t v;
    if (t == NULL)
        return absent;
    if (!number(t, &v, &unit) || *unit != '\0' || v < min || v > max) {
        yml_error(y, n, NULL, "a number from %u to %u is needed, not '%.40s'", min, max, t);
        return absent;
    }
    return (uint32_t)v;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static uint64_t with_unit(struct yml *y, yml_node n, uint64_t absent, const struct unit *units,
                          const char *hint)
{
    const char *t = yml_text(y, n), *unit;
    uint64_t v;
    if (t == NULL)
        return absent;
    if (number(t, &v, &unit))
        for (const struct unit *u = units; u->name != NULL; u++)
            if (strcmp(u->name, unit) == 0 && v <= UINT64_MAX / 1000 / u->factor)
                return v * u->factor;
    yml_error(y, n, hint, "'%.40s' is not a number with a unit", t);
    return absent;
}

uint64_t yml_time_us(struct yml *y, yml_node n, uint64_t absent)
{
    static const struct unit units[] = {
        { "us", 1 }, { "ms", 1000 }, { "s", 1000000 }, { "m", 60000000 }, { NULL, 0 },
    };
    return with_unit(y, n, absent, units, "write it as 500us, 40ms, 2s or 1m");
}

uint64_t yml_rate(struct yml *y, yml_node n, uint64_t absent)
{
    static const struct unit units[] = {
        { "kbit", 1000 },
        { "mbit", 1000000 },
        { "gbit", 1000000000 },
        { NULL, 0 },
    };
    return with_unit(y, n, absent, units, "write it as 500kbit, 4mbit or 1gbit");
}

bool yml_bool(struct yml *y, yml_node n, bool absent)
{
    const char *t = yml_text(y, n);
    if (t == NULL)
        return absent;
    if (strcmp(t, "yes") == 0 || strcmp(t, "true") == 0)
        return true;
    if (strcmp(t, "no") == 0 || strcmp(t, "false") == 0)
        return false;
    yml_error(y, n, NULL, "yes or no is needed, not '%.40s'", t);
    return absent;
}
