"""Randomness by name: what is drawn for a purpose is a pure function of the seed, the purpose, and a number.

No generator is carried along, so there is no state to save, and neither workers, ranks nor restarts can change a draw.
"""

import hashlib


def key_of(seed: int, purpose: str, number: int) -> int:
    """A 128-bit key for one purpose, e.g. the seed of a NumPy generator."""
    return int.from_bytes(_digest(seed, purpose, number, 16), "little")


def words_of(seed: int, purpose: str, number: int, count: int) -> list[int]:
    """`count` (1 to 8) independent uniform integers in [0, 2^63): a few draws, without the cost of a generator."""
    digest = _digest(seed, purpose, number, 8 * count)
    return [int.from_bytes(digest[8 * i : 8 * i + 8], "little") >> 1 for i in range(count)]


def _digest(seed: int, purpose: str, number: int, size: int) -> bytes:
    return hashlib.blake2b(f"{seed}/{purpose}/{number}".encode(), digest_size=size).digest()
