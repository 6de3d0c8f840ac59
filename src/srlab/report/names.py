"""What a setting is called: in full by all its overrides, and in short by what tells it from the others."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

NO_SETTING = (
    "seed=",
    "hydra.",
    "logger",
    "callbacks",
    "resume=",
    "trainer.enable",
    "run_dir=",
    "+run_dir=",
    "network_name=",
)
"""Overrides that do not make another setting."""

LONGEST = 32
"""Characters of a value in a short name."""

Parts = tuple[str, ...]
"""A network's name, then overrides."""


def parts_of(network: str, overrides: Iterable[str]) -> Parts:
    """A setting: what a network is by itself, and what else was changed, sorted; what the name says is not said twice."""
    changed = [item for item in overrides if not item.lstrip("+").startswith(NO_SETTING)]
    for item in changed:  # a network made of parts lists their changed numbers in its name
        network = network.replace(f" {item}", "")
    told = {f"network={network}"} | {
        f"{group}={part}" for group in ("framework", "backbone", "upsampler") for part in network.split("-")
    }
    return (network, *sorted(set(changed) - told))


def short_names(settings: Sequence[Parts]) -> list[str]:
    """A name for each, unlike any other's: without what all of them share, keys by their last words, long values cut."""
    distinct = list(dict.fromkeys(settings))
    shared = set.intersection(*(set(one[1:]) for one in distinct)) if distinct else set()
    keys = {key_of(item) for one in distinct for item in one[1:] if item not in shared}
    called = {key: last_words(key, keys) for key in keys}
    same_network = len({one[0] for one in distinct}) == 1

    def name(setting: Parts, cut: bool) -> str:
        changes = [item for item in setting[1:] if item not in shared]
        told = [f"{'~' * item.startswith('~')}{called[key_of(item)]}{shown(item, cut)}" for item in changes]
        return " ".join(told if told and same_network else [setting[0], *told])

    found = {one: name(one, True) for one in distinct}
    often = Counter(found.values())
    for one in distinct:
        if often[found[one]] > 1:  # cut values may be alike
            found[one] = name(one, False)
    return [found[one] for one in settings]


def key_of(item: str) -> str:
    return item.partition("=")[0].lstrip("+~")


def last_words(key: str, keys: set[str]) -> str:
    """The shortest end of a dotted key that is no other's."""
    words = key.split(".")
    ends = [".".join(words[place:]) for place in range(len(words) - 1, -1, -1)]
    return next(
        (end for end in ends if not any(other != key and f".{other}".endswith(f".{end}") for other in keys)), key
    )


def shown(item: str, cut: bool) -> str:
    """`=value`, with files and folders by their last name; "" for an override that takes something out."""
    _, equals, value = item.partition("=")
    if cut:
        value = re.sub(r"[^\s,=\[\]{}'\"]*/(?=[^\s,/\]}'\"])", "", value)
        value = value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    return equals + value
