/* Which machine of the inventory is which host.
 *
 * Each distinct hostname and asset id of the inventory stands once in a table; one pass over the hosts says
 * which of them has it. A row is linked by its best key: an asset id before a hostname, a host that is there
 * before one that left or was replaced. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "os/entropy.h"
#include "store/column_groups.h"
#include "store/machine_list.h"

#define KEY_TEXT_BYTES LIMIT_HOSTNAME_BYTES

enum { RANK_NONE, RANK_GONE, RANK_THERE };

/* Known by its hash alone, as looking at a hundred thousand texts again costs more than all else: 64 bits,
 * keyed by chance, so two that meet are rarer than a wrong bit in memory. */
struct machine_key {
	uint64_t hash; /* 0: free */
	uint32_t host;
	uint8_t rank; /* of the hosts that have it */
	bool several; /* of that rank */
};
#define NO_SLOT UINT32_MAX

/* What rows about a whole site give, the first row that does. */
static const uint8_t site_columns[] = {C_INVENTORY_ADDRESS, C_INVENTORY_HOURS, C_INVENTORY_CONTACT,
				       C_INVENTORY_RECOVERY_KEY};
#define SITE_COLUMNS (sizeof(site_columns) / sizeof(*site_columns))

struct machine_site {
	const char *name; /* in a column block; NULL: free */
	const char *texts[SITE_COLUMNS];
};

struct machine_list {
	struct machine_tables tables;
	struct machine_key *keys;               /* open addressing, at most half full */
	uint8_t hash_key[HASH_SHORT_KEY_BYTES]; /* nobody can choose names that collide */
	size_t slot_count, key_count;
	uint32_t *slots;            /* by row and column: of its key; NO_SLOT: it has none */
	struct machine_link *links; /* by row */
	struct machine_site *sites; /* open addressing, likewise */
	size_t site_slots, site_rows;
	uint32_t end;
};

bool machine_list_is_machine(struct column_row row)
{
	return column_row_text(row, C_INVENTORY_NAME) != NULL ||
	       column_row_text(row, C_INVENTORY_ASSET_1) != NULL ||
	       column_row_text(row, C_INVENTORY_ASSET_2) != NULL;
}

static uint8_t lower(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Hostnames are the same whatever the case of their letters. */
static uint32_t slot_of(const struct machine_list *m, const char *text, size_t len, bool is_name,
			uint64_t *ret_hash)
{
	uint8_t said[KEY_TEXT_BYTES + 1] = {is_name};
	CHECK(len <= KEY_TEXT_BYTES);
	for (size_t i = 0; i < len; i++)
		said[i + 1] = is_name ? lower(text[i]) : (uint8_t)text[i];
	uint64_t hash = hash_short(m->hash_key, said, len + 1);
	hash += hash == 0;
	size_t slot = (size_t)hash & (m->slot_count - 1);
	while (m->keys[slot].hash != 0 && m->keys[slot].hash != hash)
		slot = (slot + 1) & (m->slot_count - 1);
	*ret_hash = hash;
	return (uint32_t)slot;
}

/* --- what the inventory asks for --- */

static const struct {
	unsigned column;
	bool is_name;
} key_columns[] = {{C_INVENTORY_ASSET_1, false}, {C_INVENTORY_ASSET_2, false}, {C_INVENTORY_NAME, true}};
#define KEY_COLUMNS (sizeof(key_columns) / sizeof(*key_columns))

/* Nothing has an empty one. */
static bool is_key(const char *text)
{
	return text != NULL && text[0] != '\0' && strlen(text) <= KEY_TEXT_BYTES;
}

static uint32_t add_key(struct machine_list *m, const char *text, bool is_name)
{
	uint64_t hash;
	if (!is_key(text))
		return NO_SLOT;
	uint32_t slot = slot_of(m, text, strlen(text), is_name, &hash);
	m->keys[slot].hash = hash;
	return slot;
}

static enum err take_rows(struct machine_list *m)
{
	enum err err = ERR_OK;
	for (uint32_t n = 0; n < m->end && err == ERR_OK; n++) {
		struct column_row row;
		err = column_table_row(m->tables.inventory, n, &row);
		for (size_t k = 0; k < KEY_COLUMNS; k++)
			m->slots[KEY_COLUMNS * n + k] = NO_SLOT;
		if (err != ERR_OK || row.block == NULL)
			continue;
		for (size_t k = 0; k < KEY_COLUMNS; k++)
			m->slots[KEY_COLUMNS * n + k] =
			    add_key(m, column_row_text(row, key_columns[k].column), key_columns[k].is_name);
		if (!machine_list_is_machine(row))
			m->site_rows++;
	}
	return err;
}

/* So that the table is no larger than it has to be. */
static enum err count_keys(struct machine_list *m)
{
	enum err err = ERR_OK;
	for (uint32_t n = 0; n < m->end && err == ERR_OK; n++) {
		struct column_row row;
		err = column_table_row(m->tables.inventory, n, &row);
		for (size_t k = 0; k < KEY_COLUMNS && err == ERR_OK && row.block != NULL; k++)
			m->key_count += is_key(column_row_text(row, key_columns[k].column));
	}
	return err;
}

static struct machine_site *site_of(const struct machine_list *m, const char *name)
{
	size_t slot = (size_t)hash_short(m->hash_key, name, strlen(name)) & (m->site_slots - 1);
	while (m->sites[slot].name != NULL && strcmp(m->sites[slot].name, name) != 0)
		slot = (slot + 1) & (m->site_slots - 1);
	return &m->sites[slot];
}

static void take_site(struct machine_list *m, struct column_row row)
{
	const char *name = column_row_text(row, C_INVENTORY_SITE);
	if (name == NULL)
		return;
	struct machine_site *site = site_of(m, name);
	site->name = name;
	for (size_t i = 0; i < SITE_COLUMNS; i++) {
		if (site->texts[i] == NULL)
			site->texts[i] = column_row_text(row, site_columns[i]);
	}
}

static enum err take_sites(struct machine_list *m)
{
	enum err err = ERR_OK;
	m->site_slots = 16;
	while (m->site_slots < 2 * m->site_rows)
		m->site_slots *= 2;
	m->sites = calloc(m->site_slots, sizeof(*m->sites));
	if (m->sites == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < m->end && err == ERR_OK && m->site_rows > 0; n++) {
		struct column_row row;
		err = column_table_row(m->tables.inventory, n, &row);
		if (err == ERR_OK && row.block != NULL && !machine_list_is_machine(row))
			take_site(m, row);
	}
	return err;
}

/* --- who has it --- */

static void note_host(struct machine_list *m, const char *text, size_t len, bool is_name, uint32_t host,
		      uint8_t rank)
{
	bool possible = len > 0 && len <= KEY_TEXT_BYTES;
	uint64_t hash;
	struct machine_key *key = possible ? &m->keys[slot_of(m, text, len, is_name, &hash)] : NULL;
	if (key == NULL || key->hash == 0 || rank < key->rank)
		return;
	key->several = rank == key->rank && (key->several || key->host != host);
	key->rank = rank;
	key->host = host;
}

static void note_profile(struct machine_list *m, struct column_row profile, uint32_t host, uint8_t rank)
{
	const char *name = column_row_text(profile, C_PROFILE_NAME);
	const char *assets = column_row_text(profile, C_PROFILE_ASSET_IDS);
	if (name != NULL)
		note_host(m, name, strlen(name), true, host, rank);
	while (assets != NULL && *assets != '\0') {
		size_t len = strcspn(assets, ",");
		note_host(m, assets, len, false, host, rank);
		assets += len + (assets[len] == ',');
	}
}

/* Whose certificate counts, and who is not hidden. */
static enum err take_hosts(struct machine_list *m)
{
	enum err err = ERR_OK;
	for (uint32_t n = 0; n < column_table_end(m->tables.profiles) && err == ERR_OK; n++) {
		struct column_row profile, state;
		err = column_table_row(m->tables.profiles, n, &profile);
		if (err == ERR_OK && profile.block != NULL)
			err = column_table_row(m->tables.states, n, &state);
		if (err != ERR_OK || profile.block == NULL || state.block == NULL ||
		    column_row_u64(state, C_STATE_STANDING) == STANDING_REVOKED)
			continue;
		uint64_t status = column_row_u64(state, C_STATE_STATUS);
		bool gone = status == HOST_LEFT || status == HOST_REPLACED;
		note_profile(m, profile, n, gone ? RANK_GONE : RANK_THERE);
	}
	return err;
}

/* --- links --- */

static struct machine_link link_of(const struct machine_list *m, uint32_t row)
{
	struct machine_link link = {.enrolled = false};
	uint8_t rank = RANK_NONE;
	for (size_t k = 0; k < KEY_COLUMNS; k++) {
		uint32_t slot = m->slots[KEY_COLUMNS * row + k];
		if (slot == NO_SLOT || (key_columns[k].is_name && link.enrolled))
			continue;
		const struct machine_key *key = &m->keys[slot];
		if (key->rank == RANK_NONE || key->rank < rank)
			continue;
		bool other = key->rank == rank && (link.several || link.host != key->host);
		link = (struct machine_link){key->host, true, key->several || other};
		rank = key->rank;
	}
	return link;
}

void machine_list_free(struct machine_list *list)
{
	if (list == NULL)
		return;
	free(list->keys);
	free(list->slots);
	free(list->links);
	free(list->sites);
	free(list);
}

static enum err make(struct machine_list *m)
{
	const uint64_t seeds[] = {os_entropy_seed(), os_entropy_seed()};
	_Static_assert(sizeof(seeds) >= HASH_SHORT_KEY_BYTES, "enough for the key");
	memcpy(m->hash_key, seeds, sizeof(m->hash_key));
	m->end = column_table_end(m->tables.inventory);
	enum err err = count_keys(m);
	if (err != ERR_OK)
		return err;
	m->slot_count = 64;
	while (m->slot_count < 2 * m->key_count)
		m->slot_count *= 2;
	m->keys = calloc(m->slot_count, sizeof(*m->keys));
	m->slots = malloc(KEY_COLUMNS * ((size_t)m->end + 1) * sizeof(*m->slots));
	m->links = calloc((size_t)m->end + 1, sizeof(*m->links));
	if (m->keys == NULL || m->slots == NULL || m->links == NULL)
		return ERR_NOMEM;
	err = take_rows(m);
	if (err == ERR_OK)
		err = take_sites(m);
	if (err == ERR_OK && m->key_count > 0)
		err = take_hosts(m);
	for (uint32_t n = 0; n < m->end && err == ERR_OK; n++)
		m->links[n] = link_of(m, n);
	return err;
}

enum err machine_list_new(const struct machine_tables *tables, struct machine_list **ret)
{
	struct machine_list *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return ERR_NOMEM;
	m->tables = *tables;
	enum err err = make(m);
	if (err == ERR_OK)
		*ret = m;
	else
		machine_list_free(m);
	return err;
}

struct machine_link machine_list_link(const struct machine_list *list, uint32_t row)
{
	return list->links[row];
}

const char *machine_list_site_text(const struct machine_list *list, const char *site, unsigned column)
{
	const struct machine_site *found = site_of(list, site);
	for (size_t i = 0; i < SITE_COLUMNS && found->name != NULL; i++) {
		if (site_columns[i] == column)
			return found->texts[i];
	}
	return NULL;
}

/* --- counting --- */

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* What tells machines of the inventory apart: the site, and the hostname, else the first asset id. */
static uint64_t machine_of(struct column_row row)
{
	char key[LIMIT_SITE_NAME_BYTES + KEY_TEXT_BYTES + 1];
	const char *site = column_row_text(row, C_INVENTORY_SITE);
	const char *name = column_row_text(row, C_INVENTORY_NAME);
	const char *text = name != NULL ? name : column_row_text(row, C_INVENTORY_ASSET_1);
	size_t len = 0;
	for (; site != NULL && *site != '\0' && len < LIMIT_SITE_NAME_BYTES; site++)
		key[len++] = *site;
	key[len++] = name != NULL ? '\1' : '\2';
	for (; text != NULL && *text != '\0' && len < sizeof(key); text++)
		key[len++] = (char)(name != NULL ? lower(*text) : (uint8_t)*text);
	return hash_checksum(key, len);
}

static size_t count_distinct(uint64_t *machines, size_t count)
{
	size_t distinct = 0;
	if (count > 0)
		qsort(machines, count, sizeof(*machines), by_value);
	for (size_t i = 0; i < count; i++)
		distinct += i == 0 || machines[i] != machines[i - 1];
	return distinct;
}

enum err machine_list_count(const struct machine_list *m, uint64_t *ret_machines,
			    uint64_t *ret_never_enrolled)
{
	uint64_t *machines = calloc(2 * ((size_t)m->end + 1), sizeof(*machines));
	uint64_t *missing = machines != NULL ? machines + m->end + 1 : NULL;
	size_t count = 0, missing_count = 0;
	enum err err = machines != NULL ? ERR_OK : ERR_NOMEM;
	for (uint32_t n = 0; n < m->end && err == ERR_OK; n++) {
		struct column_row row;
		err = column_table_row(m->tables.inventory, n, &row);
		if (err != ERR_OK || row.block == NULL || !machine_list_is_machine(row))
			continue;
		machines[count] = machine_of(row);
		if (!m->links[n].enrolled)
			missing[missing_count++] = machines[count];
		count++;
	}
	if (err == ERR_OK) {
		*ret_machines = count_distinct(machines, count);
		*ret_never_enrolled = count_distinct(missing, missing_count);
	}
	free(machines);
	return err;
}
