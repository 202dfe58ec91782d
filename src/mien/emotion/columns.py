"""Arrays that grow row by row in chunks: no list of objects per frame, no copy of the whole at each doubling."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

_CHUNK = 1024


class Rows(Generic[Scalar]):
    """Rows of `width` numbers of one type, or single numbers where `width` is 0."""

    def __init__(self, kind: type[Scalar], width: int = 0) -> None:
        self._kind = kind
        self._shape = (_CHUNK, width) if width else (_CHUNK,)
        self._chunks: list[NDArray[Scalar]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, row: ArrayLike) -> None:
        at = self._count % _CHUNK
        if at == 0:
            self._chunks.append(np.empty(self._shape, self._kind))
        self._chunks[-1][at] = row
        self._count += 1

    def array(self) -> NDArray[Scalar]:
        """(rows,) or (rows, width), a copy."""
        if not self._chunks:
            return np.empty((0, *self._shape[1:]), self._kind)
        return np.concatenate(self._chunks)[: self._count]
