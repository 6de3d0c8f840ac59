"""Which guides data hands out: exchanged or blank ones tell whether a network looks at its own."""

from typing import Literal

Guides = Literal["own", "other", "blank"]


def check_guides(guides: str) -> None:
    """Refuse what is none of the three (`ValueError`)."""
    if guides not in ("own", "other", "blank"):
        raise ValueError(f"data.guides={guides!r}: choose own, other or blank.")
