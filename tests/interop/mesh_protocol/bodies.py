"""Sections 3 to 5: what the maps in records, blobs and log entries may say."""

from .values import (BIT, PERCENT, U8, U16, U32, U64, Table, array, binary, binary_to, integer, mapping, public_key, row,
                     text)

CRASH_KIND = integer(7, 1)
TERM = row(U8, U8, text(64))
TAGS = array(8, text(24))

KINDS = {
    1: "certificate", 2: "profile", 3: "health", 4: "components", 5: "crashes", 6: "goodbye", 16: "rollcall",
    17: "reach", 32: "incident", 33: "claim", 34: "note", 35: "policy", 36: "inventory", 37: "decommission",
}

BODIES = {
    1: Table("certificate", {
        1: ("public key", public_key), 2: ("home site", text(32, 1)), 3: ("groups", TAGS), 4: ("enrolment day", U32),
        5: ("hardware-id hash", binary(8)), 6: ("consent", binary(64)),
    }, always=(1, 2, 4, 6), status=False),
    2: Table("profile", {
        1: ("hostname", text(64)), 2: ("current site", text(32)), 3: ("location", text(64)), 4: ("tags", TAGS),
        5: ("role", text(24)), 6: ("operating system", text(64)), 7: ("kernel release", text(64)),
        8: ("architecture", text(16)), 9: ("hardware model", text(64)), 10: ("boot mode", text(8)),
        11: ("Secure Boot", BIT), 12: ("hardware-id hash", binary(8)), 13: ("asset ids", array(2, text(24))),
        14: ("agent version", text(16)), 15: ("addresses", array(4, binary(6, 18))),
        16: ("container or virtual machine", text(16)), 17: ("flags", U8),
    }),
    3: Table("health", {
        1: ("boot id hash", binary(8)), 2: ("boot time", U32), 3: ("last boot ended cleanly", BIT),
        4: ("level", integer(2)), 5: ("reasons", U16), 6: ("cpu stall", PERCENT), 7: ("memory stall", PERCENT),
        8: ("io stall", PERCENT), 9: ("memory in use", PERCENT), 10: ("fullest file system", PERCENT),
        11: ("oom kills", U32), 12: ("oopses", U32), 13: ("warnings", U32), 14: ("taint", U64),
        15: ("refuted", array(3, row(binary(8), U64))), 16: ("clock off", BIT),
    }, always=(4,)),
    4: Table("components", {
        1: ("manifest", binary(16)), 2: ("entries", integer(3072)), 3: ("loadable modules", integer(1, 1)),
        4: ("taint", U64), 5: ("loaded set", binary_to(384)), 6: ("pending", array(4, binary(8))),
        7: ("last changes", array(16, row(binary(8), U32, integer(4, 1)))), 8: ("eBPF programs", U32),
        9: ("changes ever", U32), 10: ("catalogue", binary(16)), 11: ("loaded of the catalogue", binary_to(490)),
    }),
    5: Table("crashes", {
        1: ("totals", mapping(7, CRASH_KIND, U32)), 2: ("first day", U32), 3: ("counts per day", array(14, U16)),
        4: ("last events", array(16, row(U32, CRASH_KIND, text(24)))),
        5: ("sources", mapping(7, CRASH_KIND, integer(1, -5))),
    }),
    6: Table("goodbye", {1: ("reason", integer(3, 1)), 2: ("expected back", U32)}, always=(1,)),
    16: Table("roll-call", {
        1: ("parts", U16), 2: ("roster hash", binary(8)), 3: ("states", binary_to(375)), 4: ("trie", binary(128)),
        5: ("no answer since", array(16, row(U16, U32))), 6: ("boot beacons", array(8, row(U16, U32, U32))),
        7: ("interval", U16), 8: ("live witnesses", U8), 9: ("guests", array(4, binary(8))), 10: ("hosts", U16),
    }),
    17: Table("reach", {1: ("edges", array(22, row(binary(8), BIT, U32))), 2: ("bytes sent", U32)}),
    32: Table("incident", {
        1: ("op", integer(2, 1)), 2: ("incident", U64), 3: ("text", text(320)), 4: ("match", array(8, TERM)),
        5: ("good", array(8, TERM)),
    }, always=(1,)),
    33: Table("claim", {
        1: ("incident", U64), 2: ("op", integer(4, 1)), 3: ("scope", integer(2, 1)), 4: ("text", text(128)),
    }, always=(1, 2, 3)),
    34: Table("note", {1: ("incident", U64), 2: ("text", text(320, 1))}, always=(2,)),
    35: Table("policy", {
        1: ("root", binary(16)), 2: ("rows", U32), 3: ("title", text(64)), 4: ("replaces", array(8, U64)),
    }, always=(1,)),
    37: Table("decommission", {1: ("reason", text(128))}),
}
BODIES[36] = Table("inventory", BODIES[35].fields, always=(1,))

COMPONENT = Table("component entry", {
    1: ("kind", integer(8, 1)), 2: ("name", text(64)), 3: ("version", text(64)), 4: ("source version", text(64)),
    5: ("vendor", text(64)), 6: ("size", U64), 7: ("flags", U16),
}, always=(1, 2), status=(3, 4, 5, 6))
POLICY_ROW = Table("policy row", {
    1: ("kind", integer(8, 1)), 2: ("name", text(64)), 3: ("name operator", U8), 4: ("version operator", integer(7, 1)),
    5: ("version", text(64)), 6: ("source version", text(64)), 7: ("vendor", text(64)), 8: ("verdict", integer(2, 1)),
    9: ("remark", text(64)),
}, always=(8,), status=False)
INVENTORY_ROW = Table("inventory row", {
    1: ("hostname", text(64)), 2: ("asset ids", array(2, text(24))), 3: ("site", text(32)), 4: ("role", text(24)),
    5: ("criticality", integer(4, 1)), 6: ("address", text(128)), 7: ("opening hours", text(64)),
    8: ("contact", text(96)), 9: ("recovery key", text(96)), 10: ("needed", U16), 11: ("remark", text(64)),
}, always=(3,), status=False)
CATALOGUE = Table("catalogue", {
    1: ("kernel release", text(64)), 2: ("architecture", text(16)), 3: ("entries", integer(8192)),
    4: ("list", binary(16)),
}, status=False)

GENESIS, GRANT, EXTEND, OPERATOR, REVOKE, ROTATE = range(6)
LOG_BODIES = {
    GENESIS: Table("genesis", {
        1: ("authority", public_key), 2: ("estate", text(64, 1)), 3: ("successor", public_key),
    }, always=(1, 2, 3), status=False),
    GRANT: Table("grant", {
        1: ("issuer", public_key), 2: ("sites", array(16, text(32, 1))), 3: ("quota", U32), 4: ("last day", U32),
        5: ("name", text(64)), 6: ("grace", U16),
    }, always=(1, 3, 4), status=False),
    EXTEND: Table("extend", {
        1: ("issuer", binary(16)), 2: ("last day", U32), 3: ("quota", U32),
    }, status=False),
    OPERATOR: Table("operator", {
        1: ("operator", public_key), 2: ("name", text(64)), 3: ("roles", U8), 4: ("last day", U32),
    }, always=(1, 3, 4), status=False),
    REVOKE: Table("revoke", {
        1: ("what", integer(3, 1)), 2: ("id", binary(16)), 3: ("allow-list", binary(16)), 4: ("reason", text(128)),
    }, always=(1, 2), status=False),
    ROTATE: Table("rotate", {
        1: ("authority", public_key), 2: ("successor", public_key),
    }, always=(1, 2), status=False),
}
