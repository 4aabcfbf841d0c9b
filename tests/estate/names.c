/* Names of sites and hosts: a city, numbered from the second round on, and what the host is for. */
#include <stdio.h>

#include "tests/estate/world.h"

static const char *const cities[] = {
    "berlin",   "leeds",    "hamburg",  "lyon",    "porto",   "gdansk",  "malmo",    "turin",   "graz",
    "gent",     "cork",     "tampere",  "bergen",  "aarhus",  "brno",    "szeged",   "split",   "varna",
    "patras",   "vigo",     "bristol",  "nantes",  "dresden", "bologna", "poznan",   "utrecht", "linz",
    "basel",    "galway",   "turku",    "tromso",  "odense",  "ostrava", "debrecen", "rijeka",  "plovdiv",
    "volos",    "bilbao",   "braga",    "uppsala", "leipzig", "lille",   "verona",   "lublin",  "breda",
    "salzburg", "lausanne", "limerick", "oulu",    "drammen", "aalborg", "liberec",  "pecs",    "zadar",
    "burgas",   "kavala",   "murcia",   "coimbra", "lund",    "bremen",  "reims",    "parma",   "torun",
    "zwolle",   "villach",  "lugano",   "sligo",   "vaasa",   "bodo",    "esbjerg",  "zlin",    "gyor",
    "osijek",   "sliven",   "larissa",  "cadiz",   "evora",   "gavle",   "kassel",   "angers",  "trieste",
    "opole",    "venlo",    "wels",     "chur",    "tralee",  "kotka",   "molde",    "vejle",   "jihlava",
    "eger",     "pula",     "ruse",     "chania",  "toledo",  "faro",    "falun",    "jena",    "metz",
    "pavia",
};
#define CITIES (sizeof(cities) / sizeof(*cities))

void names_site(size_t index, char ret[LIMIT_SITE_NAME_BYTES + 1])
{
	if (index < CITIES)
		snprintf(ret, LIMIT_SITE_NAME_BYTES + 1, "%s", cities[index]);
	else
		snprintf(ret, LIMIT_SITE_NAME_BYTES + 1, "%s-%zu", cities[index % CITIES],
			 1 + index / CITIES);
}

const char *names_role(enum role role)
{
	static const char *const names[ROLES] = {
	    [ROLE_TILL] = "till", [ROLE_KIOSK] = "kiosk",   [ROLE_SERVER] = "server",
	    [ROLE_DB] = "db",     [ROLE_LAPTOP] = "laptop", [ROLE_DESKTOP] = "desktop"};
	return names[role];
}

const char *names_site_kind(enum site_kind kind)
{
	static const char *const names[SITE_KINDS] = {[SITE_DATA_CENTRE] = "data-centre",
						      [SITE_OFFICE] = "office",
						      [SITE_WAREHOUSE] = "warehouse",
						      [SITE_SHOP] = "shop"};
	return names[kind];
}

void names_host(const struct site *site, const struct host *h, char ret[LIMIT_HOSTNAME_BYTES + 1])
{
	static const char *const codes[ROLES] = {
	    [ROLE_TILL] = "pos", [ROLE_KIOSK] = "kio",  [ROLE_SERVER] = "srv",
	    [ROLE_DB] = "db",    [ROLE_LAPTOP] = "lap", [ROLE_DESKTOP] = "ws"};
	/* A machine that was imaged again keeps its name. */
	size_t number = h->predecessor != NO_HOST ? h->predecessor : h->number;
	snprintf(ret, LIMIT_HOSTNAME_BYTES + 1, "%s-%s-%05zu", site->name, codes[h->role], number);
}
