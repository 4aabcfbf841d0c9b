#include "store/query_private.h"

void columns_close(struct columns *c)
{
	for (size_t i = 0; i <= COLUMN_GROUP_LAST; i++) {
		column_table_close(c->tables[i]);
		c->tables[i] = NULL;
	}
}

enum err columns_table(struct columns *c, enum column_group group, struct column_table **ret)
{
	enum err err = ERR_OK;
	if (c->tables[group] == NULL)
		err = column_table_open(c->snapshot, group, &c->tables[group]);
	if (err == ERR_OK)
		*ret = c->tables[group];
	return err;
}

uint32_t columns_end(struct columns *c, enum column_group group, enum err *err)
{
	struct column_table *t;
	if (*err == ERR_OK)
		*err = columns_table(c, group, &t);
	return *err == ERR_OK ? column_table_end(t) : 0;
}
