/* SPDX-License-Identifier: GPL-3.0-or-later */

/* docs/configuration.md, printed from the schema table. */
#include <ctype.h>
#include <stdio.h>

#include "config/config.h"
#include "config/schema.h"

static void print_key(const struct config_key *key, FILE *out)
{
    char words[120];
    fprintf(out, "| `%s` | ", key->name);
    if (key->kind == CONFIG_KIND_TABLE)
        fprintf(out, "%s[%s](#%s)", key->list ? "list of " : "", key->sub->name, key->sub->name);
    else if (key->list)
        fprintf(out, "list; %s",
                config_kind_text(key, words, sizeof words) + sizeof "a list, each item");
    else
        fputs(config_kind_text(key, words, sizeof words), out);
    if (key->required)
        fputs(" | **required** | ", out);
    else if (key->def != NULL)
        fprintf(out, " | `%s` | ", key->def);
    else
        fputs(" | | ", out);
    fprintf(out, "%s |\n", key->doc);
}

static void print_table(const struct config_table *t, FILE *out)
{
    if (t != &config_table_root)
        fprintf(out, "\n## %s\n\n%s\n", t->name, t->doc);
    else
        fputs("\n## The file\n", out);
    fputs("\n| key | value | default | what it says |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < t->count; i++)
        print_key(&t->keys[i], out);
    for (uint32_t i = 0; i < t->count; i++)
        if (t->keys[i].kind == CONFIG_KIND_TABLE)
            print_table(t->keys[i].sub, out);
}

void config_print_reference(FILE *out)
{
    fputs("# The fleet file, key by key\n\n"
          "Printed by `perigee check --reference` from the table that also parses; do not edit.\n\n"
          "One YAML file describes the whole fleet. Every node reads the same one and finds itself "
          "by "
          "its host name or by `--node`. [examples/perigee.yaml](../examples/perigee.yaml) is a "
          "whole "
          "one.\n\n"
          "- A time carries its unit: `200ms`, `3s`, `5m`, `1h`, `1d`.\n"
          "- A relative file name starts from the folder of the fleet file.\n"
          "- A secret is never in this file; it is in a file of its own that only its owner can "
          "read.\n"
          "- Where a list is wanted, a single value is a list of one.\n"
          "- Anchors, aliases, tags and several documents are refused: what you read is what is "
          "there.\n"
          "- Mistakes are all reported at once, with file, line, column and what to do: `perigee "
          "check "
          "-c FILE`.\n",
          out);
    print_table(&config_table_root, out);
}
