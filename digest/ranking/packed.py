"""Keep vectors in half the bytes, for a table or for a pipe between two processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of two vectors' cosine, a half-precision float changes the fourth digit.
_NUMBER = np.dtype("<f2")


def pack(vectors: Any, count: int) -> list[bytes]:
    """Return each row as bytes, made of length 1: two bytes per number.

    Raises ValueError if these are not `count` rows of finite numbers, of which one is not 0.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    if rows.ndim != 2 or len(rows) != count or not rows.shape[1]:
        raise ValueError(f"{count} titles, and vectors of shape {rows.shape}")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ValueError("a vector has no length, or a number in it that is not finite")
    return [row.tobytes() for row in (rows / lengths).astype(_NUMBER)]


def unpack(packed: Sequence[bytes | None]) -> list[NDArray[np.floating[Any]] | None]:
    """Return the vectors that `pack` made into these bytes; None stays None."""
    return [None if each is None else np.frombuffer(each, dtype=_NUMBER) for each in packed]
