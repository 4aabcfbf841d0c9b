/* How values of a table's cells are handed to SQLite. */
#include "base/text.h"
#include "store/table.h"

void cell_text(sqlite3_context *context, const char *text)
{
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

void cell_static(sqlite3_context *context, const char *text)
{
	sqlite3_result_text(context, text, -1, SQLITE_STATIC);
}

void cell_known_text(sqlite3_context *context, const char *text)
{
	if (text[0] != '\0')
		cell_text(context, text);
}

void cell_u64(sqlite3_context *context, uint64_t v)
{
	/* SQL has no unsigned numbers; nothing but a forged value is that large. */
	sqlite3_result_int64(context, v > INT64_MAX ? INT64_MAX : (sqlite3_int64)v);
}

void cell_time(sqlite3_context *context, uint64_t v)
{
	if (v != 0)
		cell_u64(context, v);
}

void cell_hex(sqlite3_context *context, const uint8_t *bytes, size_t len)
{
	char text[2 * ID_BYTES + 1];
	if (len <= ID_BYTES) {
		text_hex(text, bytes, len);
		cell_text(context, text);
	}
}

void cell_hex64(sqlite3_context *context, uint64_t v)
{
	char text[17];
	uint8_t bytes[8];
	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (56 - 8 * i));
	text_hex(text, bytes, sizeof(bytes));
	cell_text(context, text);
}

void cell_id(sqlite3_context *context, const struct id *id)
{
	char text[ID_HEX_BYTES];
	id_hex(id, text);
	cell_text(context, text);
}

void cell_status(sqlite3_context *context, enum reading_status status)
{
	sqlite3_result_text(context, reading_status_name(status), -1, SQLITE_STATIC);
}

void cell_flag(sqlite3_context *context, bool v)
{
	sqlite3_result_int(context, v);
}
