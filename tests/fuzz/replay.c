/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzz target over files, without a fuzzer: `replay_X DIR-OR-FILE …`. Every input is copied
 * to a heap block of exactly its size, so that AddressSanitizer sees a read past its end. Prints one
 * TAP case; the name of the input goes to stderr when it is the one that crashed (PERIGEE_REPLAY_SHOW
 * names each before it runs). */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#pragma weak LLVMFuzzerInitialize

static unsigned inputs, unreadable;

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (f == NULL || fstat(fileno(f), &st) != 0) {
        perror(path);
        unreadable++;
        if (f != NULL)
            fclose(f);
        return;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    if (data != NULL && fread(data, 1, size, f) == size) {
        if (getenv("PERIGEE_REPLAY_SHOW") != NULL)
            fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(data, size);
        inputs++;
    } else {
        unreadable++;
    }
    free(data);
    fclose(f);
}

static void replay_path(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        replay_file(path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char inside[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(inside, sizeof inside, "%s/%s", path, entries[i]->d_name);
            replay_file(inside);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        replay_path(argv[i]);
    puts("1..1");
    bool good = inputs != 0 && unreadable == 0;
    printf("%sok 1 - %u inputs replayed, %u not readable\n", good ? "" : "not ", inputs,
           unreadable);
    return good ? 0 : 1;
}
