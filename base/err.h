/* Error codes and messages: one table for the whole project.
 *
 * A function that can fail returns `enum err`; outputs are named `ret_` and are untouched on failure.
 * Functions whose failure a person will read also take a `struct err_info`, which says what was wrong,
 * with which value, and what to do about it. */
#ifndef MESH_BASE_ERR_H
#define MESH_BASE_ERR_H

/* X(code, stable name for JSON and logs, text) */
#define ERR_TABLE(X)                                                                                         \
	X(ERR_OK, "ok", "no error")                                                                          \
	X(ERR_NOMEM, "no-memory", "out of memory")                                                           \
	X(ERR_LIMIT, "limit", "a stated limit was reached")                                                  \
	X(ERR_ARG, "argument", "invalid argument")                                                           \
	X(ERR_USAGE, "usage", "invalid command line")                                                        \
	X(ERR_SHORT, "short", "input ends too early")                                                        \
	X(ERR_TRAILING, "trailing", "input continues after its end")                                         \
	X(ERR_FORMAT, "format", "malformed input")                                                           \
	X(ERR_VERSION, "version", "unsupported format version")                                              \
	X(ERR_RANGE, "range", "value out of range")                                                          \
	X(ERR_NOT_FOUND, "not-found", "not found")                                                           \
	X(ERR_EXISTS, "exists", "exists already")                                                            \
	X(ERR_STALE, "stale", "superseded by something newer")                                               \
	X(ERR_MAC, "mac", "outer authentication failed")                                                     \
	X(ERR_UNKNOWN_SOURCE, "unknown-source", "source is not known")                                       \
	X(ERR_SEAL, "seal", "sealed message does not open")                                                  \
	X(ERR_SIGNATURE, "signature", "signature does not verify")                                           \
	X(ERR_UNTRUSTED, "untrusted", "signer is not authorised for this")                                   \
	X(ERR_REVOKED, "revoked", "key was revoked")                                                         \
	X(ERR_EXPIRED, "expired", "grant has ended")                                                         \
	X(ERR_USED, "used", "was used already")                                                              \
	X(ERR_ESTATE, "estate", "belongs to another estate")                                                 \
	X(ERR_CHECKSUM, "checksum", "stored data fails its checksum")                                        \
	X(ERR_CORRUPT, "corrupt", "stored data is damaged")                                                  \
	X(ERR_IO, "io", "input or output failed")                                                            \
	X(ERR_DENIED, "denied", "permission denied")                                                         \
	X(ERR_DISK_FULL, "disk-full", "no space left on the device")                                         \
	X(ERR_BUSY, "busy", "in use by another process")                                                     \
	X(ERR_TIMEOUT, "timeout", "took too long")                                                           \
	X(ERR_UNSUPPORTED, "unsupported", "not supported on this system")                                    \
	X(ERR_INTERRUPTED, "interrupted", "interrupted")                                                     \
	X(ERR_SQL, "sql", "question could not be answered")

enum err {
#define ERR_ENUM(code, name, text) code,
	ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
	    ERR_COUNT
};

/* Longest message with its terminator, in bytes. Longer ones are cut. */
#define ERR_TEXT_BYTES 512

/* What a person reads. `text` is always terminated. */
struct err_info {
	enum err code;
	char text[ERR_TEXT_BYTES];
};

/* Text of the table; "unknown error" for a value outside it. */
const char *err_text(enum err code);

/* Stable short name of the table, for JSON and logs. */
const char *err_name(enum err code);

/* Fill `info` (may be NULL) and return `code`, so that a failing path is one line. The text is one line, too,
 * and safe for a terminal: it is escaped as by text_escape. */
enum err err_set(struct err_info *info, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
