/* The verbs of node/control.h by which an operator at this machine says something. */
#ifndef MESH_NODE_CONTROL_OPERATOR_H
#define MESH_NODE_CONTROL_OPERATOR_H

#include "node/meshd.h"

void control_operator(struct meshd *m, const struct control_request *r, struct control_call *call);
void control_submit(struct meshd *m, const struct control_request *r, struct control_call *call);

#endif
