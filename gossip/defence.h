/* The defences of the protocol core, one for each thing that a scenario of tests/hostile attacks.
 *
 * Production has no switch: defence_on (gossip/core.h) is constant there. The core is built a second time
 * with MESH_WEAKEN, for tests alone; that one leaves out what gossip_options.weakened names, so that each
 * scenario shows that its promise hangs on its defence. Values are bits of a u64 and of no outside meaning.
 */
#ifndef MESH_GOSSIP_DEFENCE_H
#define MESH_GOSSIP_DEFENCE_H

#define DEFENCE_TABLE(X)                                                                                     \
	X(SIGNATURE, "a record counts only under its writer's signature")                                    \
	X(OWN_SUBJECT, "a host signs about itself alone")                                                    \
	X(HOME_SITE, "a host signs roll-calls of its home site alone")                                       \
	X(OPERATOR, "operators' kinds are operators' alone")                                                 \
	X(CERTIFICATE, "a certificate counts by its issuer's signature and grant")                           \
	X(REVOCATION, "the revoked are not listened to")                                                     \
	X(ORDER, "an older record never replaces a newer one")                                               \
	X(FORK_ORDER, "of two records of one order the lower id stands, everywhere")                         \
	X(HOST_COUNTER, "no certificate moves a host's counter")                                             \
	X(ORIGIN_SHARE, "what one host can make the estate carry is bounded")                                \
	X(IDLE_SIGNER, "roll-calls that cannot count have no share of their own")                            \
	X(LIAR, "who hands on a forgery is not listened to for a while")                                     \
	X(ORPHAN_ROOM, "of records without a certificate the oldest give way")                               \
	X(RECEIPT_TIME, "freshness counts from receipt, not from what the writer's clock says")              \
	X(MAC_FIRST, "the mac is checked before a datagram costs its alleged sender anything")               \
	X(REPLAY, "a datagram is let in once")                                                               \
	X(SENDER_RATE, "one host may send so much a second")                                                 \
	X(SCHEMA, "a message that is not exactly what it says is dropped whole")                             \
	X(HELLO_PROOF, "a session is made by a signature over both nonces")                                  \
	X(COOKIE, "under load an address is proven before a hello is answered")                              \
	X(HELLO_SHARE, "what strangers can make a node sign and verify is bounded")                          \
	X(ADDRESS_PROOF, "a host moves to an address that answered, not to one it was seen at")              \
	X(AMPLIFICATION, "an address that is not proven gets no more than it sent")                          \
	X(ECHO, "an answer counts only with the nonce of a question")                                        \
	X(OWN_PROBES, "a suspicion is a hint: a witness accuses after its own probes")                       \
	X(HEARSAY, "what one host can make others probe is bounded")                                         \
	X(TWO_WITNESSES, "dark needs two witnesses")                                                         \
	X(RANKED_SIGNERS, "only the best-ranked of a site sign")                                             \
	X(ROLLCALL_TURN, "nobody's roll-calls keep a witness from signing its own")                          \
	X(VIEW_ROOM, "roll-calls of the worst-ranked give way where too many sign")                          \
	X(SENIORITY, "whoever is new this week ranks last")                                                  \
	X(REFUTATION, "an accused host answers by name, and that voids the accusation")                      \
	X(LONE_ACCUSER, "whoever accuses alone without end is answered ever more rarely")                    \
	X(PULL_ROOM, "who names most gives way where too much is asked for")                                 \
	X(PULL_ONCE, "what is named twice in one question is handed over once")                              \
	X(PULL_ELSEWHERE, "what one does not hand over is asked of another")                                 \
	X(SKETCH_DOUBT, "whose sketches come to nothing is not asked for them for a while")                  \
	X(SKETCH_WORK, "taking a sketch apart is bounded in work")                                           \
	X(SKETCH_SHARE, "what one host can draw in sketches is bounded")                                     \
	X(WALK_PACE, "walks that bring nothing are spaced out")                                              \
	X(LOG_CLAIM, "who boasts of a log keeps nobody else from being asked for it")                        \
	X(BLOB_ASKED, "a blob is taken when it was asked for, under its own hash")                           \
	X(QUOTA, "what an issuer certifies beyond its quota has no say")                                     \
	X(POISON, "a record that was being applied in two crashes is not applied again")                     \
	X(CLONE, "a host that meets what it never said tells that its key is used elsewhere")                \
	X(COMPARE, "each host compares with one of another site now and then")                               \
	X(BLOB_SHARE, "one host's manifest leaves room for those of others")                                 \
	X(BLOB_GROWTH, "what one host can make others keep is bounded")

enum gossip_defence {
#define DEFENCE_ENUM(symbol, what) DEFENCE_##symbol,
	DEFENCE_TABLE(DEFENCE_ENUM)
#undef DEFENCE_ENUM
	    DEFENCE_COUNT
};
_Static_assert(DEFENCE_COUNT <= 64, "they are bits of gossip_options.weakened");

#endif
