"""A run that is to be online goes on offline where W&B cannot be reached: in time, with one warning."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import wandb

from srlab.tracking.logger import WeightsAndBiases
from srlab.tracking.offline import read_run
from tests.conftest import TINY, Command

INIT_SECONDS = 2
SLACK_SECONDS = 60
"""What a busy machine may take for the rest; without the limit, a server that hangs costs 90 s by itself."""
KEY = "0" * 40


@contextmanager
def server(answers: bool) -> Iterator[str]:
    """The address of a server on loopback that takes what it is sent and says nothing, or of none."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    if not answers:
        listening.close()
    held: list[socket.socket] = []

    def hold() -> None:
        while True:
            try:
                held.append(listening.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=hold, daemon=True)
    if answers:
        thread.start()
    try:
        yield address
    finally:
        if answers:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            thread.join()
        for one in held:
            one.close()


@pytest.fixture(autouse=True)
def _nobodys_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Without the settings and keys of whoever runs the tests."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "settings"))
    wandb.teardown()
    yield
    wandb.teardown()


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("trouble", ["no key", "refuses", "hangs"])
def test_a_run_goes_on_without_the_server(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trouble: str
) -> None:
    with server(answers=trouble == "hangs") as address:
        monkeypatch.setenv("WANDB_BASE_URL", address)
        if trouble != "no key":
            monkeypatch.setenv("WANDB_API_KEY", KEY)
        begun = time.monotonic()
        outcome = command(
            *("train", *TINY, "hydra.run.dir=run", "logger=[csv,wandb]", "logger.wandb.mode=online", "iterations=2"),
            f"logger.wandb.init_timeout_seconds={INIT_SECONDS}",
        )
        seconds = time.monotonic() - begun
    assert outcome.status == 0, outcome.err
    assert (outcome.out + outcome.err).count("WARNING") == 1
    assert "W&B is offline in this run" in outcome.out
    assert ("there is no key" in outcome.out) == (trouble == "no key")
    assert seconds < INIT_SECONDS + SLACK_SECONDS
    wandb.teardown()
    run = read_run(tmp_path / "run")
    assert (run.exit_code, sorted(run.curve("train/loss"))) == (0, [1, 2])
    assert (tmp_path / "run/export/model.safetensors").is_file()


class Obliging(BaseHTTPRequestHandler):
    """Says yes to whatever begins a run, until it falls silent."""

    silent = threading.Event()
    project: ClassVar = {"id": "p", "name": "srlab", "entity": {"id": "e", "name": "someone"}}
    bucket: ClassVar = {"id": "r", "name": "r", "displayName": "r", "config": "{}", "project": project}
    entity: ClassVar = {"organization": {"coreWeaveOrganizationId": None}}
    begun: ClassVar = {"model": {**project, "bucket": None}, "upsertBucket": {"bucket": bucket}}
    answer = json.dumps({"data": {**begun, "entity": entity, "serverInfo": {"features": []}}}).encode()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.silent.is_set():
            time.sleep(SLACK_SECONDS)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None: ...


DIES = """
import os, signal, sys, time
from pathlib import Path
from srlab.tracking.logger import WeightsAndBiases, finish

logger = WeightsAndBiases(sys.argv[1])
logger.log_metrics({"train/loss": 1.0}, 1)
children = {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}
for pid in children:
    os.kill(pid, signal.SIGKILL)
for iteration in range(2, 50):
    logger.log_metrics({"train/loss": 1.0}, iteration)
    time.sleep(0.02)
finish(0)
print("goes on", len(children), logger.is_lost)
"""


def test_a_process_of_wandbs_that_dies_takes_nothing_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DIES, str(tmp_path)]  # on its own: what is left of W&B in it is of no more use
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.startswith("goes on 1 True")
    assert done.stderr.count("W&B records no more of this run") == 1


def test_a_server_that_falls_silent_later_holds_nothing_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answering = ThreadingHTTPServer(("127.0.0.1", 0), Obliging)
    answering.daemon_threads = True
    threading.Thread(target=answering.serve_forever, daemon=True).start()
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{answering.server_port}")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    try:
        logger = WeightsAndBiases(str(tmp_path), mode="online", finish_timeout_seconds=3)
        logger.log_metrics({"val/psnr_y": 1.0}, 1)
        assert logger.mode == "online"
        Obliging.silent.set()
        begun = time.monotonic()
        for iteration in range(2, 200):
            logger.log_metrics({"val/psnr_y": float(iteration)}, iteration)
        wandb.finish()
        assert time.monotonic() - begun < 3 + SLACK_SECONDS / 2
        wandb.teardown()
    finally:
        answering.shutdown()
        answering.server_close()
    assert read_run(tmp_path).summary["val/psnr_y"] == {"max": 199.0, "last": 199.0}
