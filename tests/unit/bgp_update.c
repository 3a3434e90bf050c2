/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UPDATE: reading with RFC 7606's grades, and writing. */
#include "bgp_help.h"

#include "bgp/msg.h"

/* Good attributes to build upon. */
#define ORIGIN "40 01 01 00 "
#define PATH "40 02 06 02 01 00 00 fd e9 " /* 65001, 4 octets */
#define HOP "40 03 04 0a 00 00 02 "
#define GOOD ORIGIN PATH HOP
#define GOOD_MP ORIGIN PATH
#define PREF "40 05 04 00 00 00 64 "
/* MP_REACH_NLRI, IPv6 unicast: next hop 2001:db8::2, prefix 2001:db8:1::/48 */
#define HOP6 "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
#define LINK6 "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 02 "
#define NLRI6 "30 20 01 0d b8 00 01 "
#define REACH6 "80 0e 1c 00 02 01 10 " HOP6 "00 " NLRI6
#define UNREACH6 "80 0f 0a 00 02 01 " NLRI6
#define NLRI "18 c0 00 02 " /* 192.0.2.0/24 */

enum { E = 1, I = 2, TWO = 4, NH6 = 8, ONLY4 = 16 }; /* eBGP, iBGP, 2-octet, RFC 8950, IPv4 only */

static const struct {
    const char *rfc, *what, *withdrawn, *attrs, *nlri;
    int ctx;
    enum bgp_grade grade;
    uint8_t sub;
} cases[] = {
    { "4271 4.3", "one prefix", "", GOOD, NLRI, E, BGP_GRADE_NONE, 0 },
    { "4271 4.3", "only withdrawn", NLRI, "", "", E, BGP_GRADE_NONE, 0 },
    { "4271 4.3", "both", "10 0a 01 ", GOOD, NLRI, E, BGP_GRADE_NONE, 0 },
    { "4271 4.3", "the default route", "", GOOD, "00 ", E, BGP_GRADE_NONE, 0 },
    { "4271 4.3", "trailing bits are irrelevant", "", GOOD, "0c 0a 1f ", E, BGP_GRADE_NONE, 0 },
    { "4760 3", "an IPv6 prefix", "", REACH6 GOOD_MP, "", E, BGP_GRADE_NONE, 0 },
    { "4760 3", "MP_REACH_NLRI last", "", GOOD_MP REACH6, "", E, BGP_GRADE_NONE, 0 },
    { "4760 4", "an IPv6 prefix withdrawn", "", UNREACH6, "", E, BGP_GRADE_NONE, 0 },
    { "7606 5.1", "old fields and MP_REACH_NLRI in one message", "", REACH6 GOOD, NLRI, E,
      BGP_GRADE_NONE, 0 },
    { "2545 3", "a next hop with its link-local address", "",
      "80 0e 2c 00 02 01 20 " HOP6 LINK6 "00 " NLRI6 GOOD_MP, "", E, BGP_GRADE_NONE, 0 },
    { "8950 3", "an IPv4 prefix with an IPv6 next hop", "",
      "80 0e 19 00 01 01 10 " HOP6 "00 " NLRI GOOD_MP, "", E | NH6, BGP_GRADE_NONE, 0 },
    { "8950 4", "the same when it was not agreed", "",
      "80 0e 19 00 01 01 10 " HOP6 "00 " NLRI GOOD_MP, "", E, BGP_GRADE_RESET, 9 },
    { "4760 3", "an IPv4 prefix in MP_REACH_NLRI", "",
      "80 0e 0d 00 01 01 04 0a 00 00 02 00 " NLRI GOOD_MP, "", E, BGP_GRADE_NONE, 0 },

    /* RFC 7606 section 3 a, and section 4: lengths */
    { "7606 4", "an attribute ends behind the list", "", GOOD "80 04 05 00 00 00 01", NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 4", "one octet is left in the list", "", GOOD "80", NLRI, E, BGP_GRADE_WITHDRAW, 5 },
    { "7606 4", "two octets are left in the list", "", GOOD "80 04", NLRI, E, BGP_GRADE_WITHDRAW,
      5 },
    { "7606 4", "three of an extended one are left", "", GOOD "90 04 00", NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 5.2", "a cut list and no prefix to withdraw", "", GOOD "80 04 05 00", "", E,
      BGP_GRADE_RESET, 5 },
    { "7606 5.2", "a cut list behind a good MP_REACH_NLRI", "", REACH6 GOOD_MP "80 04 05 00", "", E,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 5.2", "treat-as-withdraw with withdrawn routes only", NLRI, "80 04 03 00 00 00", "", E,
      BGP_GRADE_RESET, 5 },
    { "7606 5.2", "attribute discard needs no prefix", "", "c0 07 00", "", E, BGP_GRADE_DISCARD,
      5 },

    /* RFC 7606 section 3 c: flags */
    { "7606 3c", "ORIGIN optional", "", "c0 01 01 00 " PATH HOP, NLRI, E, BGP_GRADE_WITHDRAW, 4 },
    { "7606 3c", "AS_PATH not transitive", "", ORIGIN "00 02 06 02 01 00 00 fd e9 " HOP, NLRI, E,
      BGP_GRADE_WITHDRAW, 4 },
    { "7606 3c", "MED well-known", "", GOOD "40 04 04 00 00 00 01", NLRI, E, BGP_GRADE_WITHDRAW,
      4 },
    { "7606 3c", "MED transitive", "", GOOD "c0 04 04 00 00 00 01", NLRI, E, BGP_GRADE_WITHDRAW,
      4 },
    { "7606 3c", "COMMUNITIES not transitive", "", GOOD "80 08 04 00 01 00 01", NLRI, E,
      BGP_GRADE_WITHDRAW, 4 },
    { "7606 3c", "MP_REACH_NLRI transitive", "", "c0 0e 1c 00 02 01 10 " HOP6 "00 " NLRI6 GOOD_MP,
      "", E, BGP_GRADE_WITHDRAW, 4 },
    { "4271 4.3", "the partial bit", "", GOOD "e0 08 04 00 01 00 01", NLRI, E, BGP_GRADE_NONE, 0 },
    { "4271 4.3", "the unused bits", "", GOOD "cf 08 04 00 01 00 01", NLRI, E, BGP_GRADE_NONE, 0 },
    { "4271 4.3", "extended length for a short one", "", GOOD "d0 08 00 04 00 01 00 01", NLRI, E,
      BGP_GRADE_NONE, 0 },

    /* RFC 7606 section 3 d: missing */
    { "7606 3d", "no ORIGIN", "", PATH HOP, NLRI, E, BGP_GRADE_WITHDRAW, 3 },
    { "7606 3d", "no AS_PATH", "", ORIGIN HOP, NLRI, E, BGP_GRADE_WITHDRAW, 3 },
    { "7606 3d", "no NEXT_HOP", "", ORIGIN PATH, NLRI, E, BGP_GRADE_WITHDRAW, 3 },
    { "7606 3d", "no attribute at all", "", "", NLRI, E, BGP_GRADE_WITHDRAW, 3 },
    { "4760 3", "MP_REACH_NLRI without NEXT_HOP", "", REACH6 GOOD_MP, "", E, BGP_GRADE_NONE, 0 },
    { "7606 3d", "MP_REACH_NLRI without AS_PATH", "", REACH6 ORIGIN, "", E, BGP_GRADE_WITHDRAW, 3 },
    { "4271 5.1.5", "LOCAL_PREF missing within the AS is borne", "", GOOD, NLRI, I, BGP_GRADE_NONE,
      0 },

    /* RFC 7606 section 3 g: twice */
    { "7606 3g", "ORIGIN twice: the first counts", "", GOOD "40 01 01 07", NLRI, E,
      BGP_GRADE_DISCARD, 1 },
    { "7606 3g", "an unknown attribute twice", "", GOOD "c0 63 00 c0 63 00", NLRI, E,
      BGP_GRADE_DISCARD, 1 },
    { "7606 3g", "MP_REACH_NLRI twice", "", REACH6 REACH6 GOOD_MP, "", E, BGP_GRADE_RESET, 1 },
    { "7606 3g", "MP_UNREACH_NLRI twice", "", UNREACH6 UNREACH6, "", E, BGP_GRADE_RESET, 1 },

    /* RFC 7606 section 3 h: the worst counts */
    { "7606 3h", "discard and withdraw", "", GOOD "c0 07 01 00 80 04 03 00 00 00", NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 3h", "withdraw and reset", "", "40 01 02 00 00 " PATH HOP REACH6 REACH6, NLRI, E,
      BGP_GRADE_RESET, 1 },

    /* unknown attributes */
    { "4271 6.3", "an unknown well-known attribute", "", GOOD "40 63 01 00", NLRI, E,
      BGP_GRADE_RESET, 2 },
    { "4271 5", "an unknown optional transitive attribute", "", GOOD "c0 63 01 00", NLRI, E,
      BGP_GRADE_NONE, 0 },
    { "4271 5", "an unknown optional attribute", "", GOOD "80 63 01 00", NLRI, E, BGP_GRADE_NONE,
      0 },

    /* RFC 7606 section 5.3: prefixes */
    { "7606 5.3", "a prefix of 33 bits", "", GOOD, "21 c0 00 02 00 00", E, BGP_GRADE_RESET, 10 },
    { "7606 5.3", "a prefix that is cut", "", GOOD, "18 c0 00", E, BGP_GRADE_RESET, 10 },
    { "7606 5.3", "a withdrawn prefix of 33 bits", "21 c0 00 02 00 00 ", "", "", E, BGP_GRADE_RESET,
      10 },
    { "7606 5.3", "a withdrawn prefix that is cut", "18 c0 00 ", "", "", E, BGP_GRADE_RESET, 10 },
    { "7606 5.3", "an IPv6 prefix of 129 bits", "",
      "80 0e 27 00 02 01 10 " HOP6
      "00 81 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 00 00 " GOOD_MP,
      "", E, BGP_GRADE_RESET, 9 },
    { "7606 5.3", "an IPv6 prefix that is cut", "",
      "80 0e 1b 00 02 01 10 " HOP6 "00 30 20 01 0d b8 00 " GOOD_MP, "", E, BGP_GRADE_RESET, 9 },
    { "7606 5.3", "a withdrawn IPv6 prefix that is cut", "", "80 0f 09 00 02 01 30 20 01 0d b8 00",
      "", E, BGP_GRADE_RESET, 9 },

    /* RFC 7606 section 7.1 to 7.16: attribute by attribute */
    { "7606 7.1", "ORIGIN of two octets", "", "40 01 02 00 00 " PATH HOP, NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.1", "ORIGIN empty", "", "40 01 00 " PATH HOP, NLRI, E, BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.1", "ORIGIN 3", "", "40 01 01 03 " PATH HOP, NLRI, E, BGP_GRADE_WITHDRAW, 6 },
    { "7606 7.1", "ORIGIN 2", "", "40 01 01 02 " PATH HOP, NLRI, E, BGP_GRADE_NONE, 0 },
    { "7606 7.2", "AS_PATH with segment type 5", "", ORIGIN "40 02 06 05 01 00 00 fd e9 " HOP, NLRI,
      E, BGP_GRADE_WITHDRAW, 11 },
    { "5065 5.3", "AS_PATH with a confederation segment", "",
      ORIGIN "40 02 06 03 01 00 00 fd e9 " HOP, NLRI, E, BGP_GRADE_WITHDRAW, 11 },
    { "7606 7.2", "AS_PATH with a segment that is too long", "",
      ORIGIN "40 02 06 02 02 00 00 fd e9 " HOP, NLRI, E, BGP_GRADE_WITHDRAW, 11 },
    { "7606 7.2", "AS_PATH with one octet left", "", ORIGIN "40 02 07 02 01 00 00 fd e9 02 " HOP,
      NLRI, E, BGP_GRADE_WITHDRAW, 11 },
    { "7606 7.2", "AS_PATH with an empty segment", "", ORIGIN "40 02 02 02 00 " HOP, NLRI, E,
      BGP_GRADE_WITHDRAW, 11 },
    { "7607", "AS_PATH with AS 0", "", ORIGIN "40 02 06 02 01 00 00 00 00 " HOP, NLRI, E,
      BGP_GRADE_WITHDRAW, 11 },
    { "4271 5.1.2", "an empty AS_PATH", "", ORIGIN "40 02 00 " HOP PREF, NLRI, I, BGP_GRADE_NONE,
      0 },
    { "6793 4.1", "a 2-octet AS_PATH of a 4-octet speaker", "", ORIGIN "40 02 04 02 01 fd e9 " HOP,
      NLRI, E, BGP_GRADE_WITHDRAW, 11 },
    { "6793 4.2", "a 2-octet AS_PATH of a 2-octet speaker", "", ORIGIN "40 02 04 02 01 fd e9 " HOP,
      NLRI, E | TWO, BGP_GRADE_NONE, 0 },
    { "7606 7.3", "NEXT_HOP of three octets", "", ORIGIN PATH "40 03 03 0a 00 00 ", NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.3", "NEXT_HOP of five octets", "", ORIGIN PATH "40 03 05 0a 00 00 02 00 ", NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "4271 6.3", "NEXT_HOP 0.0.0.0", "", ORIGIN PATH "40 03 04 00 00 00 00 ", NLRI, E,
      BGP_GRADE_WITHDRAW, 8 },
    { "4271 6.3", "NEXT_HOP 224.0.0.1", "", ORIGIN PATH "40 03 04 e0 00 00 01 ", NLRI, E,
      BGP_GRADE_WITHDRAW, 8 },
    { "7606 7.4", "MED of three octets", "", GOOD "80 04 03 00 00 01", NLRI, E, BGP_GRADE_WITHDRAW,
      5 },
    { "7606 7.5", "LOCAL_PREF from outside", "", GOOD PREF, NLRI, E, BGP_GRADE_DISCARD, 1 },
    { "7606 7.5", "LOCAL_PREF from outside, malformed", "", GOOD "40 05 01 00", NLRI, E,
      BGP_GRADE_DISCARD, 1 },
    { "7606 7.5", "LOCAL_PREF from inside", "", GOOD PREF, NLRI, I, BGP_GRADE_NONE, 0 },
    { "7606 7.5", "LOCAL_PREF from inside, malformed", "", GOOD "40 05 03 00 00 64", NLRI, I,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.6", "ATOMIC_AGGREGATE of one octet", "", GOOD "40 06 01 00", NLRI, E,
      BGP_GRADE_DISCARD, 5 },
    { "7606 7.6", "ATOMIC_AGGREGATE", "", GOOD "40 06 00", NLRI, E, BGP_GRADE_NONE, 0 },
    { "7606 7.7", "AGGREGATOR of six octets, 4-octet speaker", "",
      GOOD "c0 07 06 fd e9 0a 00 00 01", NLRI, E, BGP_GRADE_DISCARD, 5 },
    { "7606 7.7", "AGGREGATOR of eight octets, 4-octet speaker", "",
      GOOD "c0 07 08 00 00 fd e9 0a 00 00 01", NLRI, E, BGP_GRADE_NONE, 0 },
    { "7606 7.7", "AGGREGATOR of eight octets, 2-octet speaker", "",
      ORIGIN "40 02 04 02 01 fd e9 " HOP "c0 07 08 00 00 fd e9 0a 00 00 01", NLRI, E | TWO,
      BGP_GRADE_DISCARD, 5 },
    { "7606 7.8", "COMMUNITIES of five octets", "", GOOD "c0 08 05 00 01 00 01 00", NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.8", "COMMUNITIES empty", "", GOOD "c0 08 00", NLRI, E, BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.9", "ORIGINATOR_ID from outside", "", GOOD "80 09 04 0a 00 00 01", NLRI, E,
      BGP_GRADE_DISCARD, 1 },
    { "7606 7.9", "ORIGINATOR_ID of three octets from inside", "", GOOD PREF "80 09 03 0a 00 00",
      NLRI, I, BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.10", "CLUSTER_LIST from outside", "", GOOD "80 0a 04 0a 00 00 01", NLRI, E,
      BGP_GRADE_DISCARD, 1 },
    { "7606 7.10", "CLUSTER_LIST of five octets from inside", "",
      GOOD PREF "80 0a 05 0a 00 00 01 00", NLRI, I, BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.10", "CLUSTER_LIST empty from inside", "", GOOD PREF "80 0a 00", NLRI, I,
      BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.11", "MP_REACH_NLRI of four octets", "", "80 0e 04 00 02 01 00 " GOOD_MP, "", E,
      BGP_GRADE_RESET, 9 },
    { "7606 7.11", "MP_REACH_NLRI with a next hop that is cut", "",
      "80 0e 06 00 02 01 10 20 01 " GOOD_MP, "", E, BGP_GRADE_RESET, 9 },
    { "7606 7.11", "an IPv6 next hop of four octets", "",
      "80 0e 10 00 02 01 04 0a 00 00 02 00 " NLRI6 GOOD_MP, "", E, BGP_GRADE_RESET, 9 },
    { "7606 7.11", "an IPv6 next hop of 24 octets", "",
      "80 0e 24 00 02 01 18 00 00 00 00 00 00 00 00 " HOP6 "00 " NLRI6 GOOD_MP, "", E,
      BGP_GRADE_RESET, 9 },
    { "4760 3", "an IPv6 next hop ::", "",
      "80 0e 1c 00 02 01 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 " NLRI6 GOOD_MP, "",
      E, BGP_GRADE_WITHDRAW, 9 },
    { "4760 3", "an IPv6 next hop ff02::1", "",
      "80 0e 1c 00 02 01 10 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 " NLRI6 GOOD_MP, "",
      E, BGP_GRADE_WITHDRAW, 9 },
    { "4760 7", "another AFI is passed over", "", "80 0e 09 00 19 41 04 0a 00 00 02 00 " GOOD_MP,
      "", E, BGP_GRADE_NONE, 0 },
    { "4760 6", "a family that was not agreed is passed over, whatever is in it", "",
      "80 0e 06 00 02 01 00 00 ff " GOOD_MP, "", E | ONLY4, BGP_GRADE_NONE, 0 },
    { "7606 7.12", "MP_UNREACH_NLRI of two octets", "", "80 0f 02 00 02", "", E, BGP_GRADE_RESET,
      9 },
    { "7606 7.14", "EXTENDED COMMUNITIES of seven octets", "", GOOD "c0 10 07 00 02 00 00 00 00 00",
      NLRI, E, BGP_GRADE_WITHDRAW, 5 },
    { "7606 7.14", "EXTENDED COMMUNITIES", "", GOOD "c0 10 08 00 02 fd e9 00 00 00 01", NLRI, E,
      BGP_GRADE_NONE, 0 },
    { "7606 7.15", "IPv6 EXTENDED COMMUNITIES of eight octets", "",
      GOOD "c0 19 08 00 02 00 00 00 00 00 00", NLRI, E, BGP_GRADE_WITHDRAW, 5 },
    { "8092 6", "LARGE_COMMUNITY of eleven octets", "",
      GOOD "c0 20 0b 00 00 00 01 00 00 00 02 00 00 00", NLRI, E, BGP_GRADE_WITHDRAW, 5 },
    { "8092 6", "LARGE_COMMUNITY empty", "", GOOD "c0 20 00", NLRI, E, BGP_GRADE_WITHDRAW, 5 },
    { "9234 5", "ONLY_TO_CUSTOMER of three octets", "", GOOD "c0 23 03 00 00 01", NLRI, E,
      BGP_GRADE_WITHDRAW, 5 },
    { "9234 5", "ONLY_TO_CUSTOMER", "", GOOD "c0 23 04 00 00 fd e9", NLRI, E, BGP_GRADE_NONE, 0 },
    { "6793 6", "AS4_PATH malformed", "",
      ORIGIN "40 02 04 02 01 5b a0 " HOP "c0 11 05 02 01 00 00 fd", NLRI, E | TWO,
      BGP_GRADE_DISCARD, 9 },
    { "6793 4.1", "AS4_PATH of a 4-octet speaker is passed over", "",
      GOOD "c0 11 05 02 01 00 00 fd", NLRI, E, BGP_GRADE_NONE, 0 },
    { "6793 6", "AS4_AGGREGATOR of seven octets", "",
      ORIGIN "40 02 04 02 01 fd e9 " HOP "c0 12 07 00 00 fd e9 0a 00 00", NLRI, E | TWO,
      BGP_GRADE_DISCARD, 5 },
};

static struct bgp_update_context context(int flags)
{
    return (struct bgp_update_context){
        .as4 = !(flags & TWO),
        .ibgp = flags & I,
        .v4_over_v6_next_hop = flags & NH6,
        .families = flags & ONLY4 ? BGP_FAMILY_BIT(BGP_IPV4) : BGP_FAMILY_ALL,
        .local_as = 64512,
    };
}

/* The body of an UPDATE out of its three parts. */
static size_t body(const char *withdrawn, const char *attrs, const char *nlri, uint8_t *out,
                   size_t cap)
{
    size_t w = hex(withdrawn, out + 2, cap - 2);
    wr_put_u16(out, (uint16_t)w);
    size_t a = hex(attrs, out + 4 + w, cap - 4 - w);
    wr_put_u16(out + 2 + w, (uint16_t)a);
    return 4 + w + a + hex(nlri, out + 4 + w + a, cap - 4 - w - a);
}

static void graded(void **state)
{
    (void)state;
    struct guarded g = guarded_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[512];
        size_t len = body(cases[i].withdrawn, cases[i].attrs, cases[i].nlri, bytes, sizeof bytes);
        struct bgp_update_context ctx = context(cases[i].ctx);
        struct bgp_update u;
        enum bgp_grade got = bgp_update_parse(rd_init(guarded_put(&g, bytes, len), len), &ctx, &u);
        if (got != cases[i].grade || u.grade != got || u.error.subcode != cases[i].sub ||
            (u.error.code != 0) != (got != BGP_GRADE_NONE) || (u.error.code && !u.error.why))
            fail_msg("RFC %s, %s: grade %d, error %u/%u (%s)", cases[i].rfc, cases[i].what, got,
                     u.error.code, u.error.subcode, u.error.why ? u.error.why : "");
    }
    guarded_free(&g);
}

/* Every truncation and every value of every octet: no crash, no read past the end, and prefixes that
 * can be walked. */
static void hostile(void **state)
{
    (void)state;
    struct guarded g = guarded_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[512];
        size_t len = body(cases[i].withdrawn, cases[i].attrs, cases[i].nlri, bytes, sizeof bytes);
        struct bgp_update_context ctx = context(cases[i].ctx);
        struct bgp_update u;
        struct bgp_prefix p;
        for (size_t cut = 0; cut < len; cut++) {
            bgp_update_parse(rd_init(guarded_put(&g, bytes, cut), cut), &ctx, &u);
            while (bgp_nlri_next(&u.nlri, BGP_IPV4, &p) ||
                   bgp_nlri_next(&u.mp_nlri, u.mp_nlri_family, &p) ||
                   bgp_nlri_next(&u.withdrawn, BGP_IPV4, &p))
                assert_true(p.len <= bgp_prefix_len_max(p.family));
        }
        for (size_t at = 0; at < len; at++) {
            uint8_t was = bytes[at];
            for (unsigned v = 0; v < 256; v++) {
                bytes[at] = (uint8_t)v;
                bgp_update_parse(rd_init(guarded_put(&g, bytes, len), len), &ctx, &u);
            }
            bytes[at] = was;
        }
    }
    guarded_free(&g);
}

static void lengths_lie(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bytes;
        enum bgp_grade grade;
    } rows[] = {
        { "nothing at all", "", BGP_GRADE_RESET },
        { "withdrawn length only", "00 00", BGP_GRADE_RESET },
        { "withdrawn routes longer than the message", "00 05 00 00", BGP_GRADE_RESET },
        { "attributes longer than the message", "00 00 00 05 00", BGP_GRADE_RESET },
        { "both together longer", "00 01 00 00 01", BGP_GRADE_RESET },
        { "an empty UPDATE is an End-of-RIB", "00 00 00 00", BGP_GRADE_NONE },
    };
    struct bgp_update_context ctx = context(E);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[16];
        size_t len = hex(rows[i].bytes, bytes, sizeof bytes);
        struct bgp_update u;
        if (bgp_update_parse(rd_init(bytes, len), &ctx, &u) != rows[i].grade ||
            (rows[i].grade == BGP_GRADE_RESET && u.error.subcode != BGP_UPDATE_BAD_ATTR_LIST))
            fail_msg("RFC 7606 3 a, %s: grade %d, %u/%u", rows[i].what, u.grade, u.error.code,
                     u.error.subcode);
    }
}

/* What treat-as-withdraw needs: the prefixes are there, MP_REACH_NLRI with wrong flags included. */
static void withdraw_keeps_prefixes(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct bgp_update_context ctx = context(E);
    struct bgp_update u;
    struct bgp_prefix p;
    char text[BGP_PREFIX_TEXT_MAX];
    size_t len = body("", "c0 0e 1c 00 02 01 10 " HOP6 "00 " NLRI6 GOOD, NLRI, bytes, sizeof bytes);
    assert_int_equal(bgp_update_parse(rd_init(bytes, len), &ctx, &u), BGP_GRADE_WITHDRAW);
    assert_true(bgp_nlri_next(&u.nlri, BGP_IPV4, &p));
    assert_string_equal(bgp_prefix_text(&p, text), "192.0.2.0/24");
    assert_true(bgp_nlri_next(&u.mp_nlri, u.mp_nlri_family, &p));
    assert_string_equal(bgp_prefix_text(&p, text), "2001:db8:1::/48");
    assert_int_equal(u.prefix_count, 2);
    /* RFC 4271 section 6.3: the data of the error is the attribute */
    assert_int_equal(u.error.data_len, 31);
    assert_int_equal(u.error.data[0], 0xc0);
}

static void missing_names_the_attribute(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct bgp_update_context ctx = context(E);
    struct bgp_update u;
    size_t len = body("", ORIGIN HOP, NLRI, bytes, sizeof bytes);
    bgp_update_parse(rd_init(bytes, len), &ctx, &u);
    assert_int_equal(u.error.data_len, 1);
    assert_null(u.error.data);
    assert_int_equal(u.error.own[0], 2);
}

static const struct {
    const char *what, *attrs, *nlri;
    bool eor;
    uint8_t family;
} eor_cases[] = {
    { "an UPDATE with nothing", "", "", true, BGP_IPV4 },
    { "an empty MP_UNREACH_NLRI", "80 0f 03 00 02 01", "", true, BGP_IPV6 },
    { "the same with an extended length", "90 0f 00 03 00 02 01", "", true, BGP_IPV6 },
    { "MP_UNREACH_NLRI with a prefix", UNREACH6, "", false, 0 },
    { "MP_UNREACH_NLRI and something else", "80 0f 03 00 02 01 40 01 01 00", "", false, 0 },
    { "a family that is not ours", "80 0f 03 00 19 41", "", false, 0 },
};

static void end_of_rib(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof eor_cases / sizeof eor_cases[0]; i++) {
        uint8_t bytes[64];
        struct bgp_update_context ctx = context(E);
        struct bgp_update u;
        size_t len = body("", eor_cases[i].attrs, eor_cases[i].nlri, bytes, sizeof bytes);
        bgp_update_parse(rd_init(bytes, len), &ctx, &u);
        if (u.end_of_rib != eor_cases[i].eor ||
            (u.end_of_rib && u.end_of_rib_family != eor_cases[i].family))
            fail_msg("RFC 4724 2, %s: %d", eor_cases[i].what, u.end_of_rib);
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        uint8_t buf[64];
        struct wr w = wr_init(buf, sizeof buf);
        bgp_end_of_rib_write(&w, (enum bgp_family)f);
        struct bgp_update_context ctx = context(E);
        struct bgp_update u;
        bgp_update_parse(rd_init(buf + 19, wr_len(&w) - 19), &ctx, &u);
        assert_true(u.end_of_rib);
        assert_int_equal(u.end_of_rib_family, f);
    }
}

/* ---- AS paths --------------------------------------------------------------------------------- */

static const struct {
    const char *rfc, *what, *attrs;
    int ctx;
    uint16_t len, count;
    uint32_t first, origin, as[8];
    bool own, has_set;
} path_cases[] = {
    { "4271 4.3",
      "a sequence",
      "40 02 0a 02 02 00 00 fd e9 00 00 fd ea",
      E,
      2,
      2,
      65001,
      65002,
      { 65001, 65002 },
      false,
      false },
    { "4271 9.1.2",
      "our own AS in it",
      "40 02 0a 02 02 00 00 fd e9 00 00 fc 00",
      E,
      2,
      2,
      65001,
      64512,
      { 65001, 64512 },
      true,
      false },
    { "4271 9.1.2.2",
      "a set counts as one and has no origin",
      "40 02 10 02 01 00 00 fd e9 01 02 00 00 fd ea 00 00 fd eb",
      E,
      2,
      3,
      65001,
      0,
      { 65001, 65002, 65003 },
      false,
      true },
    { "4271 4.3", "empty", "40 02 00", I, 0, 0, 0, 0, { 0 }, false, false },
    { "6793 4.2.3",
      "AS4_PATH replaces the end",
      "40 02 08 02 03 fd e9 5b a0 5b a0 c0 11 0a 02 02 fa 56 ea 01 fa 56 ea 02",
      E | TWO,
      3,
      3,
      65001,
      4200000002u,
      { 65001, 4200000001u, 4200000002u },
      false,
      false },
    { "6793 4.2.3",
      "an AS4_PATH that is longer than AS_PATH is ignored",
      "40 02 04 02 01 fd e9 c0 11 0a 02 02 fa 56 ea 01 fa 56 ea 02",
      E | TWO,
      1,
      1,
      65001,
      65001,
      { 65001 },
      false,
      false },
    { "6793 4.2.3",
      "so is one beside an AGGREGATOR that has its real AS",
      "40 02 06 02 02 fd e9 5b a0 c0 07 06 fd e9 0a 00 00 01 c0 11 06 02 01 fa 56 ea 01",
      E | TWO,
      2,
      2,
      65001,
      23456,
      { 65001, 23456 },
      false,
      false },
    { "6793 4.2.3",
      "but not beside one that has AS_TRANS",
      "40 02 06 02 02 fd e9 5b a0 c0 07 06 5b a0 0a 00 00 01 c0 11 06 02 01 fa 56 ea 01",
      E | TWO,
      2,
      2,
      65001,
      4200000001u,
      { 65001, 4200000001u },
      false,
      false },
};

static void paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof path_cases / sizeof path_cases[0]; i++) {
        uint8_t bytes[128];
        char attrs[512];
        struct bgp_update_context ctx = context(path_cases[i].ctx);
        struct bgp_update u;
        snprintf(attrs, sizeof attrs, "%s%s%s", ORIGIN, HOP, path_cases[i].attrs);
        size_t len = body("", attrs, NLRI, bytes, sizeof bytes);
        bgp_update_parse(rd_init(bytes, len), &ctx, &u);
        const struct bgp_path *p = &u.attrs.path;
        bool same = u.grade == BGP_GRADE_NONE && p->len == path_cases[i].len &&
                    p->count == path_cases[i].count && p->first == path_cases[i].first &&
                    p->origin == path_cases[i].origin && p->own == path_cases[i].own &&
                    p->has_set == path_cases[i].has_set &&
                    memcmp(p->as, path_cases[i].as, p->count * sizeof p->as[0]) == 0;
        if (!same)
            fail_msg("RFC %s, %s: grade %d len %u count %u first %u origin %u own %d",
                     path_cases[i].rfc, path_cases[i].what, u.grade, p->len, p->count, p->first,
                     p->origin, p->own);
    }
}

/* A path of 255 with our AS at its end: cut, but still seen. */
static void long_path_is_cut(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    struct wr w = wr_init(bytes, sizeof bytes);
    uint8_t attrs[] = { 0x40, 1, 1, 0, 0x40, 3, 4, 10, 0, 0, 2 };
    wr_u16(&w, 0);
    wr_u16(&w, sizeof attrs + 4 + 2 + 255 * 4);
    wr_bytes(&w, attrs, sizeof attrs);
    wr_u8(&w, 0x50);
    wr_u8(&w, 2);
    wr_u16(&w, 2 + 255 * 4);
    wr_u8(&w, 2);
    wr_u8(&w, 255);
    for (unsigned i = 0; i < 255; i++)
        wr_u32(&w, i == 254 ? 64512 : 65001);
    wr_bytes(&w, "\x18\xc0\x00\x02", 4);
    struct bgp_update_context ctx = context(E);
    struct bgp_update u;
    assert_int_equal(bgp_update_parse(rd_init(bytes, wr_len(&w)), &ctx, &u), BGP_GRADE_NONE);
    assert_int_equal(u.attrs.path.len, 255);
    assert_int_equal(u.attrs.path.count, BGP_PATH_MAX);
    assert_true(u.attrs.path.cut);
    assert_true(u.attrs.path.own);
    assert_int_equal(u.attrs.path.origin, 64512);
}

/* ---- writing ---------------------------------------------------------------------------------- */

static struct bgp_out_context out_context(uint64_t *seed)
{
    uint32_t r = rng_next(seed);
    struct bgp_out_context c = { .as4 = r & 1,
                                 .ibgp = r & 2,
                                 .v4_over_v6_next_hop = r & 4,
                                 .local_as = r & 8 ? 65001 : 4200000001u,
                                 .families = BGP_FAMILY_ALL,
                                 .has_next_hop = { true, true },
                                 .has_link_local = r & 16,
                                 .len_max = r & 32 ? BGP_MSG_MAX : 700 };
    bgp_addr_parse(c.v4_over_v6_next_hop ? "2001:db8::9" : "10.0.0.9", &c.next_hop[BGP_IPV4]);
    bgp_addr_parse("2001:db8::9", &c.next_hop[BGP_IPV6]);
    c.link_local[0] = 0xfe;
    c.link_local[1] = 0x80;
    c.link_local[15] = 9;
    return c;
}

static struct bgp_attrs out_attrs(uint64_t *seed)
{
    uint32_t r = rng_next(seed);
    struct bgp_attrs a = { .origin = r % 3,
                           .prepend = (uint8_t)(r >> 2 & 31),
                           .has_med = r & 128,
                           .med = rng_next(seed),
                           .has_local_pref = r & 256,
                           .local_pref = rng_next(seed),
                           .community_count = (uint8_t)(r >> 9 & 15),
                           .large_count = (uint8_t)(r >> 13 & 15) };
    for (unsigned i = 0; i < a.community_count; i++)
        a.communities[i] = rng_next(seed);
    for (unsigned i = 0; i < a.large_count; i++)
        a.large[i] = (struct bgp_large){ rng_next(seed), rng_next(seed), rng_next(seed) };
    return a;
}

static void same_attrs(const struct bgp_update *u, const struct bgp_out_context *c,
                       const struct bgp_attrs *a, enum bgp_family family)
{
    assert_int_equal(u->attrs.origin, a->origin);
    assert_int_equal(u->attrs.path.len, c->ibgp ? 0 : 1 + a->prepend);
    assert_int_equal(u->attrs.path.origin, c->ibgp ? 0 : c->local_as);
    assert_int_equal(u->attrs.has_med, a->has_med);
    if (a->has_med)
        assert_int_equal(u->attrs.med, a->med);
    assert_int_equal(u->attrs.has_local_pref, c->ibgp);
    if (c->ibgp)
        assert_int_equal(u->attrs.local_pref, a->has_local_pref ? a->local_pref : 100);
    assert_int_equal(u->attrs.community_count, a->community_count);
    assert_int_equal(u->attrs.large_count, a->large_count);
    struct rd r = rd_init(u->attrs.community_count ? u->attrs.communities : (const uint8_t *)"",
                          u->attrs.community_count * 4u);
    for (unsigned i = 0; i < a->community_count; i++)
        assert_int_equal(rd_u32(&r), a->communities[i]);
    if (family == BGP_IPV4 && !c->v4_over_v6_next_hop) {
        assert_memory_equal(u->attrs.next_hop, c->next_hop[BGP_IPV4].bytes, 4);
        assert_false(u->has_mp_reach);
    } else {
        assert_true(u->has_mp_reach);
        assert_int_equal(u->mp_next_hop_len, c->has_link_local ? 32 : 16);
        assert_memory_equal(u->mp_next_hop, c->next_hop[BGP_IPV6].bytes, 16);
    }
}

static struct bgp_prefix any_prefix(uint64_t *seed, enum bgp_family family)
{
    struct bgp_prefix p = { .family = (uint8_t)family };
    p.len = (uint8_t)(rng_next(seed) % (bgp_prefix_len_max(p.family) + 1u));
    for (unsigned i = 0; i < p.len; i++) {
        if (rng_next(seed) & 1)
            p.addr[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    return p;
}

/* What we write, a reader understands as meant; no message is longer than allowed. */
static void write_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 0x5eed;
    for (unsigned round = 0; round < 3000; round++) {
        struct bgp_out_context c = out_context(&seed);
        struct bgp_attrs a = out_attrs(&seed);
        enum bgp_family family = round % 2 ? BGP_IPV6 : BGP_IPV4;
        bool withdraw = round % 3 == 0;
        uint8_t buf[BGP_MSG_MAX];
        struct wr w = wr_init(buf, sizeof buf);
        struct bgp_update_writer u;
        struct bgp_prefix sent[1200];
        unsigned count = 0, want = rng_next(&seed) % 1200;
        assert_true(bgp_out_can(&c, family));
        if (withdraw)
            bgp_update_begin_withdraw(&u, &w, &c, family);
        else
            bgp_update_begin(&u, &w, &c, family, &a);
        for (; count < want; count++) {
            sent[count] = any_prefix(&seed, family);
            if (!bgp_update_add(&u, &sent[count]))
                break;
        }
        bgp_update_end(&u);
        assert_false(w.full);
        if (count == 0) {
            assert_int_equal(wr_len(&w), 0);
            continue;
        }
        assert_true(wr_len(&w) <= c.len_max);
        size_t len;
        struct bgp_error e;
        assert_int_equal(bgp_msg_frame(buf, wr_len(&w), BGP_MSG_MAX, &len, &e), BGP_FRAME_WHOLE);
        assert_int_equal(len, wr_len(&w));
        struct bgp_update_context rx = { .as4 = c.as4,
                                         .ibgp = c.ibgp,
                                         .v4_over_v6_next_hop = c.v4_over_v6_next_hop,
                                         .families = BGP_FAMILY_ALL,
                                         .local_as = 1 };
        struct bgp_update got;
        if (bgp_update_parse(rd_init(buf + 19, len - 19), &rx, &got) != BGP_GRADE_NONE)
            fail_msg("round %u: %s", round, got.error.why);
        assert_int_equal(got.prefix_count, count);
        bool mp = family == BGP_IPV6 || c.v4_over_v6_next_hop;
        struct rd list =
            withdraw ? (mp ? got.mp_withdrawn : got.withdrawn) : (mp ? got.mp_nlri : got.nlri);
        struct bgp_prefix p;
        for (unsigned i = 0; i < count; i++) {
            assert_true(bgp_nlri_next(&list, family, &p));
            assert_true(bgp_prefix_eq(&p, &sent[i]));
        }
        assert_false(bgp_nlri_next(&list, family, &p));
        if (!withdraw)
            same_attrs(&got, &c, &a, family);
    }
}

/* RFC 7606 section 5.1: MP_REACH_NLRI is the first attribute. */
static void mp_reach_is_first(void **state)
{
    (void)state;
    uint64_t seed = 7;
    struct bgp_out_context c = out_context(&seed);
    struct bgp_attrs a = { 0 };
    struct bgp_prefix p;
    bgp_prefix_parse("2001:db8:53::/48", &p);
    uint8_t buf[BGP_MSG_MAX];
    struct wr w = wr_init(buf, sizeof buf);
    struct bgp_update_writer u;
    bgp_update_begin(&u, &w, &c, BGP_IPV6, &a);
    assert_true(bgp_update_add(&u, &p));
    bgp_update_end(&u);
    assert_int_equal(buf[24], 14);
}

static void cannot_without_next_hop(void **state)
{
    (void)state;
    struct bgp_out_context c = { .families = BGP_FAMILY_ALL };
    assert_false(bgp_out_can(&c, BGP_IPV4));
    c.has_next_hop[BGP_IPV4] = true;
    bgp_addr_parse("2001:db8::1", &c.next_hop[BGP_IPV4]);
    assert_false(bgp_out_can(&c, BGP_IPV4)); /* RFC 8950 was not agreed */
    c.v4_over_v6_next_hop = true;
    assert_true(bgp_out_can(&c, BGP_IPV4));
    c.families = BGP_FAMILY_BIT(BGP_IPV6);
    assert_false(bgp_out_can(&c, BGP_IPV4));
    c.has_next_hop[BGP_IPV6] = true;
    bgp_addr_parse("10.0.0.1", &c.next_hop[BGP_IPV6]);
    assert_false(bgp_out_can(&c, BGP_IPV6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graded),
        cmocka_unit_test(hostile),
        cmocka_unit_test(lengths_lie),
        cmocka_unit_test(withdraw_keeps_prefixes),
        cmocka_unit_test(missing_names_the_attribute),
        cmocka_unit_test(end_of_rib),
        cmocka_unit_test(paths),
        cmocka_unit_test(long_path_is_cut),
        cmocka_unit_test(write_round_trip),
        cmocka_unit_test(mp_reach_is_first),
        cmocka_unit_test(cannot_without_next_hop),
    };
    return cmocka_run_group_tests_name("bgp_update", tests, NULL, NULL);
}
