/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A snapshot of any bytes. Its checksums are made right, so that what lies behind them is reached. What is
 * in the image is the business of the target zone_image. */
#include "store_files.h"
#include "zone/image.h"

static void mend_image(uint8_t *p, size_t len)
{
    if (len < IMAGE_PAGE)
        return;
    struct zone_image_slot slot;
    memcpy(&slot, p + IMAGE_SLOT_A, sizeof slot);
    slot.version |= 1;
    slot.end = len & ~(size_t)7;
    slot.data_crc = crc_32c(0, p + IMAGE_PAGE, slot.end - IMAGE_PAGE);
    slot.crc = crc_32c(0, &slot, offsetof(struct zone_image_slot, crc));
    memcpy(p + IMAGE_SLOT_A, &slot, sizeof slot);
}

static void mend(uint8_t *p, size_t len)
{
    if (len < STORE_FOOT_LEN)
        return;
    uint8_t *foot = p + len - STORE_FOOT_LEN;
    struct rd r = rd_init(foot + 24 + 4, 4);
    size_t rest = len - STORE_FOOT_LEN, image = rd_u32(&r) % (rest + 1), table = rest - image;
    memcpy(foot, "PGSNAP\r\n\0\0\0\1\0\0\0\1", 16);
    memset(foot + 24, 0, 16);
    store_files_put_u32(foot + 28, (uint32_t)image);
    store_files_put_u32(foot + 36, (uint32_t)table);
    store_files_put_u32(foot + 44, crc_32c(0, p + image, table));
    store_files_put_u32(foot + STORE_FOOT_LEN - 4, crc_32c(0, foot, STORE_FOOT_LEN - 4));
    mend_image(p, image);
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
    store_files_try("snapshot-0000000001", copy + 1, size - 1);
    free(copy);
    return 0;
}
