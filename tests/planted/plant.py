#!/usr/bin/env python3
"""Plants one bug of bugs.ini in a source file, for builds that test the simulator (meson option `planted`).

usage: plant.py file NAME          prints which file of gossip/ the bug is in
       plant.py plant NAME IN OUT  writes the file with the bug
"""
import configparser
import pathlib
import re
import sys

TABLE = pathlib.Path(__file__).with_name("bugs.ini")


def bugs():
    table = configparser.RawConfigParser(delimiters=("=",), strict=True)
    table.read(TABLE, encoding="utf-8")
    return table


def planted(text, bug):
    """The source must hold what is broken exactly once, or the table is out of date. Indentation is free."""
    pattern = re.compile(r"\n[ \t]*".join(re.escape(line) for line in bug["from"].splitlines()))
    found = len(pattern.findall(text))
    if found != 1:
        sys.exit(f"plant: bug {bug.name}: {bug['file']} holds {found} times, not once: {bug['from']}\n"
                 f"Change `from` in {TABLE}.")
    return pattern.sub(lambda match: bug["to"], text)


def main(arguments):
    if len(arguments) < 2 or arguments[1] not in bugs():
        sys.exit(f"plant: no such bug in {TABLE}: {arguments[1:2]}")
    bug = bugs()[arguments[1]]
    if arguments[0] == "file":
        print(bug["file"])
    else:
        text = pathlib.Path(arguments[2]).read_text(encoding="utf-8")
        pathlib.Path(arguments[3]).write_text(planted(text, bug), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
