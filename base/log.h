/* Log lines go to a sink that is passed in; library code (crypto, record, gossip, store) does not log. */
#ifndef MESH_BASE_LOG_H
#define MESH_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
	enum log_level level;                                                 /* lines above it are dropped */
	void (*write)(void *context, enum log_level level, const char *line); /* line has no newline */
	void *context;
};

/* A NULL log drops the line. Lines are cut at 1,023 bytes. Control bytes are written as \xNN. */
void log_line(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const char *log_level_name(enum log_level level);

#endif
