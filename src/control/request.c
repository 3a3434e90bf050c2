/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/request.h"

#include <jansson.h>
#include <string.h>

#define COMMAND_NAME(id, name) name,
static const char *const names[] = { CONTROL_COMMANDS(COMMAND_NAME) };

const char *control_command_name(enum control_command c)
{
    return names[c];
}

/* Log lines and terminals see the reason: one line, nothing that moves a cursor or ends a quote. */
static void reason_copy(char out[CONTROL_REASON_MAX], const char *text)
{
    size_t len = strlen(text);
    if (len >= CONTROL_REASON_MAX) {
        len = CONTROL_REASON_MAX - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a character (RFC 3629) */
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        out[i] = c < 0x20 || c == 0x7f ? ' ' : c == '"' ? '\'' : text[i];
    }
    out[len] = '\0';
}

static bool command_find(struct control_request *r, const json_t *root, struct err *e)
{
    const char *name = json_string_value(json_object_get(root, "command"));
    if (name == NULL)
        return err_set(e, ERR_INPUT, NULL, "the request has no \"command\"");
    for (int i = 0; i < CONTROL_COMMAND_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            r->command = (enum control_command)i;
            return true;
        }
    return err_set(e, ERR_INPUT, NULL, "no command is named \"%.40s\"", name);
}

static bool object_read(struct control_request *r, const json_t *root, struct err *e)
{
    if (!json_is_object(root))
        return err_set(e, ERR_INPUT, NULL, "the request is not a JSON object");
    if (!command_find(r, root, e))
        return false;
    const json_t *reason = json_object_get(root, "reason");
    if (reason != NULL && !json_is_string(reason))
        return err_set(e, ERR_INPUT, NULL, "\"reason\" is not text");
    if (reason != NULL)
        reason_copy(r->reason, json_string_value(reason));
    return true;
}

bool control_request_parse(struct control_request *r, const char *line, size_t len, struct err *e)
{
    json_error_t why;
    *r = (struct control_request){ 0 };
    if (len > CONTROL_REQUEST_MAX)
        return err_set(e, ERR_LIMIT, NULL, "the request is longer than %d bytes",
                       CONTROL_REQUEST_MAX);
    json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL)
        return err_set(e, ERR_INPUT, NULL, "the request is not JSON: %.100s", why.text);
    bool ok = object_read(r, root, e);
    json_decref(root);
    return ok;
}
