/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The fleet file: YAML to struct config, by the schema table.
 *
 * Three passes. `limits_pass` looks at libyaml's events only, for libyaml builds a document of any size
 * and depth (200,000 nested lists take it ten seconds) and follows aliases, so that a few lines could
 * multiply. `table_walk` goes through the document with the table in hand and stores values, each list
 * in one piece. config_check() then asks what lies between the values. Each of the last two goes to the
 * end whatever it finds, so that the operator sees every error at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/assert.h"
#include "config/config.h"
#include "config/schema.h"

#define EVENTS_MAX 1000000 /* maps, lists and scalars of a file */

struct walk {
    struct config_reading *r;
    yaml_document_t *doc;
    char folder[1024]; /* of the fleet file, with the final '/'; empty for the working directory */
};

static struct err *error_mark(struct config_reading *r, const yaml_mark_t *mark)
{
    return config_error_at(r, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1);
}

/* libyaml tells the place of bytes that are no text by offset only. */
static void reader_error(struct config_reading *r, const yaml_parser_t *parser)
{
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < parser->problem_offset && i < r->source->len; i++) {
        bool end = r->source->yaml[i] == '\n';
        line += end;
        column = end ? 1 : column + 1;
    }
    err_set(config_error_at(r, line, column), ERR_INPUT, "save the file as UTF-8",
            "this is no text: %s", parser->problem ? parser->problem : "unreadable");
}

static void syntax_error(struct config_reading *r, const yaml_parser_t *parser)
{
    if (parser->error == YAML_READER_ERROR) {
        reader_error(r, parser);
        return;
    }
    const char *problem = parser->problem ? parser->problem : "unreadable";
    const char *hint = "look at the indentation and the quotes here and in the lines above";
    if (strstr(problem, "cannot start any token") != NULL)
        hint = "indent with spaces, never with tabs; quote what begins with % @ or `";
    else if (strstr(problem, "expected node content") != NULL)
        hint = "quote what begins with ':' or ends with it, such as \"::1\"";
    err_set(error_mark(r, &parser->problem_mark), ERR_INPUT, hint, "this is no YAML: %s%s%s",
            problem, parser->context ? " " : "", parser->context ? parser->context : "");
}

/* What an event breaks, in words; NULL when it is fine. */
static const char *event_refused(const yaml_event_t *ev, int depth, uint32_t events,
                                 uint32_t documents, const char **hint)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    *hint = "write it out";
    if (ev->type == YAML_ALIAS_EVENT)
        return "aliases (*name) are not used here";
    if (ev->type == YAML_SCALAR_EVENT)
        anchor = ev->data.scalar.anchor, tag = ev->data.scalar.tag;
    else if (ev->type == YAML_SEQUENCE_START_EVENT)
        anchor = ev->data.sequence_start.anchor, tag = ev->data.sequence_start.tag;
    else if (ev->type == YAML_MAPPING_START_EVENT)
        anchor = ev->data.mapping_start.anchor, tag = ev->data.mapping_start.tag;
    if (anchor != NULL)
        return "anchors (&name) are not used here";
    *hint = "leave it out; every value has the type of its key";
    if (tag != NULL)
        return "tags (!name) are not used here";
    *hint = "a fleet file needs four levels";
    if (depth > CONFIG_DEPTH_MAX)
        return "maps and lists are nested too deep";
    *hint = NULL;
    if (events > EVENTS_MAX)
        return "there is too much in this file";
    *hint = "one file is one document; take the '---' out";
    return documents > 1 ? "a second document begins here" : NULL;
}

static bool limits_pass(struct config_reading *r)
{
    yaml_parser_t parser;
    yaml_event_t ev;
    bool ok = true, end = false;
    int depth = 0;
    uint32_t events = 0, documents = 0;
    base_assert(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->source->yaml, r->source->len);
    while (ok && !end) {
        if (!yaml_parser_parse(&parser, &ev)) {
            syntax_error(r, &parser);
            ok = false;
            break;
        }
        events++;
        documents += ev.type == YAML_DOCUMENT_START_EVENT;
        depth += (ev.type == YAML_MAPPING_START_EVENT || ev.type == YAML_SEQUENCE_START_EVENT) -
                 (ev.type == YAML_MAPPING_END_EVENT || ev.type == YAML_SEQUENCE_END_EVENT);
        end = ev.type == YAML_STREAM_END_EVENT;
        const char *hint, *what = event_refused(&ev, depth, events, documents, &hint);
        if (what != NULL)
            ok = err_set(error_mark(r, &ev.start_mark), ERR_INPUT, hint, "%s", what);
        yaml_event_delete(&ev);
    }
    yaml_parser_delete(&parser);
    return ok;
}

static bool is_empty(const yaml_node_t *n)
{
    return n->type == YAML_SCALAR_NODE && n->data.scalar.length == 0 &&
           n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static const char *node_words(const yaml_node_t *n)
{
    return n->type == YAML_MAPPING_NODE    ? "a map"
           : n->type == YAML_SEQUENCE_NODE ? "a list"
                                           : "text";
}

static void table_walk(struct walk *w, const struct config_table *t, yaml_node_t *n, void *base);

/* One value, or one item of a list, into the zeroed memory at `out`. */
static void value_walk(struct walk *w, const struct config_key *key, yaml_node_t *n, void *out)
{
    char words[100];
    struct config_key item = *key;
    item.list = false;
    config_place_add(&w->r->places, out, (uint32_t)n->start_mark.line + 1,
                     (uint32_t)n->start_mark.column + 1);
    if (key->kind == CONFIG_KIND_TABLE) {
        table_walk(w, key->sub, n, out);
        return;
    }
    if (n->type != YAML_SCALAR_NODE) {
        err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, NULL, "'%s' wants %s, not %s",
                key->name, config_kind_text(&item, words, sizeof words), node_words(n));
        return;
    }
    const char *text = (const char *)n->data.scalar.value;
    struct err e = { 0 };
    if (is_empty(n))
        err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, "give it a value, or leave it out",
                "'%s' has no value", key->name);
    else if (strlen(text) != n->data.scalar.length)
        err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, NULL, "'%s' has a zero byte in it",
                key->name);
    else if (!config_value_parse(&item, w->folder, text, out, &e))
        err_set(error_mark(w->r, &n->start_mark), e.kind, e.hint, "%s", e.what);
}

static void list_walk(struct walk *w, const struct config_key *key, yaml_node_t *n, void *field)
{
    bool many = n->type == YAML_SEQUENCE_NODE;
    size_t size = config_kind_size(key);
    uint32_t count = many ? (uint32_t)(n->data.sequence.items.top - n->data.sequence.items.start)
                          : (is_empty(n) ? 0 : 1);
    if (count == 0 && key->required)
        err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, "give at least one", "'%s' is empty",
                key->name);
    if (key->most != 0 && count > key->most) {
        err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, NULL, "'%s' has %u items; at most %u",
                key->name, count, key->most);
        return;
    }
    if (count == 0)
        return;
    struct config_texts list = { base_calloc(count, size), count };
    memcpy(field, &list, sizeof list); /* all lists are { T *at; uint32_t count; } */
    for (uint32_t i = 0; i < count; i++)
        value_walk(w, key,
                   many ? yaml_document_get_node(w->doc, n->data.sequence.items.start[i]) : n,
                   (uint8_t *)list.at + i * size);
}

/* Families add up to one number instead of a list. */
static void families_walk(struct walk *w, const struct config_key *key, yaml_node_t *n,
                          uint32_t *field)
{
    bool many = n->type == YAML_SEQUENCE_NODE;
    uint32_t count =
        many ? (uint32_t)(n->data.sequence.items.top - n->data.sequence.items.start) : 1;
    config_place_add(&w->r->places, field, (uint32_t)n->start_mark.line + 1,
                     (uint32_t)n->start_mark.column + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t one = 0;
        value_walk(w, key,
                   many ? yaml_document_get_node(w->doc, n->data.sequence.items.start[i]) : n,
                   &one);
        *field |= one;
    }
}

static void field_walk(struct walk *w, const struct config_key *key, yaml_node_t *n, void *base)
{
    void *field = (uint8_t *)base + key->offset;
    if (key->has_offset != 0)
        *(bool *)((uint8_t *)base + key->has_offset) = true;
    if (key->kind == CONFIG_KIND_FAMILY) {
        families_walk(w, key, n, field);
    } else if (key->list) {
        config_place_add(&w->r->places, field, (uint32_t)n->start_mark.line + 1,
                         (uint32_t)n->start_mark.column + 1);
        list_walk(w, key, n, field);
    } else {
        value_walk(w, key, n, field);
    }
}

/* What was not given: its default, or an error when it must be there. */
static void absent_field(struct walk *w, const struct config_table *t, const struct config_key *key,
                         yaml_node_t *n, void *base)
{
    struct err e;
    if (key->required) {
        err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, NULL, "this %s lacks '%s'", t->name,
                key->name);
    } else if (key->def != NULL) {
        bool ok = config_value_parse(key, w->folder, key->def, (uint8_t *)base + key->offset, &e);
        base_assert(ok);
    } else if (key->kind == CONFIG_KIND_TABLE && !key->list) {
        for (uint32_t i = 0; i < key->sub->count; i++)
            absent_field(w, key->sub, &key->sub->keys[i], n, (uint8_t *)base + key->offset);
    }
}

static void unknown_key(struct walk *w, const struct config_table *t, const yaml_node_t *n)
{
    const char *text = (const char *)n->data.scalar.value, *names[64];
    const char *nearest = NULL;
    char hint[100] = "";
    for (uint32_t i = 0; i < t->count; i++) {
        names[i] = t->keys[i].name;
        if (strlen(text) >= 4 && strncmp(text, names[i], strlen(text)) == 0)
            nearest = names[i];
    }
    if (nearest == NULL)
        nearest = config_nearest(text, names, t->count);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest);
    err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, hint, "a %s has no key '%.60s'", t->name,
            text);
}

static void pair_walk(struct walk *w, const struct config_table *t, const yaml_node_pair_t *pair,
                      uint64_t *seen, void *base)
{
    yaml_node_t *k = yaml_document_get_node(w->doc, pair->key);
    yaml_node_t *v = yaml_document_get_node(w->doc, pair->value);
    if (k->type != YAML_SCALAR_NODE) {
        err_set(error_mark(w->r, &k->start_mark), ERR_INPUT, NULL, "a key is a word, not %s",
                node_words(k));
        return;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        if (strcmp(t->keys[i].name, (const char *)k->data.scalar.value) != 0)
            continue;
        if (*seen & UINT64_C(1) << i)
            err_set(error_mark(w->r, &k->start_mark), ERR_INPUT, "leave one of them out",
                    "'%s' is given twice", t->keys[i].name);
        else
            field_walk(w, &t->keys[i], v, base);
        *seen |= UINT64_C(1) << i;
        return;
    }
    unknown_key(w, t, k);
}

static void table_walk(struct walk *w, const struct config_table *t, yaml_node_t *n, void *base)
{
    uint64_t seen = 0;
    base_assert(t->count <= 64);
    if (n->type != YAML_MAPPING_NODE && !is_empty(n)) {
        err_set(error_mark(w->r, &n->start_mark), ERR_INPUT, NULL, "a %s is a map of keys, not %s",
                t->name, node_words(n));
        return;
    }
    if (n->type == YAML_MAPPING_NODE)
        for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
            pair_walk(w, t, p, &seen, base);
    for (uint32_t i = 0; i < t->count; i++)
        if ((seen & UINT64_C(1) << i) == 0)
            absent_field(w, t, &t->keys[i], n, base);
}

/* Whether there is a document at all. */
static bool document_walk(struct config_reading *r)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    struct walk w = { r, &doc, "" };
    const char *slash = strrchr(r->source->file, '/');
    if (slash != NULL && (size_t)(slash - r->source->file) + 2 <= sizeof w.folder)
        snprintf(w.folder, sizeof w.folder, "%.*s", (int)(slash - r->source->file) + 1,
                 r->source->file);
    base_assert(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->source->yaml, r->source->len);
    bool ok = yaml_parser_load(&parser, &doc) != 0;
    base_assert(ok); /* limits_pass has been through it */
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    if (root == NULL || is_empty(root))
        ok = err_set(config_error_at(r, 0, 0), ERR_INPUT,
                     "start from examples/perigee.yaml, or read docs/configuration.md",
                     "there is nothing in this file");
    else
        table_walk(&w, &config_table_root, root, r->c);
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    return ok;
}

static int error_compare(const void *a, const void *b)
{
    const struct err *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

struct config *config_parse(const struct config_source *source, struct config_errors *errors)
{
    struct config_reading r = { .c = base_calloc(1, sizeof *r.c),
                                .source = source,
                                .errors = errors };
    errors->count = 0;
    if (source->len > CONFIG_FILE_MAX)
        err_set(config_error_at(&r, 0, 0), ERR_LIMIT, NULL, "is larger than %u MiB",
                CONFIG_FILE_MAX >> 20);
    else if (limits_pass(&r) && document_walk(&r)) {
        config_derive(r.c);
        config_check(&r);
        if (!source->no_files) {
            config_check_files(&r);
            config_check_cookies(&r);
        }
    }
    free(r.places.at);
    if (errors->count == 0)
        return r.c;
    qsort(errors->at, errors->count < CONFIG_ERRORS_MAX ? errors->count : CONFIG_ERRORS_MAX,
          sizeof errors->at[0], error_compare);
    config_free(r.c);
    return NULL;
}
