"""A throw-away Slurm on this machine: munge, one controller and two nodes, all in one folder, ended by their process ids.

    python -m tests.slurm.cluster up FOLDER      # prints what to export
    python -m tests.slurm.cluster down FOLDER

Needs Debian's slurm-wlm and munge (its slurmd can run several times on one machine); nothing in /etc is read or written.
"""

import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

PORT = 16917
NODES = ("n1", "n2")
FOLDERS = ("run", "log", "state", "spool/n1", "spool/n2", "bin")
CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# the least that is allowed: each job that is queued again waits for the old credential to expire
AuthInfo=socket={folder}/run/munge.sock,cred_expire=5
SlurmctldPort={port}
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=1,bf_interval=1
ReturnToService=2
JobRequeue=1
KillWait=30
MinJobAge=3600
SlurmdTimeout=120
# believe the CPUs below, whatever the machine has
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
"""
PARTITIONS = """\
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""
SACCT = """\
#!/bin/bash
# the one question that submitit asks of the accounting that this cluster does without
ids=(); while [ $# -gt 0 ]; do if [ "$1" = -j ]; then ids+=("$2"); shift; fi; shift; done
echo "JobID|State|NodeList"
for id in "${ids[@]}"; do squeue --noheader --array --states=all --jobs="$id" --format='%i|%T|%N' 2>/dev/null; done
exit 0
"""


def environment(folder: Path) -> dict[str, str]:
    """What Slurm's commands need to find the cluster."""
    path = f"{folder}/bin:{os.environ['PATH']}:/usr/sbin"
    return {"SLURM_CONF": f"{folder}/slurm.conf", "PATH": path, "MASTER_ADDR": "127.0.0.1"}  # n1 has no address


def up(folder: Path) -> dict[str, str]:
    """Start the cluster; the variables by which it is found."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    key = folder / "munge.key"
    key.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    key.write_bytes(secrets.token_bytes(1024))
    (folder / "bin/sacct").write_text(SACCT)
    (folder / "bin/sacct").chmod(0o755)
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    host = socket.gethostname().partition(".")[0]
    nodes = "".join(
        f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={PORT + 1 + index} CPUs=2 RealMemory=8000\n"
        for index, node in enumerate(NODES)
    )
    written = CONFIGURATION.format(folder=folder, host=host, user=user, port=PORT) + nodes + PARTITIONS
    (folder / "slurm.conf").write_text(written)
    found = environment(folder)
    run = folder / "run"
    munge = [f"--key-file={key}", f"--socket={run}/munge.sock", f"--pid-file={run}/munged.pid"]
    munge += [f"--log-file={folder}/log/munged.log", f"--seed-file={run}/munge.seed"]
    for command in (
        ["munged", "--force", *munge],
        ["slurmctld", "-c"],
        *(["slurmd", "-c", "-N", node] for node in NODES),
    ):
        subprocess.run(command, env={**os.environ, **found}, check=True, capture_output=True, timeout=60)
    deadline = time.monotonic() + 60
    while len(_idle(found)) < len(NODES):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the nodes did not come up: see {folder}/log")
        time.sleep(0.2)
    return found


def down(folder: Path) -> None:
    """End the cluster and its jobs."""
    found = {**os.environ, **environment(folder)}
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    subprocess.run(["scancel", "--quiet", "--full", "--signal=KILL", "-u", user], env=found, check=False, timeout=20)
    ids = [int(path.read_text()) for path in sorted((folder / "run").glob("*.pid")) if path.read_text().strip()]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in ids:
            if Path(f"/proc/{process}").exists():
                os.kill(process, number)
        time.sleep(2)


def _idle(found: dict[str, str]) -> set[str]:
    command = ["sinfo", "--noheader", "--Node", "--states=idle", "--format=%N"]
    answer = subprocess.run(
        command, env={**os.environ, **found}, check=False, capture_output=True, text=True, timeout=20
    )
    return set(answer.stdout.split())


if __name__ == "__main__":
    action, place = sys.argv[1], Path(sys.argv[2]).resolve()
    if action == "up":
        for variable, value in up(place).items():
            print(f"export {variable}='{value}'")  # noqa: T201
    else:
        down(place)
