/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 8192

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A line without its comment and the spaces around. False when it is not `each` bytes in hexadecimal. */
static bool line_parse(const char *line, size_t len, uint8_t *out, uint32_t each)
{
    if (len != 2 * (size_t)each)
        return false;
    for (uint32_t i = 0; i < each; i++) {
        int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

uint32_t secret_file_parse(const char *text, size_t len, uint8_t *out, uint32_t each, uint32_t max,
                           struct err *e)
{
    char hint[96];
    snprintf(hint, sizeof hint, "head -c %u /dev/urandom | od -An -v -tx1 | tr -d ' \\n'", each);
    uint32_t count = 0, line_no = 0;
    for (size_t at = 0; at < len;) {
        const char *line = text + at;
        const char *end = memchr(line, '\n', len - at);
        size_t line_len = end != NULL ? (size_t)(end - line) : len - at;
        at += line_len + 1;
        line_no++;
        const char *comment = memchr(line, '#', line_len);
        if (comment != NULL)
            line_len = (size_t)(comment - line);
        for (; line_len > 0 && is_space(line[line_len - 1]); line_len--)
            ;
        for (; line_len > 0 && is_space(*line); line_len--)
            line++;
        if (line_len == 0)
            continue;
        uint8_t *secret = out + (size_t)count * each;
        if (count == max)
            return err_set(e, ERR_LIMIT, "take out the oldest", "line %u: more than %u secrets",
                           line_no, max);
        if (!line_parse(line, line_len, secret, each))
            return err_set(e, ERR_INPUT, hint, "line %u: a secret has %u hexadecimal digits",
                           line_no, 2 * each);
        for (uint32_t i = 0; i < count; i++)
            if (memcmp(out + (size_t)i * each, secret, each) == 0)
                return err_set(e, ERR_INPUT, "once is enough", "line %u: the same secret again",
                               line_no);
        count++;
    }
    if (count == 0)
        (void)err_set(e, ERR_INPUT, hint, "there is no secret in it");
    return count;
}

static bool file_open(const char *path, int *fd, struct err *e)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0)
        return err_set_errno(e, NULL, "cannot open %s", path);
    if (fstat(*fd, &st) != 0)
        return err_set_errno(e, NULL, "cannot read %s", path);
    if (S_ISDIR(st.st_mode))
        return err_set(e, ERR_INPUT, NULL, "%s is a folder, not a file", path);
    if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
        char hint[200];
        snprintf(hint, sizeof hint, "chmod 600 %.180s", path);
        return err_set(e, ERR_INPUT, hint, "secret file %s can be read by others (mode %03o)", path,
                       (unsigned)st.st_mode & 0777);
    }
    return true;
}

uint32_t secret_file_read(const char *path, uint8_t *out, uint32_t each, uint32_t max,
                          struct err *e)
{
    char text[FILE_MAX];
    size_t len = 0;
    int fd;
    uint32_t count = 0;
    struct err in_file = { 0 };
    if (file_open(path, &fd, e)) {
        ssize_t n = 1;
        while (len < sizeof text && n > 0) {
            n = read(fd, text + len, sizeof text - len);
            if (n < 0 && errno == EINTR)
                n = 1;
            else if (n > 0)
                len += (size_t)n;
        }
        if (n < 0)
            (void)err_set_errno(e, NULL, "cannot read %s", path);
        else if (len == sizeof text)
            (void)err_set(e, ERR_LIMIT, NULL, "%s has more than %d bytes", path, FILE_MAX - 1);
        else if ((count = secret_file_parse(text, len, out, each, max, &in_file)) == 0)
            (void)err_set(e, in_file.kind, in_file.hint[0] != '\0' ? in_file.hint : NULL,
                          "secret file %.90s: %s", path, in_file.what);
        explicit_bzero(text, sizeof text);
    }
    if (fd >= 0)
        close(fd);
    return count;
}
