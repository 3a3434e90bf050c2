/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/show.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define BOLD "\033[1m"
#define GREEN "\033[32m"
#define RED "\033[31m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

void show_init(struct show *sh, FILE *out)
{
    *sh = (struct show){ .out = out, .color = isatty(fileno(out)), .begun_ns = time_mono().ns };
}

static void clear(struct show *sh)
{
    if (sh->color)
        fputs("\r\033[K", sh->out);
}

static void print(struct show *sh, const char *before, const char *after, const char *fmt,
                  va_list ap) __attribute__((format(printf, 4, 0)));

static void print(struct show *sh, const char *before, const char *after, const char *fmt,
                  va_list ap)
{
    clear(sh);
    fputs(before, sh->out);
    vfprintf(sh->out, fmt, ap);
    fputs(after, sh->out);
    fflush(sh->out);
}

void show_title(struct show *sh, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print(sh, sh->color ? "\n" BOLD : "\n", sh->color ? PLAIN "\n" : "\n", fmt, ap);
    va_end(ap);
}

void show_line(struct show *sh, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print(sh, "     ", "\n", fmt, ap);
    va_end(ap);
}

void show_ok(struct show *sh, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print(sh, sh->color ? "  " GREEN "ok" PLAIN " " : "  ok ", "\n", fmt, ap);
    va_end(ap);
}

void show_bad(struct show *sh, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print(sh, sh->color ? "  " RED "NO" PLAIN " " : "  NO ", "\n", fmt, ap);
    va_end(ap);
}

void show_doing(struct show *sh, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print(sh, sh->color ? "     " DIM : "     ", sh->color ? " …" PLAIN : " …\n", fmt, ap);
    va_end(ap);
}

const char *show_number(uint64_t n)
{
    static char bufs[8][32];
    static int turn;
    char *out = bufs[turn = (turn + 1) % 8], digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), pos = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[pos++] = ',';
        out[pos++] = digits[i];
    }
    out[pos] = '\0';
    return out;
}

const char *show_us(uint64_t us)
{
    static char bufs[8][32];
    static int turn;
    char *out = bufs[turn = (turn + 1) % 8];
    if (us < 10000)
        snprintf(out, sizeof bufs[0], "%.1f ms", (double)us / 1000);
    else if (us < 1000000)
        snprintf(out, sizeof bufs[0], "%.0f ms", (double)us / 1000);
    else
        snprintf(out, sizeof bufs[0], "%.2f s", (double)us / 1000000);
    return out;
}

/* "ams1; nyc1 after 0.31 s; ams1 after 5.20 s" */
static void moves_text(const struct stage *s, const struct fate_report *f, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t m = 0; m < f->move_count && len + 40 < cap; m++) {
        uint8_t server = f->moves[m].server;
        const char *name = server < s->server_count ? s->servers[server] : "nobody";
        if (m == 0)
            len += (size_t)snprintf(out + len, cap - len, "%s", name);
        else
            len += (size_t)snprintf(out + len, cap - len, ", %s from %.2f s", name,
                                    (double)f->moves[m].at_ms / 1000);
    }
}

static void show_client(struct show *sh, const struct stage *s, const struct step_result *r,
                        uint32_t i, bool share)
{
    const struct fate_report *f = &r->client[i];
    char moves[300], lost[80], extra[64] = "";
    moves_text(s, f, moves, sizeof moves);
    if (f->lost == 0)
        snprintf(lost, sizeof lost, "0 lost");
    else
        snprintf(lost, sizeof lost, "%s lost (IPv4 %u, IPv6 %u), up to %s in a row",
                 show_number(f->lost), f->lost4, f->lost6, show_us((uint64_t)f->outage_us));
    if (share && r->during[i].sent > 0)
        snprintf(extra, sizeof extra, "%5.1f %% answered in the flood; ",
                 100.0 * r->during[i].right / r->during[i].sent);
    show_line(sh, "%-9s %6s asked, %s%s%s; slowest %s%s%s", r->who[i]->name, show_number(f->sent),
              extra, lost, f->wrong ? ", WRONG ANSWERS" : "", show_us(f->rtt_us_max),
              share ? "" : "; by ", share ? "" : moves);
}

static void add(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(char *out, size_t cap, const char *fmt, ...)
{
    size_t len = strlen(out);
    va_list ap;
    if (len > 0 && len + 2 < cap)
        len += (size_t)snprintf(out + len, cap - len, ", ");
    va_start(ap, fmt);
    vsnprintf(out + len, cap - len, fmt, ap);
    va_end(ap);
}

/* "at most 64 lost, no UPDATE, none later than 250 ms" */
static void expected_text(const struct step *st, char *out, size_t cap)
{
    out[0] = '\0';
    if (st->lost_max >= 0)
        add(out, cap, st->lost_max == 0 ? "none lost" : "at most %lld lost",
            (long long)st->lost_max);
    if (st->updates_max == 0)
        add(out, cap, "no UPDATE");
    if (st->late_ms >= 0)
        add(out, cap, "none later than %lld ms", (long long)st->late_ms);
    if (st->outage_ms_max >= 0)
        add(out, cap, "at most %lld ms in a row", (long long)st->outage_ms_max);
    if (st->withdrawn_ms_max >= 0)
        add(out, cap, "withdrawn within %lld ms", (long long)st->withdrawn_ms_max);
    if (st->to[0] != '\0')
        add(out, cap, "%s takes over", st->to);
    if (st->verb == STEP_FLOOD)
        add(out, cap, "only the continent with the most bots suffers");
    add(out, cap, "no wrong answer, all clients back home");
}

void show_begin(struct show *sh, uint32_t number, const struct step *st)
{
    clear(sh);
    fprintf(sh->out, "\n  %s%u. %s%s\n", sh->color ? BOLD : "", number, st->title,
            sh->color ? PLAIN : "");
    if (sh->color)
        show_doing(sh, "asking");
    fflush(sh->out);
}

void show_tick(void *arg, int64_t waited_ms)
{
    struct show *sh = arg;
    if (sh->color || waited_ms / 1000 % 10 == 0)
        show_doing(sh, "asking, %lld s", (long long)waited_ms / 1000);
}

void show_step(struct show *sh, const struct stage *s, const struct step *st,
               const struct step_result *r)
{
    char withdrawn[64] = "", expected[300];
    int64_t lead = (r->deed_ns - r->begun_ns) / 1000000;
    for (uint32_t i = 0; i < r->client_count; i++)
        show_client(sh, s, r, i, st->verb == STEP_FLOOD);
    for (uint32_t i = 0; i < r->bot_count; i++)
        show_line(sh, "%-9s %6s queries/s sent", r->bots[i]->name, show_number(r->bot_qps[i]));
    if (r->withdrawn_ms >= 0)
        snprintf(withdrawn, sizeof withdrawn, "; route gone after %lld ms",
                 (long long)r->withdrawn_ms);
    show_line(sh, "UPDATEs on the wire: %u (%u prefixes announced, %u withdrawn%s%s)%s",
              r->wire.updates, r->wire.announced, r->wire.withdrawn,
              r->wire.graceful_shutdown ? ", GRACEFUL_SHUTDOWN" : "",
              r->wire.path_len_max > 1 ? ", AS path prepended" : "", withdrawn);
    if (r->all.lost > 0)
        show_line(sh, "%s lost in all, sent between %+.2f s and %+.2f s", show_number(r->all.lost),
                  (double)(r->all.lost_first_ms - lead) / 1000,
                  (double)(r->all.lost_last_ms - lead) / 1000);
    if (r->stall_us > 20000)
        show_line(sh, "the machine itself was late by %s meanwhile",
                  show_us((uint64_t)r->stall_us));
    expected_text(st, expected, sizeof expected);
    if (r->failure_count == 0)
        show_ok(sh, "%s", expected);
    for (uint32_t i = 0; i < r->failure_count; i++)
        show_bad(sh, "%s", r->failures[i]);
}
