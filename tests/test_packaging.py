"""The wheel works outside the checkout, and says all that it needs."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT

OPTIONAL = {
    *("torchvision", "spandrel", "onnx", "onnxruntime", "onnxscript", "plotly", "litdata", "h5py", "spectral"),
    *("optuna", "submitit", "wandb_workspaces", "av", "cv2", "dlib", "face_recognition_models"),
}


def test_every_import_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=~!\[]", requirement)[0].strip().lower() for requirement in project["dependencies"]}
    providers = importlib.metadata.packages_distributions()
    for path in (ROOT / "src").rglob("*.py"):
        for module in _imported(ast.parse(path.read_text())):
            distributions = {name.lower() for name in providers.get(module, [module])}
            known = module in sys.stdlib_module_names or module in {"srlab", "hydra_plugins"} or module in OPTIONAL
            assert known or distributions & declared, f"{path} imports {module}, which pyproject.toml does not declare"


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_importing_srlab_imports_nothing_heavy() -> None:
    code = "import sys, srlab, srlab.train, srlab.test, srlab.upscale; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "lightning", "wandb", "torchmetrics", "kornia", "numpy"} & set(modules)


@pytest.fixture(scope="module")
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the built wheel; what srlab depends on is found where this test runs, the checkout is not."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    ours = [path for path in sys.path if path.endswith("site-packages")]
    wheel = next(folder.glob("*.whl"))
    install = [sys.executable, "-m", "pip", "--python", str(environment), "install", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (site / "dependencies.pth").write_text("\n".join(ours))  # a folder's own .pth files are not followed
    return environment


def test_the_wheel_composes_and_trains_outside_the_checkout(clean_environment: Path, tmp_path: Path) -> None:
    train = clean_environment / "bin/srlab-train"
    job = subprocess.run([train, "--cfg", "job"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "srlab.networks.frameworks.PostUpsampling" in job
    step = ["experiment=demo", "iterations=1", "trainer.val_check_interval=1", "data.train.count=2", "logger=[csv]"]
    subprocess.run([train, *step, "hydra.run.dir=run"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "run/export/model.safetensors").is_file()
    shipped = {path.relative_to(clean_environment) for path in clean_environment.rglob("srlab/conf/**/*.yaml")}
    assert len(shipped) == len(list((ROOT / "conf").rglob("*.yaml")))
    where = "import srlab; print(srlab.__file__)"
    python = clean_environment / "bin/python"
    found = subprocess.run([python, "-c", where], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert found.startswith(str(clean_environment))
