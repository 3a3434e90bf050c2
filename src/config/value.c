/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One value: text to struct, what it should have been in words, and its end. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/schema.h"

/* Milliseconds of each unit of time, the largest first. */
static const struct {
    const char *unit;
    uint32_t ms;
} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };

static const char *time_text(uint32_t ms, char buf[24])
{
    for (size_t i = 0; i < BASE_COUNT(units); i++) {
        if (ms == 0 && strcmp(units[i].unit, "s") != 0)
            continue;
        if (ms % units[i].ms == 0) {
            snprintf(buf, 24, "%u%s", ms / units[i].ms, units[i].unit);
            break;
        }
    }
    return buf;
}

size_t config_kind_size(const struct config_key *key)
{
    switch (key->kind) {
    case CONFIG_KIND_TEXT:
    case CONFIG_KIND_NAME:
    case CONFIG_KIND_FILE:
        return sizeof(char *);
    case CONFIG_KIND_NUMBER:
    case CONFIG_KIND_AS:
    case CONFIG_KIND_TIME_MS:
    case CONFIG_KIND_TIME_S:
    case CONFIG_KIND_COMMUNITY:
    case CONFIG_KIND_FAMILY:
        return sizeof(uint32_t);
    case CONFIG_KIND_BOOL:
    case CONFIG_KIND_LOG_LEVEL:
        return sizeof(bool);
    case CONFIG_KIND_ADDRESS:
        return sizeof(union addr);
    case CONFIG_KIND_PREFIX:
        return sizeof(struct prefix);
    case CONFIG_KIND_ORIGIN:
        return sizeof(struct dns_name);
    case CONFIG_KIND_LARGE_COMMUNITY:
        return sizeof(struct config_large_community);
    case CONFIG_KIND_TABLE:
        return key->sub->size;
    }
    return 0;
}

static const char *kind_words(const struct config_key *key, char *buf, size_t cap)
{
    char from[24], to[24];
    switch (key->kind) {
    case CONFIG_KIND_TEXT:
        snprintf(buf, cap, "a text of %u to %u characters", key->min, key->max);
        return buf;
    case CONFIG_KIND_NAME:
        return "a name (letters, digits, '-', '_', '.')";
    case CONFIG_KIND_FILE:
        return "a file name";
    case CONFIG_KIND_NUMBER:
        snprintf(buf, cap, "a number from %u to %u", key->min, key->max);
        return buf;
    case CONFIG_KIND_AS:
        return "an AS number from 1 to 4294967294";
    case CONFIG_KIND_TIME_MS:
        snprintf(buf, cap, "a time from %s to %s", time_text(key->min, from),
                 time_text(key->max, to));
        return buf;
    case CONFIG_KIND_TIME_S:
        snprintf(buf, cap, "a time from %us to %us", key->min, key->max);
        return buf;
    case CONFIG_KIND_BOOL:
        return "yes or no";
    case CONFIG_KIND_LOG_LEVEL:
        return "info or debug";
    case CONFIG_KIND_ADDRESS:
        return key->min == 4   ? "an IPv4 address"
               : key->min == 6 ? "an IPv6 address"
                               : "an IPv4 or IPv6 address";
    case CONFIG_KIND_PREFIX:
        return "a prefix such as 192.0.2.0/24 or 2001:db8::/48";
    case CONFIG_KIND_ORIGIN:
        return "the name of a zone";
    case CONFIG_KIND_COMMUNITY:
        return "a community such as 64500:100";
    case CONFIG_KIND_LARGE_COMMUNITY:
        return "a large community such as 64500:1:2";
    case CONFIG_KIND_FAMILY:
        return "ipv4 or ipv6";
    case CONFIG_KIND_TABLE:
        return "a map of keys";
    }
    return "";
}

const char *config_kind_text(const struct config_key *key, char *buf, size_t cap)
{
    char words[80];
    snprintf(buf, cap, "%s%s", key->list ? "a list, each item " : "",
             kind_words(key, words, sizeof words));
    return buf;
}

static bool refuse(const struct config_key *key, const char *text, const char *hint, struct err *e)
{
    char words[80];
    return err_set(e, ERR_INPUT, hint, "'%s' wants %s, not '%.60s'", key->name,
                   kind_words(key, words, sizeof words), text);
}

/* Decimal digits at *text, which moves behind them. */
static bool digits_parse(const char **text, uint64_t max, uint64_t *out)
{
    const char *p = *text;
    uint64_t v = 0;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (uint64_t)(*p - '0');
        if (v > max)
            return false;
    }
    *text = p;
    *out = v;
    return true;
}

static bool number_parse(const struct config_key *key, const char *text, uint32_t *out,
                         struct err *e)
{
    const char *p = text;
    uint64_t v;
    if (!digits_parse(&p, UINT32_MAX, &v) || *p != '\0' || v < key->min || v > key->max)
        return refuse(key, text, NULL, e);
    *out = (uint32_t)v;
    return true;
}

static bool as_parse(const struct config_key *key, const char *text, uint32_t *out, struct err *e)
{
    if (!number_parse(key, text, out, e))
        return false;
    if (*out == 23456)
        return err_set(e, ERR_INPUT, "write the real four-octet number",
                       "'%s' 23456 is AS_TRANS, which is nobody's (RFC 6793 section 9)", key->name);
    if (*out == 65535 || *out == UINT32_MAX)
        return err_set(e, ERR_INPUT, "for private use take 64512 to 65534 (RFC 6996)",
                       "'%s' %u is reserved (RFC 7300)", key->name, *out);
    return true;
}

static bool time_parse(const struct config_key *key, const char *text, uint32_t *out, struct err *e)
{
    bool seconds = key->kind == CONFIG_KIND_TIME_S;
    const char *p = text;
    uint64_t v;
    if (!digits_parse(&p, UINT32_MAX, &v))
        return refuse(key, text, "write it with a unit: 200ms, 3s, 5m, 1h", e);
    if (*p == '\0') {
        char hint[100];
        snprintf(hint, sizeof hint, "write the unit: %.10s%s", text,
                 seconds ? "s" : "ms, or s, m, h");
        return err_set(e, ERR_INPUT, hint, "'%s' %.20s has no unit", key->name, text);
    }
    for (size_t i = 0; i < BASE_COUNT(units); i++) {
        if (strcmp(p, units[i].unit) != 0)
            continue;
        uint64_t ms = v * units[i].ms;
        if (seconds && ms % 1000 != 0)
            return refuse(key, text, "whole seconds only", e);
        uint64_t value = seconds ? ms / 1000 : ms;
        if (value < key->min || value > key->max)
            return refuse(key, text, NULL, e);
        *out = (uint32_t)value;
        return true;
    }
    return refuse(key, text, "the units are ms, s, m, h and d", e);
}

/* One of `words`; its position, or -1. */
static int word_find(const char *text, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcasecmp(text, words[i]) == 0)
            return i;
    return -1;
}

static bool bool_parse(const struct config_key *key, const char *text, bool *out, struct err *e)
{
    static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };
    int i = word_find(text, words, BASE_COUNT(words));
    if (i < 0)
        return refuse(key, text, NULL, e);
    *out = (i & 1) != 0;
    return true;
}

static bool level_parse(const struct config_key *key, const char *text, bool *out, struct err *e)
{
    static const char *const words[] = { "info", "debug" };
    int i = word_find(text, words, BASE_COUNT(words));
    if (i < 0)
        return refuse(key, text, NULL, e);
    *out = i == 1;
    return true;
}

static bool name_parse(const struct config_key *key, const char *text, char **out, struct err *e)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(text);
    if (len == 0 || len > 63 || strspn(text, allowed) != len || text[0] == '.' || text[0] == '-')
        return refuse(key, text, "1 to 63 of these, the first no '-' or '.'", e);
    *out = base_strdup(text);
    return true;
}

static bool text_parse(const struct config_key *key, const char *text, char **out, struct err *e)
{
    size_t len = strlen(text);
    if (len < key->min || len > key->max)
        return refuse(key, text, NULL, e);
    *out = base_strdup(text);
    return true;
}

static bool file_parse(const struct config_key *key, const char *folder, const char *text,
                       char **out, struct err *e)
{
    uint32_t max = key->max ? key->max : 4000;
    size_t folder_len = text[0] == '/' ? 0 : strlen(folder), len = strlen(text);
    if (len == 0)
        return err_set(e, ERR_INPUT, NULL, "'%s' is empty", key->name);
    if (folder_len + len > max)
        return err_set(e, ERR_INPUT, NULL, "'%s' is longer than %u characters", key->name, max);
    char *path = base_alloc(folder_len + len + 1);
    memcpy(path, folder, folder_len);
    memcpy(path + folder_len, text, len + 1);
    *out = path;
    return true;
}

/* addr_parse() knows ports and interfaces too; neither belongs here. */
static bool bare_address_parse(const char *text, union addr *out)
{
    return strpbrk(text, "@%") == NULL && addr_parse(out, text, 0);
}

static bool address_parse(const struct config_key *key, const char *text, union addr *out,
                          struct err *e)
{
    union addr a;
    if (!bare_address_parse(text, &a))
        return refuse(key, text,
                      strpbrk(text, "@%/") != NULL ? "the address alone, nothing behind it" : NULL,
                      e);
    if ((key->min == 4 && a.sa.sa_family != AF_INET) ||
        (key->min == 6 && a.sa.sa_family != AF_INET6))
        return refuse(key, text, NULL, e);
    *out = a;
    return true;
}

static bool prefix_value_parse(const struct config_key *key, const char *text, struct prefix *out,
                               struct err *e)
{
    char host[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t host_len = slash ? (size_t)(slash - text) : strlen(text);
    union addr a;
    if (host_len >= sizeof host)
        return refuse(key, text, NULL, e);
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    if (!bare_address_parse(host, &a))
        return refuse(key, text, NULL, e);
    uint64_t max = a.sa.sa_family == AF_INET ? 32 : 128, len;
    const char *tail = slash ? slash + 1 : "";
    if (!digits_parse(&tail, max, &len) || *tail != '\0')
        return refuse(key, text, slash ? NULL : "write its length: ADDRESS/LENGTH", e);
    if (len == 0)
        return err_set(e, ERR_INPUT, "announce only what is yours",
                       "'%s' %s is the whole address space", key->name, text);
    struct prefix right = prefix_of(&a, (uint8_t)len), given;
    if (!prefix_parse(&given, text)) {
        char words[PREFIX_TEXT_MAX], hint[100];
        snprintf(hint, sizeof hint, "did you mean %s?", prefix_text(&right, words));
        return err_set(e, ERR_INPUT, hint, "'%s' %s has bits set behind its length", key->name,
                       text);
    }
    *out = given;
    return true;
}

static bool origin_parse(const struct config_key *key, const char *text, struct dns_name *out,
                         struct err *e)
{
    if (text[0] == '\0' || !dns_name_from_text(out, text))
        return refuse(key, text, "labels of at most 63 characters, 255 in all (RFC 1035)", e);
    return true;
}

/* `count` decimal numbers of at most `max` with ':' between. */
static bool colons_parse(const char *text, uint64_t max, uint64_t *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!digits_parse(&text, max, &out[i]) || *text != (i + 1 < count ? ':' : '\0'))
            return false;
        text++;
    }
    return true;
}

static bool community_parse(const struct config_key *key, const char *text, uint32_t *out,
                            struct err *e)
{
    static const char *const words[] = { "no-export", "no-advertise", "blackhole" };
    static const uint32_t values[] = { 0xffffff01, 0xffffff02, 0xffff029a };
    uint64_t part[2];
    int i = word_find(text, words, BASE_COUNT(words));
    if (i >= 0) {
        *out = values[i];
        return true;
    }
    if (!colons_parse(text, 65535, part, 2))
        return refuse(key, text,
                      "both halves are 0 to 65535; larger ones go into large_communities", e);
    *out = (uint32_t)(part[0] << 16 | part[1]);
    return true;
}

static bool large_parse(const struct config_key *key, const char *text,
                        struct config_large_community *out, struct err *e)
{
    uint64_t part[3];
    if (!colons_parse(text, UINT32_MAX, part, 3))
        return refuse(key, text, NULL, e);
    *out =
        (struct config_large_community){ (uint32_t)part[0], (uint32_t)part[1], (uint32_t)part[2] };
    return true;
}

static bool family_parse(const struct config_key *key, const char *text, uint32_t *out,
                         struct err *e)
{
    static const char *const words[] = { "ipv4", "ipv6" };
    int i = word_find(text, words, BASE_COUNT(words));
    if (i < 0)
        return refuse(key, text, NULL, e);
    *out = i == 0 ? CONFIG_FAMILY_IPV4 : CONFIG_FAMILY_IPV6;
    return true;
}

bool config_value_parse(const struct config_key *key, const char *folder, const char *text,
                        void *out, struct err *e)
{
    switch (key->kind) {
    case CONFIG_KIND_TEXT:
        return text_parse(key, text, out, e);
    case CONFIG_KIND_NAME:
        return name_parse(key, text, out, e);
    case CONFIG_KIND_FILE:
        return file_parse(key, folder, text, out, e);
    case CONFIG_KIND_NUMBER:
        return number_parse(key, text, out, e);
    case CONFIG_KIND_AS:
        return as_parse(key, text, out, e);
    case CONFIG_KIND_TIME_MS:
    case CONFIG_KIND_TIME_S:
        return time_parse(key, text, out, e);
    case CONFIG_KIND_BOOL:
        return bool_parse(key, text, out, e);
    case CONFIG_KIND_LOG_LEVEL:
        return level_parse(key, text, out, e);
    case CONFIG_KIND_ADDRESS:
        return address_parse(key, text, out, e);
    case CONFIG_KIND_PREFIX:
        return prefix_value_parse(key, text, out, e);
    case CONFIG_KIND_ORIGIN:
        return origin_parse(key, text, out, e);
    case CONFIG_KIND_COMMUNITY:
        return community_parse(key, text, out, e);
    case CONFIG_KIND_LARGE_COMMUNITY:
        return large_parse(key, text, out, e);
    case CONFIG_KIND_FAMILY:
        return family_parse(key, text, out, e);
    case CONFIG_KIND_TABLE:
        break;
    }
    return refuse(key, text, NULL, e);
}
