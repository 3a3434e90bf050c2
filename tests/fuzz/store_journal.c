/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A journal of any bytes. Its checksums are made right, so that what lies behind them is reached. */
#include "store_files.h"

static void mend(uint8_t *p, size_t len)
{
    if (len < STORE_HEAD_LEN)
        return;
    memcpy(p, "PGJRNL\r\n\0\0\0\1\0\0\0\1", 16); /* its number is that of the name */
    memset(p + 24, 0, 20);                       /* it goes on from nothing */
    store_files_put_u32(p + STORE_HEAD_LEN - 4, crc_32c(0, p, STORE_HEAD_LEN - 4));
    for (size_t at = STORE_HEAD_LEN; len - at >= STORE_FRAME_LEN;) {
        uint8_t *f = p + at;
        struct rd r = rd_init(f + 4, 4);
        uint32_t body = rd_u32(&r);
        if (body == 0 && f[0] == 0)
            return;
        memcpy(f, "PGF1", 4);
        if (store_frame_room(body) <= len - at)
            store_files_put_u32(f + 20, crc_32c(0, f + STORE_FRAME_LEN, body));
        store_files_put_u32(f + 28, crc_32c(crc_32c(0, p + 16, 8), f, STORE_FRAME_LEN - 4));
        if (store_frame_room(body) > len - at)
            return;
        at += (size_t)store_frame_room(body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* The first byte says whether the file is taken as it is. */
    uint8_t *copy = malloc(size);
    base_assert(copy != NULL);
    memcpy(copy, data, size);
    if (copy[0] != 0)
        mend(copy + 1, size - 1);
    store_files_try("journal-0000000001", copy + 1, size - 1);
    free(copy);
    return 0;
}
