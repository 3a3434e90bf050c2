/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* Secrets of one length, several in a file so that they can be rolled: one a line in hexadecimal; empty lines
 * and what is behind a `#` are passed over. */

/* Reads the file's text. Returns how many secrets went into out[], `each` bytes each; 0 with *e filled
 * in when there is none, more than `max`, one twice, or a line that is no secret. */
uint32_t secret_file_parse(const char *text, size_t len, uint8_t *out, uint32_t each, uint32_t max,
                           struct err *e) BASE_MUST_USE;

/* The same from a file, which its owner alone may read. Blocks on disk. The error names the file. */
uint32_t secret_file_read(const char *path, uint8_t *out, uint32_t each, uint32_t max,
                          struct err *e) BASE_MUST_USE;

#endif
