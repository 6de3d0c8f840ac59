"""A throw-away Slurm on this machine: munge, one controller and two nodes, all in one folder.

Its daemons are children of the process that starts them, on ports that were free, and are killed with it however it
ends; nothing in /etc is read or written. Needs Debian's slurm-wlm and munge, whose slurmd can run several times on one
machine.

    python -m tests.slurm.cluster FOLDER      # prints what to export elsewhere; Ctrl-C ends it
"""

import ctypes
import getpass
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NODES = ("n1", "n2")
FOLDERS = ("run", "log", "state", "spool/n1", "spool/n2", "bin")
SECONDS_TO_SAVE = 12
"""Between SIGTERM and SIGKILL, in a requeue as in a preemption."""
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
KillWait={seconds}
MinJobAge=3600
SlurmdTimeout=120
# believe the CPUs below, whatever the machine has
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime={seconds}
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
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
ENDED_BY = {signal.SIGINT, signal.SIGTERM}
DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def lacking() -> str:
    """The programs that are not installed; empty where Slurm can be started."""
    return ", ".join(name for name in PROGRAMS if not shutil.which(name, path=_path()))


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Slurm in a folder of its own; the environment in which its commands find it."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    key, run = folder / "munge.key", folder / "run"
    key.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    key.write_bytes(secrets.token_bytes(1024))
    (folder / "bin/sacct").write_text(SACCT)
    (folder / "bin/sacct").chmod(0o755)
    (folder / "slurm.conf").write_text(_configuration(folder))
    found = {
        **os.environ,
        "SLURM_CONF": f"{folder}/slurm.conf",
        "PATH": f"{folder}/bin:{_path()}",
        "MASTER_ADDR": "127.0.0.1",  # n1 has no address
    }
    munge = [f"--key-file={key}", f"--socket={run}/munge.sock", f"--pid-file={run}/munged.pid"]
    munge += [f"--log-file={folder}/log/munged.log", f"--seed-file={run}/munge.seed"]
    with ExitStack() as daemons:
        daemons.enter_context(_daemon(["munged", "--foreground", "--force", *munge], found))
        _await(lambda: (run / "munge.sock").exists(), folder)
        daemons.enter_context(_daemon(["slurmctld", "-D", "-c"], found))
        for node in NODES:
            daemons.enter_context(_daemon(["slurmd", "-D", "-c", "-N", node], found))
        _await(lambda: set(_asked(found, "sinfo", "-hN", "--states=idle", "--format=%N")) == set(NODES), folder)
        try:
            yield found
        finally:
            _asked(found, "scancel", "--quiet", "--full", "--signal=KILL", "-u", getpass.getuser())
            _asked(found, "scancel", "--quiet", "-u", getpass.getuser())
            _await(lambda: not _asked(found, "squeue", "-h", "--format=%i"), folder)


def _configuration(folder: Path) -> str:
    host = socket.gethostname().partition(".")[0]
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(1 + len(NODES))]
        controller, *ports = [one.getsockname()[1] for one in sockets]
    nodes = [
        f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=16000\n"
        for node, port in zip(NODES, ports, strict=True)
    ]
    settings, partitions = CONFIGURATION.split("PartitionName", 1)
    written = f"{settings}{''.join(nodes)}PartitionName{partitions}"
    return written.format(folder=folder, host=host, user=getpass.getuser(), port=controller, seconds=SECONDS_TO_SAVE)


@contextmanager
def _daemon(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    program = shutil.which(command[0], path=environment["PATH"])
    assert program is not None
    prctl = ctypes.CDLL(None).prctl
    process = subprocess.Popen(
        [program, *command[1:]],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: prctl(DIE_WITH_PARENT, signal.SIGKILL),
    )
    try:
        yield
    finally:
        process.kill()  # its jobs have ended, and nobody reads its state again
        process.wait()


def _await(condition: Callable[[], bool], folder: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted((folder / "log").iterdir()))
            raise TimeoutError(f"Slurm did not come up, or its jobs did not end:\n{logs}")
        time.sleep(0.1)


def _asked(found: dict[str, str], *command: str) -> list[str]:
    answer = subprocess.run(command, env=found, check=False, capture_output=True, text=True, timeout=60)
    return answer.stdout.split()


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


if __name__ == "__main__":
    with cluster(Path(sys.argv[1]).resolve()) as variables:
        for variable in ("SLURM_CONF", "PATH", "MASTER_ADDR"):
            print(f"export {variable}='{variables[variable]}'", flush=True)  # noqa: T201
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDED_BY)
        signal.sigwait(ENDED_BY)
