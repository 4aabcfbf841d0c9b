#!/usr/bin/env python3
"""Builds mesh-sim with one bug of bugs.ini after the other, and tells which seed finds it.

usage: run.py BUILD [NAME...]      BUILD: a meson folder of its own, with -Dwerror=false

A find counts when mesh-sim without the bug keeps its promises in the very same run. Exits 1 when a bug is not found.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import plant

RUN_S = 120  # what hangs is found, too


def call(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"planted: {' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def build(folder, name):
    call("meson", "configure", f"-Dplanted={name}", folder)
    call("ninja", "-C", folder, "tests/sim/mesh-sim")
    return pathlib.Path(folder, "tests/sim/mesh-sim")


def broken(simulator, scenario, seed):
    command = [simulator, "--scenario", *scenario.split(), "--seed", str(seed)]
    try:
        return subprocess.run(command, capture_output=True, timeout=RUN_S, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def search(simulator, clean, bug):
    """The scenario and the number of seeds it took, or None."""
    for seed in range(1, int(bug.get("seeds", "10")) + 1):
        for scenario in bug["found_by"].split("|"):
            if broken(simulator, scenario, seed):
                if broken(clean, scenario, seed):
                    sys.exit(f"planted: {scenario} --seed {seed} fails without a bug, too: mend that first")
                return scenario.strip(), seed
    return None


def main(folder, names):
    bugs = plant.bugs()
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        clean = pathlib.Path(scratch, "mesh-sim")
        shutil.copy(build(folder, ""), clean)
        for name in names or bugs.sections():
            if name not in bugs:
                sys.exit(f"planted: no bug {name}; known are: {', '.join(bugs.sections())}")
            found = search(build(folder, name), clean, bugs[name])
            if found is None:
                missed.append(name)
            how = "NOT FOUND" if found is None else f"seed {found[1]:<3} {found[0]}"
            print(f"{name:26} {how}", flush=True)
    print(f"{len(names or bugs.sections()) - len(missed)} found, {len(missed)} not found")
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
