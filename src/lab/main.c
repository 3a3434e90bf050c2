/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lab/delay.h"
#include "lab/lab.h"
#include "lab/prompt.h"

static void on_stop(int sig)
{
    (void)sig;
    lab_stop = 1;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--role") == 0 && strcmp(argv[2], "delay") == 0)
        return delay_main(argc - 2, argv + 2);
    struct sigaction sa = { .sa_handler = on_stop };
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    if (argc < 3)
        return 2;
    struct yml y;
    yml_node root = yml_read_file(&y, argv[2]);
    struct lab_topo *t = root ? lab_topo_read(&y, root) : NULL;
    if (t == NULL) {
        yml_print(&y, stderr);
        return 2;
    }
    static struct lab l;
    struct err e = { 0 };
    if (!lab_init(&l, t, NULL, &e) || !lab_up(&l, &e)) {
        char text[600];
        fprintf(stderr, "perigee-lab: %s\n", err_text(&e, text, sizeof text));
        return 1;
    }
    prompt(&l);
    lab_down(&l);
    return 0;
}
