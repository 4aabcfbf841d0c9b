/* mesh alerts: what its files share. */
#ifndef MESH_CLI_ALERTS_H
#define MESH_CLI_ALERTS_H

#include "cli/answer.h"
#include "store/alerts.h"

/* "40 min to 2 h"; "-" where it is not known. */
#define ALERTS_LEAD_BYTES 96
void alerts_lead(const struct alert *a, char ret[ALERTS_LEAD_BYTES]);
/* The sentences behind the table. */
void alerts_text(FILE *f, const struct alerts *all, wall_ms now);

/* Fields of one alert for scripts, in order. Names are the same for each. */
#define ALERTS_FIELDS 29
extern const char *const alerts_names[ALERTS_FIELDS];
void alerts_values(const struct alert *a, struct query_value ret[ALERTS_FIELDS]);

/* What programs were told already, by this process. */
struct alerts_told {
	char **keys;
	size_t count;
};
void alerts_told_free(struct alerts_told *t);

/* JSON for the program's standard input, one text for each alert that is not told yet, which then is; freed
 * by alerts_news_free. The answer must still be open. */
struct alerts_news {
	char **texts;
	size_t count;
};
enum err alerts_news(struct answer *a, const struct alerts *all, struct alerts_told *told,
		     struct alerts_news *ret, struct err_info *info);
void alerts_news_free(struct alerts_news *n);
/* Runs the program of --exec once for each. False when one failed, which it says. */
bool alerts_run(struct command *c, const char *program, unsigned timeout_s, const struct alerts_news *news);

#endif
