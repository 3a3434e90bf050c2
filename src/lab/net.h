/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LAB_NET_H
#define LAB_NET_H

#include "lab/lab.h"

/* Namespaces, veth links, addresses, delays: the part of lab_up() below the routers. */
bool net_up(struct lab *l, struct err *e);

#endif
