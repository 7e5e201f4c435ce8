"""A long job that reports to kaspad-taskd how far it is, and how it ended, whatever ends it.

python3 report.py TASK PARTS COMMAND [ARG...]
runs COMMAND ARG... 1, then 2, up to PARTS. TASK is the id of a task of type report. The standard
library is enough.
"""

import json
import os
import signal
import socket
import subprocess
import sys

SOCKETS = (
    "/run/kaspad-taskd/rpc.sock",
    os.environ.get("XDG_RUNTIME_DIR", "") + "/kaspad-taskd/rpc.sock",
)


def call(method, **params):
    """Ask the daemon; a reason why that was not taken goes to stderr.

    The job does not depend on it: what is not taken is made up for by the next report.
    """
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    problem = "kaspad-taskd is not reachable"
    for path in SOCKETS:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(path)
                connection.sendall(request.encode() + b"\n")
                answer = json.loads(connection.makefile("rb").readline())
        except (OSError, ValueError):
            continue
        if "error" not in answer:
            return
        problem = answer["error"]["message"]
    print(f"{method}: {problem}", file=sys.stderr)


def ended(number, _frame):
    """A signal ends the job as an error does; the running part is killed by subprocess.run."""
    sys.exit(128 + number)


def words(fault):
    """What ended the job; not with its command, whose arguments may be nobody else's business."""
    if isinstance(fault, subprocess.CalledProcessError):
        return f"ended with {fault.returncode}"
    if isinstance(fault, SystemExit):
        return f"ended with {signal.Signals(fault.code - 128).name}"
    return f"ended with {type(fault).__name__}"


def main(task, parts, *command):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    part = 0
    call("retryTask", taskId=task)  # after a failure a new attempt; else refused, which is fine
    try:
        call("reportTask", taskId=task, progress=0)
        for part in range(1, int(parts) + 1):
            subprocess.run([*command, str(part)], check=True)
            call(
                "reportTask",
                taskId=task,
                progress=100 * part // int(parts),
                metadata={"part": part},
            )
    except BaseException as fault:  # Ctrl-C and signals too
        call("reportTask", taskId=task, error=f"{words(fault)} at part {part} of {parts}")
        raise
    call("reportTask", taskId=task, completed=True)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
