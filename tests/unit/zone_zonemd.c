/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The digest of a zone (RFC 8976). */
#include "zone/zonemd.h"

#include "zone_help.h"

#define SIMPLE                                                                                     \
    "example. 86400 SOA ns1 admin 2018031900 1800 900 604800 86400\n"                              \
    "@ 86400 NS ns1\n@ 86400 NS ns2\n"

/* RFC 8976 appendix A.1 */
static const char simple_a1[] =
    SIMPLE "@ 86400 ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9"
           "a87153b9a9713b3c9ae5cc27777f98b8e730044c\n"
           "ns1 3600 A 203.0.113.63\nns2 3600 AAAA 2001:db8::63\n";

/* Appendix A.2: occluded data and a duplicate; without its record outside of the zone, which no load
 * lets in. */
#define NOT_APEX                                                                                   \
    "non-apex 900 ZONEMD 2018031900 1 1 616c6c6f776564206275742069676e6f7265642e20616c6c6f776564"  \
    "206275742069676e6f7265642e20616c6c6f7765\n"
static const char complex_a2[] =
    SIMPLE "@ 86400 ZONEMD 2018031900 1 1 31cefb03814f5062ad12fa951ba0ef5f8da6ae354a415767246f7dc9"
           "32ceb1e742a2108f529db6a33a11c01493de358d\n"
           "ns1 3600 A 203.0.113.63\nns2 3600 AAAA 2001:db8::63\n"
           "occluded.sub 7200 TXT \"I'm occluded but must be digested\"\n"
           "sub 7200 NS ns1\n"
           "duplicate 300 TXT \"I must be digested just once\"\n"
           "duplicate 300 TXT \"I must be digested just once\"\n" NOT_APEX;

/* The same with names in capitals, a wildcard and RRsets that are not in order: of the drafts' examples. */
static const char capitals[] =
    SIMPLE "@ 86400 ZONEMD 2018031900 1 1 a3b69bad980a3504e1cffcb0fd6397f93848071c93151f552ae2f6b1"
           "711d4bd2d8b39808226d7b9db71e34b72077f8fe\n"
           "ns1 3600 A 203.0.113.63\nNS2 3600 AAAA 2001:db8::63\n"
           "occluded.sub 7200 TXT \"I'm occluded but must be digested\"\n"
           "sub 7200 NS ns1\n"
           "duplicate 300 TXT \"I must be digested just once\"\n"
           "duplicate 300 TXT \"I must be digested just once\"\n"
           "UPPERCASE 3600 TXT \"canonicalize uppercase owner names\"\n"
           "* 777 PTR dont-forget-about-wildcards\n"
           "mail 3600 MX 20 MAIL1\nmail 3600 MX 10 Mail2.Example.\n"
           "sortme 3600 AAAA 2001:db8::5:61\nsortme 3600 AAAA 2001:db8::3:62\n"
           "sortme 3600 AAAA 2001:db8::4:63\nsortme 3600 AAAA 2001:db8::1:65\n"
           "sortme 3600 AAAA 2001:db8::2:64\n" NOT_APEX;

/* Appendix A.3 */
#define MULTI_384                                                                                  \
    "@ 86400 ZONEMD 2018031900 1 1 62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c" \
    "279dd10f0edb1c56f8080211f8480ee306\n"
#define MULTI_512                                                                                  \
    "@ 86400 ZONEMD 2018031900 1 2 08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c" \
    "8a4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27\n"
#define MULTI_OTHERS                                                                               \
    "@ 86400 ZONEMD 2018031900 1 240 e2d523f654b9422a96c5a8f44607bbee\n"                           \
    "@ 86400 ZONEMD 2018031900 241 1 e1846540e33a9e4189792d18d5d131f605fc283e\n"
#define MULTI_DATA                                                                                 \
    "ns1.example. 3600 A 203.0.113.63\n"                                                           \
    "ns2.example. 86400 TXT \"This example has multiple digests\"\n"                               \
    "NS2.EXAMPLE. 3600 AAAA 2001:db8::63\n"

/* Appendix A.4 */
static const char uri_arpa[] =
    "@ 3600 IN SOA sns.dns.icann.org. noc.dns.icann.org. 2018100702 10800 3600 1209600 36"
    "00\n"
    "@ 3600 IN RRSIG NSEC 8 2 3600 20181028142623 20181007205525 47155 uri.arpa. eEC4w/oX"
    "LR1Epwgv4MBiDtSBsXhqrJVvJWUpbX8XpetAvD35bxwNCUTi/pAJVUXefegWeiriD2rkTgCBCMmn7YQIm3gd"
    "R+HjY/+o3BXNQnz97f+eHAE9EDDzoNVfL1PyV/2fde9tDeUuAGVVwmD399NGq9jWYMRpyri2kysrq/g=\n"
    "@ 86400 IN RRSIG NS 8 2 86400 20181028172020 20181007175821 47155 uri.arpa. ATyV2A2A"
    "8ZoggC+68u4GuP5MOUuR+2rr3eWOkEU55zAHld/7FiBxl4ln4byJYy7NudUwlMOEXajqFZE7DVl8PpcvrP3H"
    "eeGaVzKqaWj+aus0jbKFBsvs2b1qDZemBfkz/IfAhUTJKnto0vSUicJKfItu0GjyYNJCz2CqEuGDWxc=\n"
    "@ 600 IN RRSIG MX 8 2 600 20181028170556 20181007175821 47155 uri.arpa. e7/r3KXDohX1"
    "lyVavetFFObp8fB8aXT76HnN9KCQDxSnSghNM83UQV0tlTtD8JVeN1mCvcNFZpagwIgB7XhTtm6Beur/m5ES"
    "+4uSnVeS6Q66HBZKA3mR95IpevuVIZvvJ+GcCAQpBo6KRODYvJ/c/ZG6sfYWkZ7qg/Em5/+34UI=\n"
    "@ 3600 IN RRSIG DNSKEY 8 2 3600 20181028152832 20181007175821 15796 uri.arpa. nzpbnh"
    "0OqsgBBP8St28pLvPEQ3wZAUdEBuUwil+rtjjWlYYiqjPxZ286XF4Rq1usfV5x71jZz5IqswOaQgia91ylod"
    "FpLuXD6FTGs2nXGhNKkg1VchHgtwj70mXU72GefVgo8TxrFYzxuEFP5ZTP92t97FVWVVyyFd86sbbR6DZj3u"
    "A2wEvqBVLECgJLrMQ9Yy7MueJl3UA4h4E6zO2JY9Yp0W9woq0BdqkkwYTwzogyYffPmGAJG91RJ2h6cHtFjE"
    "Ze2MnaY2glqniZ0WT9vXXduFPm0KD9U77Ac+ZtctAF9tsZwSdAoL365E2L1usZbA+K0BnPPqGFJRJk5R0A1w"
    "==\n"
    "@ 3600 IN RRSIG DNSKEY 8 2 3600 20181028152832 20181007175821 55480 uri.arpa. lWtQV/"
    "5szQjkXmbcD47/+rOW8kJPksRFHlzxxmzt906+DBYyfrH6uq5XnHvrUlQO6M12uhqDeL+bDFVgqSpNy+42/O"
    "aZvaK3J8EzPZVBHPJykKMV63T83aAiJrAyHzOaEdmzLCpalqcEE2ImzlLHSafManRfJL8Yuv+JDZFj2WDWfE"
    "cUuwkmIZWX11zxp+DxwzyUlRl7x4+ok5iKZWIg5UnBAf6B8T75WnXzlhCw3F2pXI0a5LYg71L3Tp/xhjN6Yy"
    "9jGlIRf5BjB59X2zra3a2RPkI09SSnuEwHyF1mDaV5BmQrLGRnCjvwXA7ho2m+vv4SP5dUdXf+GTeA1HeBfw"
    "==\n"
    "@ 3600 IN RRSIG SOA 8 2 3600 20181029114753 20181008222815 47155 uri.arpa. qn8yBNoHD"
    "jGdT79U2Wu9IIahoS0YPOgYP8lG+qwPcrZ1BwGiHywuoUa2Mx6BWZlg+HDyaxj2iOmox+IIqoUHhXUbO7IUk"
    "JFlgrOKCgAR2twDHrXu9BUQHy9SoV16wYm3kBTEPyxW5FFm8vcdnKAF7sxSY8BbaYNpRIEjDx4AJUc=\n"
    "@ 3600 IN NSEC ftp.uri.arpa. NS SOA MX RRSIG NSEC DNSKEY\n"
    "@ 86400 IN NS a.iana-servers.net.\n"
    "@ 86400 IN NS b.iana-servers.net.\n"
    "@ 86400 IN NS c.iana-servers.net.\n"
    "@ 86400 IN NS ns2.lacnic.net.\n"
    "@ 86400 IN NS sec3.apnic.net.\n"
    "@ 600 IN MX 10 pechora.icann.org.\n"
    "@ 3600 IN DNSKEY 256 3 8 AwEAAcBi7tSart2J599zbYWspMNGN70IBWb4ziqyQYH9MTB/VCz6WyUKuXu"
    "nwiJJbbQ3bcLqTLWEw134B6cTMHrZpjTAb5WAwg4XcWUu8mdcPTiLBl6qVRlRD0WiFCTzuYUfkwsh1Rbr7rv"
    "rxSQhF5rh71zSpwV5jjjp65WxSdJjlH0B\n"
    "@ 3600 IN DNSKEY 257 3 8 AwEAAbNVv6ulgRdO31MtAehz7j3ALRjwZglWesnzvllQl/+hBRZr9QoYcO2"
    "I+DkO4Q1NKxox4DUIxj8SxPO3GwDuOFR9q2/CFi2O0mZjafbdYtWc3zSdBbi3q0cwCIx7GuG9eqlL+pg7mdk"
    "9dgdNZfHwB0LnqTD8ebLPsrO/Id7kBaiqYOfMlZnh2fp+2h6OOJZHtY0DK1UlssyB5PKsE0tVzo5s6zo9iXK"
    "e5u+8WTMaGDY49vG80JPAKE7ezMiH/NZcUMiE0PRZ8D3foq2dYuS5ym+vA83Z7v8A+Rwh4UGnjxKB8zmr803"
    "V0ASAmHz/gwH5Vb0nH+LObwFtl3wpbp+Wpm8=\n"
    "@ 3600 IN DNSKEY 257 3 8 AwEAAbwnFTakCvaUKsXji4mgmxZUJi1IygbnGahbkmFEa0L16J+TchKRwcg"
    "zVfsxUGa2MmeA4hgkAooC3uy+tTmoMsgy8uq/JAj24DjiHzd46LfDFK/qMidVqFpYSHeq2Vv5ojkuIsx4oe4"
    "KsafGWYNOczKZgH5loGjN2aJGmrIm++XCphOskgCsQYl65MIzuXffzJyxlAuts+ecAIiVeqRaqQfr8LRU7wI"
    "sLxinXirprtQrbor+EtvlHp9qXE6ARTZDzf4jvsNpKvLFZtmxzFf3e/UJz5eHjpwDSiZL7xE8aE1o1nGfPtJ"
    "x9ZnB3bapltaJ5wY+5XOCKgY0xmJVvNQlwdE=\n"
    "ftp.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20181028080856 20181007175821 47155 uri.ar"
    "pa. HClGAqPxzkYkAT7Q/QNtQeB6YrkP6EPOef+9Qo5/2zngwAewXEAQiyF9jD1USJiroM11QqBS3v3aIdW/"
    "LXORs4Ez3hLcKNO1cKHsOuWAqzmE+BPPArfh8N95jqh/q6vpaB9UtMkQ53tM2fYU1GszOLN0knxbHgDHAh2a"
    "xMGHlqM=\n"
    "ftp.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20181028103644 20181007205525 47155 u"
    "ri.arpa. WoLi+vZzkxaoLr2IGZnwkRvcDf6KxiWQd1WZP/U+AWnV+7MiqsWPZaf09toRErerGoFOiOASNxZ"
    "jBGJrRgjmavOM9U+LZSconP9zrNFd4dIu6kp5YxlQJ0uHOvx1ZHFCj6lAt1ACUIw04ZhMydTmi27c8MzEOMe"
    "pvn7iH7r7k7k=\n"
    "ftp.uri.arpa. 3600 IN NSEC http.uri.arpa. NAPTR RRSIG NSEC\n"
    "ftp.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"!^ftp://([^:/?#]*).*$!\\\\1!i\" .\n"
    "http.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20181029010647 20181007175821 47155 uri.a"
    "rpa. U03NntQ73LHWpfLmUK8nMsqkwVsOGW2KdsyuHYAjqQSZvKbtmbv7HBmEH1+Ii3Z+wtfdMZBy5aC/6sH"
    "dx69BfZJs16xumycMlAy6325DKTQbIMN+ift9GrKBC7cgCd2msF/uzSrYxxg4MJQzBPvlkwXnY3b7eJSlIXi"
    "sBIn73b8=\n"
    "http.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20181029011815 20181007205525 47155 "
    "uri.arpa. T7mRrdag+WSmG+n22mtBSQ/0Y3v+rdDnfQV90LN5Fq32N5K2iYFajF7FTp56oOznytfcL4fHrq"
    "OE0wRc9NWOCCUec9C7Wa1gJQcllEvgoAM+L6f0RsEjWq6+9jvlLKMXQv0xQuMX17338uoD/xiAFQSnDbiQKx"
    "wWMqVAimv57Zs=\n"
    "http.uri.arpa. 3600 IN NSEC mailto.uri.arpa. NAPTR RRSIG NSEC\n"
    "http.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"!^http://([^:/?#]*).*$!\\\\1!i\" .\n"
    "mailto.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20181028110727 20181007175821 47155 uri"
    ".arpa. GvxzVL85rEukwGqtuLxek9ipwjBMfTOFIEyJ7afC8HxVMs6mfFa/nEM/IdFvvFg+lcYoJSQYuSAVY"
    "Fl3xPbgrxVSLK125QutCFMdC/YjuZEnq5clfQciMRD7R3+znZfm8d8u/snLV9w4D+lTBZrJJUBe1Efc8vum5"
    "vvV7819ZoY=\n"
    "mailto.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20181028141825 20181007205525 4715"
    "5 uri.arpa. MaADUgc3fc5v++M0YmqjGk3jBdfIA5RuP62hUSlPsFZO4k37erjIGCfFj+g84yc+QgbSde0P"
    "QHszl9fE/+SU5ZXiS9YdcbzSZxp2erFpZOTchrpg916T4vx6i59scodjb0l6bDyZ+mtIPrc1w6b4hUyOUTsD"
    "QoAJYxdfEuMgVy4=\n"
    "mailto.uri.arpa. 3600 IN NSEC urn.uri.arpa. NAPTR RRSIG NSEC\n"
    "mailto.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"!^mailto:(.*)@(.*)$!\\\\2!i\" .\n"
    "urn.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20181028123243 20181007175821 47155 uri.ar"
    "pa. Hgsw4Deops1O8uWyELGe6hpR/OEqCnTHvahlwiQkHhO5CSEQrbhmFAWeUOkmGAdTEYrSz+skLRQuITRM"
    "wzyFf4oUkZihGyhZyzHbcxWfuDc/Pd/9DSl56gdeBwy1evn5wBTms8yWQVkNtphbJH395gRqZuaJs3LD/qTy"
    "J5DpLvA=\n"
    "urn.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20181029071816 20181007205525 47155 u"
    "ri.arpa. ALIZD0vBqAQQt40GQ0Efaj8OCyE9xSRJRdyvyn/H/wZVXFRFKrQYrLASD/K7q6CMTOxTRCu2J8y"
    "es63WJiaJEdnh+dscXzZkmOg4n5PsgZbkvUSWBiGtxvz5jNncM0xVbkjbtByrvJQAO1cU1mnlDKe1FmVB1uL"
    "pVdA9Ib4JhMU=\n"
    "urn.uri.arpa. 3600 IN NSEC uri.arpa. NAPTR RRSIG NSEC\n"
    "urn.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"/urn:([^:]+)/\\\\1/i\" .\n"
    "@ 3600 IN ZONEMD 2018100702 1 1 1291b78ddf7669b1a39d014d87626b709b55774c5d7d58fadc55"
    "6439889a10eaf6f11d615900a4f996bd46279514e473\n";

/* Appendix A.5 */
static const char root_servers[] =
    "$TTL 3600000\n@ SOA a nstld.verisign-grs.com. 2018091100 14400 7200 1209600 3600000\n"
    "@ NS a\n@ NS b\n@ NS c\n@ NS d\n@ NS e\n@ NS f\n@ NS g\n@ NS h\n@ NS i\n@ NS j\n@ NS k\n"
    "@ NS l\n@ NS m\n"
    "a AAAA 2001:503:ba3e::2:30\na A 198.41.0.4\n"
    "b MX 20 mail.isi.edu.\nb AAAA 2001:500:200::b\nb A 199.9.14.201\n"
    "c AAAA 2001:500:2::c\nc A 192.33.4.12\nd AAAA 2001:500:2d::d\nd A 199.7.91.13\n"
    "e AAAA 2001:500:a8::e\ne A 192.203.230.10\nf AAAA 2001:500:2f::f\nf A 192.5.5.241\n"
    "g AAAA 2001:500:12::d0d\ng A 192.112.36.4\nh AAAA 2001:500:1::53\nh A 198.97.190.53\n"
    "i MX 10 mx.i.root-servers.org.\ni AAAA 2001:7fe::53\ni A 192.36.148.17\n"
    "j AAAA 2001:503:c27::2:30\nj A 192.58.128.30\nk AAAA 2001:7fd::1\nk A 193.0.14.129\n"
    "l AAAA 2001:500:9f::42\nl A 199.7.83.42\nm AAAA 2001:dc3::35\nm A 202.12.27.33\n"
    "@ ZONEMD 2018091100 1 1 f1ca0ccd91bd5573d9f431c00ee0101b2545c97602be0a978a3b11dbfc1c776d5b3e"
    "86ae3d973d6b5349ba7f04340f79\n";

static const struct {
    const char *what, *origin, *text;
    enum zone_zonemd_result result;
    const char *why;
} cases[] = {
    { "RFC 8976 A.1", "example", simple_a1, ZONE_ZONEMD_GOOD,
      "SHA-384 of serial 2018031900 over 5 records" },
    { "RFC 8976 A.2", "example", complex_a2, ZONE_ZONEMD_GOOD, "SHA-384 of serial 2018031900" },
    { "capitals and a wildcard", "example", capitals, ZONE_ZONEMD_GOOD, "SHA-384" },
    { "RFC 8976 A.3", "example", SIMPLE MULTI_384 MULTI_512 MULTI_OTHERS MULTI_DATA,
      ZONE_ZONEMD_GOOD, "SHA-384" },
    { "SHA-512 alone", "example", SIMPLE MULTI_512 MULTI_OTHERS MULTI_DATA, ZONE_ZONEMD_GOOD,
      "SHA-512 of serial" },
    { "RFC 8976 A.4", "uri.arpa", uri_arpa, ZONE_ZONEMD_GOOD, "SHA-384 of serial 2018100702" },
    { "RFC 8976 A.5", "root-servers.net", root_servers, ZONE_ZONEMD_GOOD,
      "SHA-384 of serial 2018091100" },
    { "none", "example", SIMPLE MULTI_DATA, ZONE_ZONEMD_NONE, "there is no ZONEMD" },
    { "none at the origin", "example", SIMPLE MULTI_DATA NOT_APEX, ZONE_ZONEMD_NONE,
      "there is no ZONEMD" },
    { "4 step 5b and 5c: only kinds that are not known", "example", SIMPLE MULTI_OTHERS MULTI_DATA,
      ZONE_ZONEMD_UNSUPPORTED, "scheme 1 with algorithm 240 is not known" },
    { "4: one good one is enough", "example",
      SIMPLE MULTI_512 MULTI_DATA
      "@ 86400 ZONEMD 2018031900 1 1 00e6cf51b02e54b9b5f967d547ce43136"
      "792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306\n",
      ZONE_ZONEMD_GOOD, "SHA-512" },
    { "4 step 4: two of one kind, both of no use", "example",
      SIMPLE MULTI_384 MULTI_DATA
      "@ 86400 ZONEMD 2018031900 1 1 00e6cf51b02e54b9b5f967d547ce43136"
      "792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306\n",
      ZONE_ZONEMD_BAD, "there are several of scheme 1 with SHA-384" },
    { "4 step 4: two of one kind, one good of the other", "example",
      SIMPLE MULTI_384 MULTI_512 MULTI_DATA
      "@ 86400 ZONEMD 2018031900 1 1 00e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92"
      "c279dd10f0edb1c56f8080211f8480ee306\n",
      ZONE_ZONEMD_GOOD, "SHA-512" },
    { "4 step 5a: another serial", "example",
      "@ 86400 SOA ns1 admin 2018031901 1800 900 604800 86400\n@ 86400 NS ns1\n" MULTI_384
          MULTI_DATA,
      ZONE_ZONEMD_BAD, "it is of serial 2018031900, and the zone has serial 2018031901" },
    { "4 step 5d: a digest that is cut off", "example",
      SIMPLE MULTI_DATA
      "@ 86400 ZONEMD 2018031900 1 1 62e6cf51b02e54b9b5f967d547ce43136792901f9f\n",
      ZONE_ZONEMD_BAD, "its SHA-384 has 21 bytes instead of 48" },
    { "3.1: a placeholder that was left", "example",
      SIMPLE MULTI_DATA "@ 86400 ZONEMD 2018031900 1 1 0000000000000000000000000000000000000000000"
                        "00000000000000000000000000000000000000000000000000000\n",
      ZONE_ZONEMD_BAD, "its SHA-384 is not that of the zone's 6 records" },
    { "a record more", "example", SIMPLE MULTI_384 MULTI_DATA "x 1 A 1.1.1.1\n", ZONE_ZONEMD_BAD,
      "its SHA-384 is not that of the zone's 7 records" },
    { "another TTL", "example",
      SIMPLE MULTI_384 "ns1.example. 3601 A 203.0.113.63\n"
                       "ns2.example. 86400 TXT \"This example has multiple digests\"\n"
                       "ns2.example. 3600 AAAA 2001:db8::63\n",
      ZONE_ZONEMD_BAD, "its SHA-384 is not" },
    { "the TTL of ZONEMD itself does not matter (3.1)", "example",
      SIMPLE "@ 1 ZONEMD 2018031900 1 1 62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401"
             "c92c279dd10f0edb1c56f8080211f8480ee306\n" MULTI_DATA,
      ZONE_ZONEMD_GOOD, "SHA-384" },
    { "nor does its signature (3.3.1.1)", "example",
      SIMPLE MULTI_384 MULTI_DATA
      "@ 86400 RRSIG ZONEMD 8 1 86400 20300101000000 20200101000000 1 example. AAAA\n",
      ZONE_ZONEMD_GOOD, "SHA-384" },
    { "but any other does", "example",
      SIMPLE MULTI_384 MULTI_DATA
      "@ 86400 RRSIG SOA 8 1 86400 20300101000000 20200101000000 1 example. AAAA\n",
      ZONE_ZONEMD_BAD, "its SHA-384 is not" },
};

static void digests_are_verified(void **state)
{
    (void)state;
    static struct zone_zonemd m;
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        AUTO(zone_set) s = zone_help_set(cases[i].origin, cases[i].text);
        const char *why;
        enum zone_zonemd_result got = zone_zonemd_verify(&m, zone_set_at(s, 0), &why);
        if (got != cases[i].result || strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
            fail_msg("%s: %d: %s", cases[i].what, (int)got, why);
    }
}

/* In steps of one record it comes to the same, and each step does at least one. */
static void steps_do_not_matter(void **state)
{
    (void)state;
    static struct zone_zonemd m;
    for (size_t i = 0; i < BASE_COUNT(cases); i++) {
        AUTO(zone_set) s = zone_help_set(cases[i].origin, cases[i].text);
        const char *why;
        unsigned steps = 1;
        zone_zonemd_begin(&m, zone_set_at(s, 0));
        while (zone_zonemd_step(&m, 1))
            steps++;
        assert_int_equal(zone_zonemd_end(&m, &why), cases[i].result);
        assert_int_equal(zone_zonemd_end(&m, &why), cases[i].result);
        assert_true(steps <= zone_record_count(zone_set_at(s, 0)) + 1);
    }
}

/* NSEC3 has a tree of its own, and its owners stand between the names; one may even be a name too. */
static void hashed_owners_are_in_their_place(void **state)
{
    (void)state;
#define H "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
    static const char mixed[] =
        "@ 1 SOA a. b. 1 1 1 1 1\n@ 1 NS a.\n@ 1 NSEC3PARAM 1 0 0 -\n" H " 1 NSEC3 1 0 0 - " H
        " NS SOA\n" H " 1 RRSIG NSEC3 8 2 1 20300101000000 20200101000000 1 example. AAAA\n" H
        " 1 A 192.0.2.1\n" H " 1 TYPE65280 \\# 1 00\n" H
        " 1 RRSIG A 8 2 1 20300101000000 20200101000000 1 example. AAAA\n" H
        " 1 RRSIG TYPE65280 8 2 1 20300101000000 20200101000000 1 example. AAAA\n"
        "1 1 A 192.0.2.1\nz 1 A 192.0.2.1\n";
    /* by an independent implementation */
    static const char want[] =
        "950f322b6a197a23f0758cf8b85aca88e6186548f1d4a6bfc3e22e72388ad85b3ef37317b7af6b7e01ee967e1bdfd193";
#undef H
    AUTO(zone_set) s = zone_help_set("example", mixed);
    uint8_t digest[ZONE_ZONEMD_LEN_MAX];
    char hex[2 * ZONE_ZONEMD_LEN_MAX + 1];
    size_t len = zone_zonemd_digest(zone_set_at(s, 0), ZONE_ZONEMD_SHA384, digest);
    assert_int_equal(len, 48);
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, want);
    assert_int_equal(zone_zonemd_digest(zone_set_at(s, 0), 3, digest), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_verified),
        cmocka_unit_test(steps_do_not_matter),
        cmocka_unit_test(hashed_owners_are_in_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
