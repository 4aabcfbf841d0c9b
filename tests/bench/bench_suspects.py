#!/usr/bin/env python3
"""mesh suspects on estates whose truth is known: is the true cause named first, is anything blamed in quiet times?

Usage: tests/bench/bench_suspects.py MESH MESH_ESTATE [--hosts N] [--seeds N] [--only KIND] [--large N] [--rows] [--keep DIR]

Each outage with each delay is seen with as many seeds, which take turns with the confounders; besides, as many quiet
estates, power cuts and patch days. --large measures the processor time over one estate of that size. Prints one JSON
object a line; --rows adds one for each estate, --keep leaves those that were judged wrong.
"""
import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time

import asking

AT = "2026-11-20T12:00Z"
CONFOUNDERS = [None, "model", "power", "patchday", "together", "model,power,patchday"]
SHARES = ["0.5", "0.5", "0.2", "0.05"]
DELAYS = ["0s", "5s", "minutes", "hour"]
HIT_MIN = 20


def truth_of(estate):
    """All but the hosts: they are most of it."""
    with open(os.path.join(estate, "truth.json"), encoding="utf-8") as f:
        text = f.read()
    return json.loads(text[:text.index('"sites": [')].rstrip().rstrip(",") + "}")


def utc(ms):
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(ms / 1000))


def ask(mesh, estate, since="2026-11-19 12:00Z"):
    """The answer, and the processor time of the whole process in ms."""
    command = [mesh, "suspects", "--state", estate, "-o", "json", "--allow-partial", "--until", AT.replace("T", " "),
               "--since", since]
    return asking.answer_of(command)


def number(version):
    """Those of mesh-estate are numbers and dots."""
    return [int(part) for part in version.split(".")]


def names(row, what, only_name=False):
    """Whether the row speaks of the component of the truth, in no other version."""
    if row["component_kind"] != what["kind"] or row["name"] != what["name"]:
        return False
    if row["kind"] == "versions from":
        return only_name or number(row["version"]) <= number(what["version"])
    return only_name or row["version"] in (None, what["version"])


def blamed(answer):
    return [r for r in answer["rows"] if r["verdict"] in ("strong", "likely")]


def judge(answer, truth):
    rows = answer["rows"]
    lines = blamed(answer)
    result = {"outcome": answer["summary"]["outcome"], "failed": answer["summary"]["failed"], "lines": len(lines)}
    cause = truth["cause"]
    if cause is None:
        result["alarms"] = len(lines)
        return result
    groups = {r["line"]: [r] + [g for g in rows if g["verdict"] == "cannot tell apart" and g["of"] == r["line"]]
              for r in lines}
    group = groups[1][1:] if lines else []
    result["first"] = bool(lines) and names(lines[0], cause)
    result["named_version"] = result["first"] and lines[0]["version"] == cause["version"]
    result["in_group"] = result["first"] or any(names(r, cause) for r in group) or \
        any(names(r, cause) for r in rows if r["verdict"] in ("may be chance", "cannot tell"))
    result["alone"] = not group
    own = [cause] + ([truth["companion"]] if "companion" in truth else [])
    result["wrong"] = sum(1 for g in groups.values() if not any(names(r, o, True) for r in g for o in own))
    return result


def cases(seeds):
    for seed in range(1, seeds + 1):
        for outage in ("driver", "content"):
            for delay in DELAYS:
                yield outage, delay, CONFOUNDERS[seed % len(CONFOUNDERS)], seed
        for quiet in ("none", "power", "patchday"):
            yield quiet, None, None, seed


def run(options, outage, delay, confounder, seed):
    estate = tempfile.mkdtemp(prefix="suspects-")
    command = [options.mesh_estate, "--hosts", str(options.hosts), "--sites", str(max(options.hosts // 50, 1)),
               "--seed", str(seed), "--at", AT, "--out", estate, "--outage", outage]
    if delay:
        command += ["--delay", delay]
    if delay:
        command += ["--share", SHARES[seed % len(SHARES)]]
    if confounder:
        command += ["--confounder", confounder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    truth = truth_of(estate)
    if truth["cause"] is None:
        # A day; for alarms also what a month had.
        answer, cpu = ask(options.mesh, estate)
        month, _ = ask(options.mesh, estate, "2026-10-21 12:00Z")
    else:
        answer, cpu = ask(options.mesh, estate, utc(truth["options"]["from_ms"] - 600000))
        month = {"rows": []}
    result = {"outage": outage, "delay": delay, "confounder": confounder, "seed": seed,
              "hits": truth["counts"]["exposure"]["hit"], "reported": truth["counts"]["hit_reported"],
              "distinguishable": truth.get("distinguishable"), "cpu_ms": round(cpu, 1), **judge(answer, truth)}
    if "alarms" in result:
        result["alarms"] += len(blamed(month))
    good = not result["alarms"] if truth["cause"] is None else result["in_group"] and not result["wrong"]
    if options.keep and not good:
        shutil.move(estate, os.path.join(options.keep, f"{outage}-{delay}-{confounder}-{seed}"))
    else:
        shutil.rmtree(estate)
    return result


def large(options):
    """Processor time of the whole process over one large estate, best of seven, in ms."""
    estate = tempfile.mkdtemp(prefix="suspects-")
    subprocess.run([options.mesh_estate, "--hosts", str(options.large), "--sites", str(options.large // 100), "--seed", "3",
                    "--at", AT, "--out", estate, "--outage", "driver", "--delay", "5s", "--confounder",
                    "model,power,patchday"], check=True, stdout=subprocess.DEVNULL)
    best = min(ask(options.mesh, estate, utc(truth_of(estate)["options"]["from_ms"] - 600000))[1] for _ in range(7))
    shutil.rmtree(estate)
    row(f"suspects.cpu_ms.{options.large}", round(best, 1), "ms")


def share(results, key):
    return round(sum(1 for r in results if r[key]) / len(results), 4) if results else 0


def row(metric, value, unit):
    print(json.dumps({"bench": "suspects", "metric": metric, "value": value, "unit": unit}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mesh")
    parser.add_argument("mesh_estate")
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only")
    parser.add_argument("--large", type=int)
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--keep")
    options = parser.parse_args()
    results = []
    for case in cases(options.seeds):
        if options.only and not case[0] == options.only:
            continue
        results.append(run(options, *case))
        if options.rows:
            print(json.dumps(results[-1]), flush=True)
    outages = [r for r in results if "first" in r and r["hits"] >= HIT_MIN]
    # Where the answer is "cannot tell", it counts for the group; what it cannot tell is printed.
    told = [r for r in outages if r["distinguishable"] and r["lines"]]
    if outages:
        row("suspects.outages", len(outages), "estates")
        row("suspects.cannot_tell", sum(1 for r in outages if r["distinguishable"] and not r["lines"]), "estates")
        row("suspects.true_first_share", share(told, "first"), "share")
        for delay in DELAYS:
            row(f"suspects.true_first_share.{delay}", share([r for r in told if r["delay"] == delay], "first"), "share")
            row(f"suspects.version_named_share.{delay}",
                share([r for r in told if r["delay"] == delay], "named_version"), "share")
        row("suspects.alone_share", share([r for r in told if r["first"]], "alone"), "share")
        untold = [r for r in outages if not r["distinguishable"] or not r["lines"]]
        if untold:
            row("suspects.in_group_share", share(untold, "in_group"), "share")
        row("suspects.wrong_lines", sum(r["wrong"] for r in outages), "lines")
    quiet = [r for r in results if "alarms" in r]
    if quiet:
        row("suspects.quiet_estates", len(quiet), "estates")
        row("suspects.false_alarms", sum(r["alarms"] for r in quiet), "lines")
    if results:
        row("suspects.cpu_ms", max(r["cpu_ms"] for r in results), "ms")
    if options.large:
        large(options)


main()
