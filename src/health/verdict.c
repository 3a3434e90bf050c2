/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "health/verdict.h"

#include "base/assert.h"

#define ROW_NAME(id, name, words) name,
#define ROW_WORDS(id, name, words) words,
static const char *const why_names[] = { VERDICT_WHYS(ROW_NAME) };
static const char *const why_words[] = { VERDICT_WHYS(ROW_WORDS) };

const char *verdict_why_name(enum verdict_why why)
{
    base_assert(why < VERDICT_WHY_COUNT);
    return why_names[why];
}

const char *verdict_why_words(enum verdict_why why)
{
    base_assert(why < VERDICT_WHY_COUNT);
    return why_words[why];
}

const char *verdict_how_name(enum verdict_how how)
{
    switch (how) {
    case VERDICT_BY_NOTHING:
        return "nothing";
    case VERDICT_BY_PROBE:
        return "probe";
    case VERDICT_BY_ANSWERS:
        return "answers";
    }
    base_unreachable("verdict how");
}

const char *verdict_transport_name(enum verdict_transport transport)
{
    return transport == VERDICT_UDP ? "udp" : "tcp";
}
