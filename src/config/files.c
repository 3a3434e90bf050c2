/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The files that a fleet file names, and the bundle in which guard hands all of it to control.
 *
 * Secrets are read once, by the process that starts as root; control and serve run as a user that cannot
 * read them again. So they travel in the bundle, beside the fleet file's bytes, in a sealed memfd. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "config/config.h"
#include "config/schema.h"

#define SECRET_FILE_MAX 4096
#define SECRET_MIN 16 /* characters of the fleet's secret: less can be guessed */
#define SECRET_MAX 255
#define MD5_PASSWORD_MAX 80 /* the kernel's TCP_MD5SIG_MAXKEYLEN */

/* Reads until the end, or until `cap` bytes are there and one more would come. */
static char *slurp_fd(int fd, const char *path, size_t cap, size_t *len, struct err *e)
{
    size_t used = 0, room = 0;
    char *bytes = NULL;
    for (;;) {
        if (used == room) {
            room = room ? room * 2 : 16384;
            bytes = base_realloc(bytes, room + 1);
        }
        ssize_t n = read(fd, bytes + used, room - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err_set_errno(e, NULL, "cannot read %s", path);
            break;
        }
        used += (size_t)n;
        if (used > cap) {
            err_set(e, ERR_LIMIT, NULL, "%s is larger than %zu bytes", path, cap);
            break;
        }
        if (n == 0) {
            bytes[used] = '\0';
            *len = used;
            return bytes;
        }
    }
    free(bytes);
    return NULL;
}

char *config_slurp(const char *path, size_t cap, size_t *len, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    if (fd < 0) {
        err_set_errno(e, NULL, "cannot open %s", path);
        return NULL;
    }
    char *bytes = NULL;
    if (fstat(fd, &st) != 0)
        err_set_errno(e, NULL, "cannot read %s", path);
    else if (S_ISDIR(st.st_mode))
        err_set(e, ERR_INPUT, NULL, "%s is a folder, not a file", path);
    else
        bytes = slurp_fd(fd, path, cap, len, e);
    close(fd);
    return bytes;
}

/* One line, in a file that its owner alone can read. */
static char *secret_read(const char *path, struct err *e)
{
    struct stat st;
    size_t len;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
        char hint[200];
        snprintf(hint, sizeof hint, "chmod 600 %.180s", path);
        err_set(e, ERR_INPUT, hint, "secret file %s can be read by others (mode %03o)", path,
                (unsigned)st.st_mode & 0777);
        return NULL;
    }
    char *text = config_slurp(path, SECRET_FILE_MAX, &len, e);
    if (text == NULL)
        return NULL;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    if (len == 0 || strlen(text) != len || strchr(text, '\n') != NULL) {
        err_set(e, ERR_INPUT, "write one line of text into it", "secret file %s is %s", path,
                len == 0 ? "empty" : "not one line");
        explicit_bzero(text, len);
        free(text);
        return NULL;
    }
    return text;
}

/* Reads the secret that `file` names into *secret; an error stands at the place of `file`. */
static void secret_load(struct config_reading *r, char *const *file, size_t min, size_t max,
                        char **secret)
{
    struct err e = { 0 };
    if (*file == NULL)
        return;
    char *text = secret_read(*file, &e);
    if (text == NULL) {
        struct err *at = config_error_of(r, file, NULL);
        err_set(at, e.kind, e.hint[0] ? e.hint : NULL, "%s", e.what);
    } else if (strlen(text) < min || strlen(text) > max) {
        err_set(config_error_of(r, file, NULL), ERR_INPUT,
                min > 1 ? "head -c 32 /dev/urandom | base64" : NULL,
                "the secret in %s has %zu characters; it must have %zu to %zu", *file, strlen(text),
                min, max);
        free(text);
    } else {
        *secret = text;
    }
}

static void check_zone_files(struct config_reading *r, const struct config_service *s)
{
    for (uint32_t i = 0; i < s->zones.count; i++) {
        const struct config_zone *z = &s->zones.at[i];
        struct stat st;
        if (z->file == NULL)
            continue;
        int fd = open(z->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
            err_set_errno(config_error_of(r, &z->file, NULL), NULL, "cannot open zone file %s",
                          z->file);
        else if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
            err_set(config_error_of(r, &z->file, NULL), ERR_INPUT, NULL,
                    "zone file %s is a folder, not a file", z->file);
        if (fd >= 0)
            close(fd);
    }
}

void config_check_files(struct config_reading *r)
{
    struct config *c = r->c;
    const struct config_node *only = NULL;
    if (r->source->node != NULL || r->source->this_host) {
        only = config_find_node(c, r->source->node);
        if (only == NULL)
            return; /* the caller tells it */
    }
    secret_load(r, &c->fleet.secret_file, SECRET_MIN, SECRET_MAX, &c->fleet.secret);
    for (uint32_t i = 0; i < c->nodes.count; i++) {
        struct config_neighbors *list = &c->nodes.at[i].neighbors;
        for (uint32_t j = 0; j < list->count && (only == NULL || only == &c->nodes.at[i]); j++)
            secret_load(r, &list->at[j].password_file, 1, MD5_PASSWORD_MAX, &list->at[j].password);
    }
    if (only == NULL) {
        for (uint32_t i = 0; i < c->services.count; i++)
            check_zone_files(r, &c->services.at[i]);
        return;
    }
    uint32_t pos = 0;
    for (const struct config_service *s; (s = config_service_next(c, only, &pos)) != NULL;)
        check_zone_files(r, s);
}

/* The bundle: magic, one byte for a dry run, then texts with a length in front, in this order: file name, node, YAML, the
 * fleet's secret, one password per neighbor of the node. A secret that is not there has length 0. */
static const char magic[8] = "PGconf1\n";

static void text_write(struct wr *w, const char *text, size_t len)
{
    wr_u32(w, (uint32_t)len);
    wr_bytes(w, text, len);
}

static void optional_write(struct wr *w, const char *text)
{
    text_write(w, text ? text : "", text ? strlen(text) : 0);
}

static void bundle_write(struct wr *w, const struct config_bundle *b,
                         const struct config_source *source)
{
    const struct config *c = b->config;
    const struct config_node *node = b->node;
    wr_bytes(w, magic, sizeof magic);
    wr_u8(w, b->dry_run);
    optional_write(w, source->file);
    optional_write(w, node->name);
    text_write(w, source->yaml, source->len);
    optional_write(w, c->fleet.secret);
    for (uint32_t i = 0; i < node->neighbors.count; i++)
        optional_write(w, node->neighbors.at[i].password);
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return true;
}

int config_bundle_new(const struct config_bundle *b, const struct config_source *source,
                      struct err *e)
{
    const struct config_node *node = b->node;
    size_t cap = 64 + strlen(source->file) + strlen(node->name) + source->len + SECRET_MAX +
                 node->neighbors.count * (4 + MD5_PASSWORD_MAX);
    uint8_t *bytes = base_alloc(cap);
    struct wr w = wr_init(bytes, cap);
    bundle_write(&w, b, source);
    int fd = memfd_create("perigee-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (w.full) {
        err_set(e, ERR_LIMIT, NULL, "the configuration does not fit into its bundle");
    } else if (fd < 0 || !write_all(fd, bytes, wr_len(&w)) ||
               fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) !=
                   0) {
        err_set_errno(e, NULL, "cannot hand over the configuration (memfd)");
    } else {
        explicit_bzero(bytes, cap);
        free(bytes);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    explicit_bzero(bytes, cap);
    free(bytes);
    return -1;
}

static const char *text_read(struct rd *r, uint32_t *len)
{
    *len = rd_u32(r);
    return (const char *)rd_bytes(r, *len);
}

static char *text_dup(const char *text, uint32_t len)
{
    char *copy = base_alloc(len + 1u);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

/* Puts the secrets behind the YAML where config_parse() would have put them. */
static bool secrets_take(struct rd *r, struct config *c, const struct config_node *node)
{
    uint32_t len;
    const char *text = text_read(r, &len);
    if (text != NULL && len != 0)
        c->fleet.secret = text_dup(text, len);
    struct config_neighbors *list = &c->nodes.at[node - c->nodes.at].neighbors;
    for (uint32_t i = 0; i < list->count; i++) {
        text = text_read(r, &len);
        if (text != NULL && len != 0)
            list->at[i].password = text_dup(text, len);
    }
    return !r->bad;
}

uint64_t config_hash(const char *yaml, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)yaml[i]) * 0x100000001b3;
    return hash;
}

static bool bundle_read(struct config_bundle *b, const uint8_t *bytes, size_t size, struct err *e)
{
    struct rd r = rd_init(bytes, size);
    const uint8_t *m = rd_bytes(&r, sizeof magic);
    b->dry_run = rd_u8(&r) != 0;
    uint32_t file_len, name_len, yaml_len;
    const char *file = text_read(&r, &file_len), *name = text_read(&r, &name_len);
    const char *yaml = text_read(&r, &yaml_len);
    if (m == NULL || memcmp(m, magic, sizeof magic) != 0 || r.bad || file_len > 4096 ||
        name_len > 64)
        return err_set(e, ERR_PEER, NULL, "this is no configuration bundle of this version");
    char *file_text = text_dup(file, file_len), *name_text = text_dup(name, name_len);
    struct config_errors *errors = base_calloc(1, sizeof *errors);
    struct config_source source = {
        .file = file_text, .yaml = yaml, .len = yaml_len, .no_files = true
    };
    bool ok = false;
    b->config = config_parse(&source, errors);
    b->node = b->config != NULL ? config_find_node(b->config, name_text) : NULL;
    if (b->config == NULL)
        err_set(e, ERR_INPUT, NULL, "%s", errors->at[0].what);
    else if (b->node == NULL)
        err_set(e, ERR_INPUT, NULL, "no node is named '%s'", name_text);
    else if (!secrets_take(&r, b->config, b->node))
        err_set(e, ERR_PEER, NULL, "the configuration bundle is cut short");
    else
        ok = true;
    if (ok) {
        b->hash = config_hash(yaml, yaml_len);
        b->file = file_text;
    } else {
        config_free(b->config);
        free(file_text);
    }
    free(errors);
    free(name_text);
    return ok;
}

bool config_bundle_open(struct config_bundle *b, int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_set_errno(e, NULL, "cannot read the configuration bundle");
    if (st.st_size <= 0)
        return err_set(e, ERR_PEER, NULL, "the configuration bundle is empty");
    size_t size = (size_t)st.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return err_set_errno(e, NULL, "cannot map the configuration bundle");
    bool ok = bundle_read(b, bytes, size, e);
    munmap(bytes, size);
    return ok;
}
