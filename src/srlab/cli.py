"""Console commands over Hydra, with one rule for how they end.

Exit status 0: done. 2: a configuration or an input that cannot work, told in one message with its remedy and without a
traceback. 130: interrupted, and saved. 1: anything else, with its traceback.
"""

import dataclasses
import difflib
import errno
import os
import re
import sys
import traceback
from collections.abc import Callable

import hydra
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_plugins.srlab.isolated import IsolatedLauncher
from hydra_plugins.srlab.slurm import PatientSlurmLauncher
from hydra_plugins.srlab.study import StudySweeper
from srlab.config import SCHEMAS, register
from srlab.errors import InputError
from srlab.sweeps.callback import SweepTable
from srlab.sweeps.jobs import Objective, reported
from srlab.sweeps.planning import JobFailedError
from srlab.sweeps.table import print_table, write_table

CONFIG_MODULE = "srlab.conf"
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
"""What a path that the user gave can do to any command."""


def command(config_name: str, task: Callable[[DictConfig], Objective | None]) -> None:
    """Compose `conf/<config_name>.yaml` with the command line's overrides, run the task, and leave with its status."""
    register()
    # Hydra finds them only where srlab is not installed editable
    for plugin in (IsolatedLauncher, PatientSlurmLauncher, StudySweeper):
        Plugins.instance().register(plugin)
    sweeps = SweepTable.begun
    sweeps.clear()
    wants_tracebacks = "HYDRA_FULL_ERROR" in os.environ
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra hands errors on, instead of printing them and leaving with 1
    try:
        hydra.main(version_base="1.3", config_path=f"pkg://{CONFIG_MODULE}", config_name=config_name)(reported(task))()
    except InstantiationException:
        raise  # a fault of a part, not of what it was given: that would be an InputError
    except (InputError, HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        if wants_tracebacks:
            traceback.print_exc()
        message = explain(error, config_name)
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        message = f"{error}. Give files and folders that you may read and write; hydra.run.dir=<folder> is the run's."
    except ValueError as error:
        if "Config group override" not in str(error):
            raise
        message = f"{error}. To leave a group out, write ~group: ~network."
    except JobFailedError:
        sys.exit(1)  # the table has the reasons
    else:
        return
    finally:
        for sweep in sweeps:
            from srlab.sweeps.scores import join_scores  # heavy: after --help and completion

            print_table(sweep, write_table(sweep))
            join_scores(sweep)
    print(f"srlab-{config_name}: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(2)


def explain(error: Exception, config_name: str) -> str:
    """The message of an error, with the close matches of a mistyped name."""
    message = str(error).split("\nConfig search path:")[0].strip()
    # Hydra tells the reason beside its own message; an InputError says all itself
    cause = "" if isinstance(error, InputError) else str(error.__cause__ or "").strip().partition("\n")[0]
    if cause and cause not in message:
        message += f"\n{cause}"
    choice = re.search(r"Could not find '([\w/@.-]+)'\s+Available options in '.*?':\n([\t\w\n.-]+)", message)
    key = re.search(r"Could not override '([\w.]+)'", message)
    unknown = re.search(r"Key '(\w+)' not in '\w+Config'", message)  # from a YAML file
    if choice:
        message += _close_match(choice[1].rpartition("/")[2], choice[2].split())
    elif unknown:
        message += _close_match(unknown[1], [field.name for field in dataclasses.fields(SCHEMAS[config_name])])
    elif key:
        message += _close_match(key[1].rpartition(".")[2], _known_keys(config_name, key[1]))
    return message


def _close_match(mistyped: str, known: list[str]) -> str:
    close = difflib.get_close_matches(mistyped, known, n=3, cutoff=0.6)
    return f"\nDid you mean {' or '.join(close)}?" if close else ""


def _known_keys(config_name: str, mistyped: str) -> list[str]:
    """The keys beside a mistyped one, in the configuration that the rest of the command line composes."""
    overrides = [argument for argument in sys.argv[1:] if "=" in argument and not argument.startswith(f"{mistyped}=")]
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_module(CONFIG_MODULE, version_base="1.3"):
            config = hydra.compose(config_name, overrides)
        parent = mistyped.rpartition(".")[0]
        node = OmegaConf.select(config, parent) if parent else config
        return [str(key) for key in node]
    except Exception:  # a second mistake on the line: the first one's message stands alone
        return []
