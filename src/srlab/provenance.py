"""What a network was trained on travels with it, and its use on something else is told."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srlab.data.module import SuperResolutionData
    from srlab.data.source import Source
    from srlab.evaluation.protocol import Protocol

log = logging.getLogger(__name__)

FILES = "files"
"""The tag of LR that was found, and may have been made by anything."""


def facts_of(data: "SuperResolutionData", protocol: "Protocol") -> dict[str, str]:
    """What goes into a training's checkpoints and export: the tag of its degradation, and the unit of its images."""
    unit = getattr(protocol, "unit", None)
    return {"degradation": data.made_by} | ({} if unit is None else {"unit": unit})


def lr_of(sources: "Sequence[Source]", protocol: "Protocol") -> str | None:
    """What makes the LR on which sets are scored: the protocol's tag, or `files` where each set brings its own."""
    return FILES if all(source.lr is not None for source in sources) else protocol.made_by


def warn_of_validation(data: "SuperResolutionData", protocol: "Protocol") -> None:
    """Warn of a training whose scores are of LR of another degradation than it learns from."""
    judged = lr_of(data.val_sources(), protocol)
    if data.train is not None and judged and FILES not in (data.made_by, judged) and data.made_by != judged:
        log.warning(
            "Training learns from LR made by %s, and its scores are of LR made by %s: they say little of what it learns. "
            "Set degradation or protocol to the other's, or give validation its own LR files.",
            data.made_by,
            judged,
        )


def warn_of_another(facts: Mapping[str, Any], made_by: str | None, protocol: "Protocol") -> None:
    """Warn where a network is used on LR of another degradation, or on images of another unit, than it was trained on.

    Args:
        facts: of the network; what it does not say is not compared.
        made_by: the tag of the LR at hand; None and `files` say nothing.
        protocol: for the unit at hand.
    """
    trained = facts.get("degradation")
    if trained and made_by and FILES not in (trained, made_by) and trained != made_by:
        log.warning(
            "The network was trained on LR made by %s, and this LR is made by %s: expect far less of it than its own "
            "scores, or train it on such LR (degradation=...).",
            trained,
            made_by,
        )
    known, unit = facts.get("unit"), getattr(protocol, "unit", None)
    if known and unit and known != unit:
        log.warning(
            "The network was trained on images in %s, and these are in %s: see that the range fits.", known, unit
        )
