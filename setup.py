"""The packages: `src`, and `conf` with all its groups, which ships as `srlab.conf`. All else is in pyproject.toml."""

from setuptools import find_namespace_packages, find_packages, setup

GROUPS = find_namespace_packages("conf", exclude=["__pycache__", "*.__pycache__"])

PLUGINS = "hydra_plugins.srlab"  # a part of the namespace in which Hydra looks for plugins

setup(packages=[*find_packages("src"), PLUGINS, "srlab.conf", *(f"srlab.conf.{group}" for group in GROUPS)])
