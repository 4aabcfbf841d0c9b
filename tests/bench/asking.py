"""Asks mesh as people do, one whole process a question."""
import json
import os
import subprocess
import sys
import tempfile


def answer_of(command):
    """The answer in JSON, and the processor time of the whole process in ms."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {child.returncode}")
        out.seek(0)
        return json.load(out), (usage.ru_utime + usage.ru_stime) * 1000
