/* Rows of policy and inventory: blobs that an operator's record names (docs/protocol.md section 4). Empty
 * texts were not given. */
#ifndef MESH_RECORD_LISTING_H
#define MESH_RECORD_LISTING_H

#include "record/manifest.h"
#include "record/operator.h"

/* What it leaves out, it does not ask for. */
struct policy_row {
	enum component_kind kind; /* 0: any */
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	enum term_operator name_op;    /* TERM_EQUAL or TERM_PREFIX */
	enum term_operator version_op; /* of the version */
	char version[LIMIT_SHORT_TEXT_BYTES + 1];
	char source[LIMIT_SHORT_TEXT_BYTES + 1];
	char vendor[LIMIT_SHORT_TEXT_BYTES + 1];
	bool refused; /* else approved */
	char remark[LIMIT_SHORT_TEXT_BYTES + 1];
};
#define POLICY_ROW_BYTES 344

enum criticality {
	CRITICALITY_LOW = 1,
	CRITICALITY_NORMAL = 2,
	CRITICALITY_HIGH = 3,
	CRITICALITY_VITAL = 4,
};
/* "low", "normal", "high", "vital"; NULL for a number that is none. */
const char *criticality_name(unsigned criticality);

/* A machine that should exist; without hostname and asset ids: its whole site. */
struct inventory_row {
	char hostname[LIMIT_HOSTNAME_BYTES + 1];
	char asset_ids[LIMIT_ASSET_IDS][LIMIT_LABEL_BYTES + 1];
	size_t asset_id_count;
	char site[LIMIT_SITE_NAME_BYTES + 1];
	char role[LIMIT_LABEL_BYTES + 1];
	uint8_t criticality; /* enum criticality; 0: not given, which means normal */
	char address[LIMIT_POSTAL_BYTES + 1];
	char hours[LIMIT_SHORT_TEXT_BYTES + 1];
	char contact[LIMIT_CONTACT_BYTES + 1];
	char recovery_key[LIMIT_CONTACT_BYTES + 1]; /* where it is kept */
	struct reading_u64 needed;                  /* machines of the role that the site needs to trade */
	char remark[LIMIT_SHORT_TEXT_BYTES + 1];
};
#define INVENTORY_ROW_BYTES 650
bool inventory_row_is_site(const struct inventory_row *row);

/* Into POLICY_ROW_BYTES and INVENTORY_ROW_BYTES. ERR_RANGE. */
enum err policy_row_encode(const struct policy_row *row, uint8_t *ret, size_t *ret_len);
enum err inventory_row_encode(const struct inventory_row *row, uint8_t *ret, size_t *ret_len);
/* ERR_SHORT, ERR_TRAILING, ERR_FORMAT, ERR_RANGE. */
enum err policy_row_decode(const uint8_t *bytes, size_t len, struct policy_row *ret);
enum err inventory_row_decode(const uint8_t *bytes, size_t len, struct inventory_row *ret);

/* The blobs of rows, chunks before lists, the root last (`emit` as for manifest_build). Equal rows are kept
 * once. ERR_RANGE for a row that is none, ERR_LIMIT when a root has no room for so many: make two of it. */
enum err policy_build(const struct policy_row *rows, size_t count, manifest_emit emit, void *context,
		      struct id *ret_root, size_t *ret_rows);
enum err inventory_build(const struct inventory_row *rows, size_t count, manifest_emit emit, void *context,
			 struct id *ret_root, size_t *ret_rows);

/* Each row of a root in order; false stops. Rows that do not decode are passed over and counted in
 * `ret_bad` (may be NULL). As manifest_read otherwise: `fetch` says ERR_NOT_FOUND for a blob that is not
 * here, which ends it. */
typedef bool (*policy_each)(void *context, const struct policy_row *row);
typedef bool (*inventory_each)(void *context, const struct inventory_row *row);
enum err policy_read(const struct id *root, manifest_fetch fetch, void *fetch_context, policy_each each,
		     void *each_context, size_t *ret_bad);
enum err inventory_read(const struct id *root, manifest_fetch fetch, void *fetch_context, inventory_each each,
			void *each_context, size_t *ret_bad);

#endif
