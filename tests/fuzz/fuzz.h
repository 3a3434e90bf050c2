/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What every fuzz target defines: returns 0, or -1 for an input that shall not enter the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Optional; runs once before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
