/* The forms "json" ({"rows": [...], "coverage": {...}}: the coverage follows from coverage.c) and "jsonl" (a
 * row a line, the coverage in the last). */
#include "cli/output.h"

void output_json_value(struct json *j, const char *key, const struct query_value *v, enum output_style style)
{
	switch (v->type) {
	case QUERY_NULL:
		json_null(j, key);
		break;
	case QUERY_INTEGER:
		if (style == OUTPUT_YESNO)
			json_bool(j, key, v->integer != 0);
		else
			json_i64(j, key, v->integer);
		break;
	case QUERY_REAL:
		json_real(j, key, v->real);
		break;
	case QUERY_TEXT:
		json_text(j, key, v->text, v->text_len);
		break;
	}
}

static void put_row(struct output *o, const struct query_value *values)
{
	json_begin_object(&o->json, NULL);
	for (size_t i = 0; i < o->name_count; i++)
		output_json_value(&o->json, o->names[i], &values[i], o->styles[i]->style);
	json_end_object(&o->json);
}

static bool json_columns(struct output *o)
{
	json_begin_object(&o->json, NULL);
	json_begin_array(&o->json, "rows");
	return true;
}

static bool json_row(struct output *o, const struct query_value *values)
{
	json_new_line(&o->json);
	put_row(o, values);
	return true;
}

static bool json_finish(struct output *o)
{
	json_end_array(&o->json);
	return true;
}

const struct output_form output_form_json = {json_columns, json_row, json_finish};

static bool jsonl_columns(struct output *o)
{
	(void)o;
	return true;
}

static bool jsonl_row(struct output *o, const struct query_value *values)
{
	o->json.filled[0] = false;
	put_row(o, values);
	fputc('\n', o->f);
	return true;
}

static bool jsonl_finish(struct output *o)
{
	o->json.filled[0] = false;
	return true;
}

const struct output_form output_form_jsonl = {jsonl_columns, jsonl_row, jsonl_finish};
