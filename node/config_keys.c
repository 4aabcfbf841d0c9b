#include "node/config_keys.h"

#define AT(field) offsetof(struct config, field)

const struct config_key config_keys[] = {
    {"node", "listen", CONFIG_ADDRESS, 0, 0, 0, NULL, "0.0.0.0:7946", AT(listen),
     "UDP address and port to listen on. `[::]:7946` serves IPv6 and IPv4."},
    {"node", "advertise", CONFIG_ADDRESSES, 0, LIMIT_ADDRESSES, 0, NULL, "", AT(advertise),
     "Addresses other hosts reach this one at. Without it: the address listened on, or those of the network "
     "interfaces."},
    {"node", "seeds", CONFIG_ADDRESSES, 0, CONFIG_LIST_ITEMS, 0, NULL, "", AT(seeds),
     "Hosts to ask first, on top of those the enrolment token named. A restart needs none."},
    {"node", "state", CONFIG_PATH, 0, LIMIT_PATH_BYTES - 1, 0, NULL, "", AT(state),
     "State folder that `mesh enroll` made. Without it: `$MESH_STATE`, `/var/lib/mesh` when it exists, or "
     "`~/.local/state/mesh`."},
    {"node", "control_group", CONFIG_TEXT, 0, 32, 0, NULL, "", AT(control_group),
     "Group that may ask this node (control socket and replica). Without it: the group meshd runs as."},
    {"node", "site", CONFIG_TEXT, 0, LIMIT_SITE_NAME_BYTES, 0, NULL, "", AT(site),
     "Site this host is at now, where that is not its home site."},
    {"node", "hostname", CONFIG_TEXT, 0, LIMIT_HOSTNAME_BYTES, 0, NULL, "", AT(hostname),
     "Name to be listed by, where the system's own does not tell hosts apart."},
    {"node", "role", CONFIG_TEXT, 0, LIMIT_LABEL_BYTES, 0, NULL, "", AT(role),
     "What the host is for: `till`, `server`, `hypervisor`."},
    {"node", "location", CONFIG_TEXT, 0, LIMIT_SHORT_TEXT_BYTES, 0, NULL, "", AT(location),
     "Where it stands, for the person who has to walk there."},
    {"node", "tags", CONFIG_TEXTS, 0, LIMIT_TAG_BYTES, LIMIT_TAGS, NULL, "", AT(tags),
     "Words to select hosts by."},
    {"node", "asset_ids", CONFIG_TEXTS, 0, LIMIT_LABEL_BYTES, LIMIT_ASSET_IDS, NULL, "", AT(asset_ids),
     "Inventory numbers."},
    {"node", "only_gets_out", CONFIG_BOOL, 0, 0, 0, NULL, "no", AT(only_gets_out),
     "The host cannot be reached from outside (behind NAT). Published in its profile; probes do not heed it "
     "yet."},
    {"limits", "commit_min_s", CONFIG_NUMBER, 5, 600, 0, "seconds", "5", AT(commit_min_s),
     "Least time between routine commits of the replica. Urgent news is committed within a second."},
    {"limits", "disk_mb_per_day", CONFIG_NUMBER, 16, 100000, 0, "MB a day", "1024", AT(disk_mb_per_day),
     "What routine commits may write; beyond it they come less often, at least every half hour."},
    {"collect", "interval_s", CONFIG_NUMBER, 5, 3600, 0, "seconds", "60", AT(collect_interval_s),
     "Time between looks at this host. What did not change is not published."},
    {"collect", "root", CONFIG_PATH, 0, LIMIT_PATH_BYTES - 1, 0, NULL, "", AT(collect_root),
     "Folder that stands for `/` when reading this host: a captured tree, for tests and exercises."},
    {"log", "level", CONFIG_LEVEL, 0, 0, 0, NULL, "info", AT(log_level),
     "Least important lines that are still written to standard error."},
    {"drill", "enabled", CONFIG_BOOL, 0, 0, 0, NULL, "no", AT(drill),
     "Accept `drill cut SITE` and `drill heal SITE` on the control socket: exercises in which this node "
     "drops "
     "all traffic with a site."},
};
const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);
