/* For os/linux only. */
#ifndef MESH_OS_LINUX_DIR_H
#define MESH_OS_LINUX_DIR_H

/* Make the folder's entry of `path` durable. 0 or an errno. */
int os_dir_sync_parent(const char *path);

#endif
