/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

/* The control socket's protocol: a client connects, sends one line with a JSON object
 *     {"command": "drain", "reason": "new disks"}
 * and gets one line with a JSON object, in which "ok" is true, or false beside an "error" in words.
 * Then the connection is closed. docs/operating.md describes the replies. */
#define CONTROL_REQUEST_MAX 4096 /* bytes of a line, its end included */
#define CONTROL_REASON_MAX 160   /* bytes of a reason, the final zero included */

#define CONTROL_COMMANDS(X)                                                                        \
    X(STATUS, "status")                                                                            \
    X(NEIGHBORS, "neighbors")                                                                      \
    X(ROUTES, "routes")                                                                            \
    X(ZONES, "zones")                                                                              \
    X(DRAIN, "drain")                                                                              \
    X(UNDRAIN, "undrain")                                                                          \
    X(RELOAD, "reload")

#define CONTROL_COMMAND_ENUM(id, name) CONTROL_##id,
enum control_command { CONTROL_COMMANDS(CONTROL_COMMAND_ENUM) CONTROL_COMMAND_COUNT };
#undef CONTROL_COMMAND_ENUM
const char *control_command_name(enum control_command c);

struct control_request {
    enum control_command command;
    char reason[CONTROL_REASON_MAX]; /* of a drain; empty when none was given; printable */
};

/* Reads a line, with or without its end. False with the words for the client in *e. */
bool control_request_parse(struct control_request *r, const char *line, size_t len,
                           struct err *e) BASE_MUST_USE;

#endif
