/* What each kind of issue is called, how bad it is, what it means and what to do about it. */
#include "store/query_private.h"

/* By kind. `count` says what the column of that name counts; NULL: there is nothing to count. */
static const struct issue_facts facts[] = {
    [ISSUE_HOST_REVOKED] =
	{ISSUE_INFO, "host", NULL,
	 "The authority revoked this host's key: nothing it says is believed, and its data is hidden.",
	 "Nothing, if the host is lost or retired. To see its last words: mesh show ID --revoked. To use the "
	 "machine again, erase its state folder and enrol it anew."},
    [ISSUE_ISSUER_REVOKED] =
	{ISSUE_INFO, "issuer", "hosts hidden",
	 "The authority revoked this issuer. Its hosts are hidden, but for those that the revocation's "
	 "allow-list names.",
	 "Enrol hidden hosts that are yours anew, with a token of another issuer. The table hidden_hosts "
	 "lists them."},
    [ISSUE_OPERATOR_REVOKED] =
	{ISSUE_INFO, "operator", NULL,
	 "The authority revoked this operator's key: what it signed counts no more.",
	 "Nothing. A person who needs a key again gets a new one: mesh authority operator."},
    [ISSUE_QUARANTINED] =
	{ISSUE_WARNING, "host", NULL,
	 "The host was enrolled beyond its issuer's quota. It is shown, but has no say: it is no witness and "
	 "no bridge. Each node counts in the order in which it learned of hosts: others may mark other ones.",
	 "If the host is yours, raise the quota of its issuer (mesh authority extend). If not, revoke it, "
	 "and "
	 "find out who has the token."},
    [ISSUE_OVER_QUOTA] =
	{ISSUE_WARNING, "issuer", "certificates beyond the quota",
	 "More hosts were enrolled with this issuer's tokens than its quota allows: a wrong guess, or a "
	 "token "
	 "in the wrong hands.",
	 "Look at the hosts of kind quarantined. Raise the quota, or revoke the issuer with an allow-list of "
	 "the hosts that stay."},
    [ISSUE_GRANT_IN_GRACE] =
	{ISSUE_WARNING, "issuer", "its hosts",
	 "The issuer's grant has ended; its hosts go on for the days of its grace, then nobody talks to "
	 "them.",
	 "Extend the grant before the grace ends: mesh authority extend. On a branch that was cut off, the "
	 "extension comes with the link."},
    [ISSUE_GRANT_ENDED] =
	{ISSUE_CRITICAL, "issuer", "its hosts",
	 "The issuer's grant and its grace have ended: its hosts are not talked to, and what is shown of "
	 "them "
	 "is old.",
	 "Extend the grant: mesh authority extend. Every host of it is back with that one entry."},
    [ISSUE_ALLOW_LIST_MISSING] =
	{ISSUE_WARNING, "issuer", NULL,
	 "The issuer was revoked, but the list of the hosts that stay is not here yet: those known so far "
	 "count as named.",
	 "Wait for a peer that has the list, or hand it to any node once more: mesh authority publish."},
    [ISSUE_LOG_FORKED] =
	{ISSUE_CRITICAL, "estate", "branches",
	 "The authority's key signed two different continuations of its log: a copy that had fallen behind, "
	 "or a thief. Behind the fork revocations of all branches count, and grants of none.",
	 "Find out which copies of the authority exist, and which branch is yours: mesh authority log -o "
	 "wide. "
	 "The successor's key ends the fork: mesh authority rotate --after HASH, the last entry that is to "
	 "stand. Where two rotations are the fork, nothing ends it: make a new authority."},
    [ISSUE_CLONED] =
	{ISSUE_CRITICAL, "host", "times found",
	 "Two nodes use this host's key: an image with the key inside was copied, or the key was stolen. "
	 "What it says may be of either.",
	 "On the copy, stop meshd, erase its state folder and enrol it anew. If no copy is yours, revoke the "
	 "host and enrol the machine anew."},
    [ISSUE_RESTORED] =
	{ISSUE_INFO, "host", "times found",
	 "The host came back from a backup or snapshot with an old counter and went past its own later "
	 "records.",
	 "Nothing. What it reported between the backup and its return is older than what it says now."},
    [ISSUE_EQUIVOCATION] =
	{ISSUE_CRITICAL, "host", "times found",
	 "The host signed two different records of one order, and both are kept as proof. Its key is in two "
	 "places, or somebody lies with it.",
	 "Compare the two (mesh show HOST). Revoke the host, and enrol the machine anew after it was looked "
	 "at."},
    [ISSUE_DUPLICATE_HARDWARE] =
	{ISSUE_WARNING, "host", NULL,
	 "Another host with the same hardware id is alive too: virtual machines copied with their id, or "
	 "makers who gave several machines one.",
	 "Give copied virtual machines ids of their own. Otherwise nothing: both are shown, none is "
	 "replaced."},
    [ISSUE_CLOCK_OFF] =
	{ISSUE_WARNING, "host", NULL,
	 "The host's clock differs from its peers': times it states are off by as much. Order and freshness "
	 "do not depend on them.",
	 "Set the host's clock, and look at its time service."},
    [ISSUE_BAD_SIGNATURES] =
	{ISSUE_CRITICAL, "host", "records with bad signatures",
	 "The host handed on records whose signatures are wrong. It is not listened to for a while; honest "
	 "hosts check what they hand on.",
	 "Look at the machine: failing memory, or a changed meshd. Revoke it if it is not yours any more."},
    [ISSUE_POISON_RECORD] =
	{ISSUE_WARNING, "host", "records set aside",
	 "A record of this host was being applied when this node crashed, twice. It is left out here; other "
	 "nodes may have it.",
	 "Report the crash with the record's id. After an update of meshd the record is tried again."},
    [ISSUE_OUT_OF_ROLE] =
	{ISSUE_WARNING, "operator", "records left out",
	 "The operator signed what its role does not cover; it counts for nothing.",
	 "If the person should be able to, give the role: mesh authority operator. If the key was used by "
	 "somebody else, revoke it."},
};

const struct issue_facts *issue_facts_of(enum issue_kind kind)
{
	bool known = (size_t)kind < sizeof(facts) / sizeof(facts[0]) && facts[kind].subject != NULL;
	return known ? &facts[kind] : NULL;
}
