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
    show_line(sh, "  %-9s %6s asked, %s%s%s; slowest %s%s%s", r->who[i]->name, show_number(f->sent),
              extra, lost, f->wrong ? ", WRONG ANSWERS" : "", show_us(f->rtt_us_max),
              share ? "" : "; by ", share ? "" : moves);
}

void show_step(struct show *sh, const struct stage *s, uint32_t number, const struct step *st,
               const struct step_result *r)
{
    char mark[16], withdrawn[64] = "";
    snprintf(mark, sizeof mark, "%u", number);
    if (r->failure_count == 0)
        show_ok(sh, "%s. %s", mark, st->title);
    else
        show_bad(sh, "%s. %s", mark, st->title);
    for (uint32_t i = 0; i < r->client_count; i++)
        show_client(sh, s, r, i, st->verb == STEP_FLOOD);
    if (r->withdrawn_ms >= 0)
        snprintf(withdrawn, sizeof withdrawn, "; gone after %lld ms", (long long)r->withdrawn_ms);
    show_line(sh, "  in all    %s lost; UPDATEs on the wire: %u (%u announced, %u withdrawn%s%s)%s",
              show_number(r->all.lost), r->wire.updates, r->wire.announced, r->wire.withdrawn,
              r->wire.graceful_shutdown ? ", GRACEFUL_SHUTDOWN" : "",
              r->wire.path_len_max > 1 ? ", longer path" : "", withdrawn);
    if (r->all.lost > 0)
        show_line(sh, "            lost ones were sent from %+.2f s to %+.2f s of the deed",
                  (double)(r->all.lost_first_ms - (r->deed_ns - r->begun_ns) / 1000000) / 1000,
                  (double)(r->all.lost_last_ms - (r->deed_ns - r->begun_ns) / 1000000) / 1000);
    for (uint32_t i = 0; i < r->bot_count; i++)
        show_line(sh, "            %s sent %s queries/s", r->bots[i]->name,
                  show_number(r->bot_qps[i]));
    for (uint32_t i = 0; i < r->failure_count; i++)
        show_line(sh, "  wrong: %s", r->failures[i]);
}
