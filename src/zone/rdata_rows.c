/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every type that has a presentation form (IANA "DNS Parameters"), by ascending number. Types that
 * were never described (UINFO, UID, GID, UNSPEC) and NULL have none but \#. */
#include "dns/type.h"
#include "zone/rdata_text.h"

#define KEY_TEXT "FLAGS PROTOCOL ALGORITHM BASE64"
#define DS_TEXT "KEYTAG ALGORITHM DIGESTTYPE HEXADECIMAL"
#define SIG_TEXT "TYPE ALGORITHM LABELS TTL EXPIRATION INCEPTION KEYTAG SIGNER BASE64"
#define TXT_TEXT "\"TEXT\" [\"TEXT\" ...]"
#define TLSA_TEXT "USAGE SELECTOR MATCHING HEXADECIMAL"
#define SVCB_TEXT "PRIORITY TARGET [KEY[=VALUE] ...] (RFC 9460 section 2.1)"

static const struct zone_rdata_row rows[] = {
    { DNS_TYPE_A, "a", "IPV4-ADDRESS" },
    { DNS_TYPE_NS, "n", "NAME" },
    { DNS_TYPE_MD, "n", "NAME" },
    { DNS_TYPE_MF, "n", "NAME" },
    { DNS_TYPE_CNAME, "n", "NAME" },
    { DNS_TYPE_SOA, "nn4tttt", "SERVER MAILBOX SERIAL REFRESH RETRY EXPIRE MINIMUM" },
    { DNS_TYPE_MB, "n", "NAME" },
    { DNS_TYPE_MG, "n", "NAME" },
    { DNS_TYPE_MR, "n", "NAME" },
    { DNS_TYPE_WKS, "aW", "IPV4-ADDRESS PROTOCOL SERVICE ... (RFC 1035 section 3.4.2)" },
    { DNS_TYPE_PTR, "n", "NAME" },
    { DNS_TYPE_HINFO, "ss", "CPU OS" },
    { DNS_TYPE_MINFO, "nn", "MAILBOX ERROR-MAILBOX" },
    { DNS_TYPE_MX, "2n", "PREFERENCE NAME" },
    { DNS_TYPE_TXT, "S", TXT_TEXT },
    { DNS_TYPE_RP, "nn", "MAILBOX TXT-NAME" },
    { DNS_TYPE_AFSDB, "2n", "SUBTYPE NAME" },
    { DNS_TYPE_X25, "D", "DIGITS (RFC 1183 section 3.1)" },
    { DNS_TYPE_ISDN, "so", "ADDRESS [SUBADDRESS] (RFC 1183 section 3.2)" },
    { DNS_TYPE_RT, "2n", "PREFERENCE NAME" },
    { DNS_TYPE_NSAP, "N", "0xHEXADECIMAL (RFC 1706 section 7)" },
    { DNS_TYPE_NSAP_PTR, "n", "NAME" },
    { DNS_TYPE_SIG, "yg14TT2nb", SIG_TEXT },
    { DNS_TYPE_KEY, "fpgB", KEY_TEXT },
    { DNS_TYPE_PX, "2nn", "PREFERENCE MAP822 MAPX400 (RFC 2163 section 4)" },
    { DNS_TYPE_GPOS, "GGG", "LONGITUDE LATITUDE ALTITUDE (RFC 1712 section 3)" },
    { DNS_TYPE_AAAA, "A", "IPV6-ADDRESS" },
    { DNS_TYPE_LOC, "L",
      "D [M [S]] N|S D [M [S]] E|W ALT[m] [SIZE[m] [HP[m] [VP[m]]]] (RFC 1876)" },
    { DNS_TYPE_NXT, "nO", "NAME TYPE ..." },
    { DNS_TYPE_EID, "h", "HEXADECIMAL" },
    { DNS_TYPE_NIMLOC, "h", "HEXADECIMAL" },
    { DNS_TYPE_SRV, "222n", "PRIORITY WEIGHT PORT NAME" },
    { DNS_TYPE_ATMA, "M", "+DIGITS or HEXADECIMAL" },
    { DNS_TYPE_NAPTR, "22sssn", "ORDER PREFERENCE FLAGS SERVICES REGEXP NAME" },
    { DNS_TYPE_KX, "2n", "PREFERENCE NAME" },
    { DNS_TYPE_CERT, "c2gb", "CERTTYPE KEYTAG ALGORITHM BASE64" },
    { DNS_TYPE_A6, "6", "PREFIXLENGTH [SUFFIX] [PREFIXNAME] (RFC 2874 section 3.1)" },
    { DNS_TYPE_DNAME, "n", "NAME" },
    { DNS_TYPE_SINK, "111B", "MEANING CODING SUBCODING BASE64" },
    { DNS_TYPE_APL, "P", "[!]FAMILY:ADDRESS/PREFIXLENGTH ... (RFC 3123 section 5)" },
    { DNS_TYPE_DS, "2gdh", DS_TEXT },
    { DNS_TYPE_SSHFP, "11h", "ALGORITHM FINGERPRINTTYPE HEXADECIMAL" },
    { DNS_TYPE_IPSECKEY, "I",
      "PRECEDENCE GATEWAYTYPE ALGORITHM GATEWAY [BASE64] (RFC 4025 section 3)" },
    { DNS_TYPE_RRSIG, "yg14TT2nb", SIG_TEXT },
    { DNS_TYPE_NSEC, "nm", "NEXT-NAME TYPE ..." },
    { DNS_TYPE_DNSKEY, "21gb", KEY_TEXT },
    { DNS_TYPE_DHCID, "b", "BASE64" },
    { DNS_TYPE_NSEC3, "112xXm", "HASHALGORITHM FLAGS ITERATIONS SALT NEXT-HASH [TYPE ...]" },
    { DNS_TYPE_NSEC3PARAM, "112x", "HASHALGORITHM FLAGS ITERATIONS SALT" },
    { DNS_TYPE_TLSA, "111h", TLSA_TEXT },
    { DNS_TYPE_SMIMEA, "111h", TLSA_TEXT },
    { DNS_TYPE_HIP, "Q", "ALGORITHM HIT-HEXADECIMAL KEY-BASE64 [SERVER ...] (RFC 8005 section 6)" },
    { DNS_TYPE_NINFO, "S", TXT_TEXT },
    { DNS_TYPE_RKEY, "fpgb", KEY_TEXT },
    { DNS_TYPE_TALINK, "nn", "NAME NAME" },
    { DNS_TYPE_CDS, "2gdh", DS_TEXT },
    { DNS_TYPE_CDNSKEY, "21gb", KEY_TEXT },
    { DNS_TYPE_OPENPGPKEY, "b", "BASE64" },
    { DNS_TYPE_CSYNC, "42m", "SERIAL FLAGS TYPE ..." },
    { DNS_TYPE_ZONEMD, "411h", "SERIAL SCHEME HASH HEXADECIMAL" },
    { DNS_TYPE_SVCB, "2nV", SVCB_TEXT },
    { DNS_TYPE_HTTPS, "2nV", SVCB_TEXT },
    { DNS_TYPE_DSYNC, "yz2n", "TYPE SCHEME PORT TARGET (RFC 9859 section 3.2)" },
    { DNS_TYPE_HHIT, "b", "BASE64 (RFC 9886 section 5.1)" },
    { DNS_TYPE_BRID, "b", "BASE64 (RFC 9886 section 5.2)" },
    { DNS_TYPE_SPF, "S", TXT_TEXT },
    { DNS_TYPE_NID, "2l", "PREFERENCE HEX:HEX:HEX:HEX (RFC 6742 section 2.1.2)" },
    { DNS_TYPE_L32, "2a", "PREFERENCE LOCATOR, like an IPv4 address (RFC 6742 section 2.2.2)" },
    { DNS_TYPE_L64, "2l", "PREFERENCE HEX:HEX:HEX:HEX (RFC 6742 section 2.3.2)" },
    { DNS_TYPE_LP, "2n", "PREFERENCE NAME" },
    { DNS_TYPE_EUI48, "e", "HH-HH-HH-HH-HH-HH" },
    { DNS_TYPE_EUI64, "E", "HH-HH-HH-HH-HH-HH-HH-HH" },
    { DNS_TYPE_URI, "22u", "PRIORITY WEIGHT \"URI\"" },
    { DNS_TYPE_CAA, "1ku", "FLAGS TAG \"VALUE\"" },
    { DNS_TYPE_AVC, "S", TXT_TEXT },
    { DNS_TYPE_DOA, "441sC", "ENTERPRISE TYPE LOCATION \"MEDIATYPE\" BASE64, or - for no data" },
    { DNS_TYPE_AMTRELAY, "R", "PRECEDENCE DISCOVERY TYPE RELAY (RFC 8777 section 4.3.1)" },
    { DNS_TYPE_RESINFO, "S", "KEY[=VALUE] ... (RFC 9606 section 4)" },
    { DNS_TYPE_WALLET, "S", TXT_TEXT },
    { DNS_TYPE_CLA, "S", TXT_TEXT },
    { DNS_TYPE_IPN, "8", "NUMBER" },
    { DNS_TYPE_TA, "2gdh", DS_TEXT },
    { DNS_TYPE_DLV, "2gdh", DS_TEXT },
};

const struct zone_rdata_row *zone_rdata_row(uint16_t type)
{
    size_t low = 0, high = BASE_COUNT(rows);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (rows[mid].type < type)
            low = mid + 1;
        else
            high = mid;
    }
    return low < BASE_COUNT(rows) && rows[low].type == type ? &rows[low] : NULL;
}
