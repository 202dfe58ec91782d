"""Reads the arrays out of a classic HDF5 file, enough for Keras weights, without the 17 MB of h5py.

Covers what Keras 1 and 2 write: superblock version 0, groups as symbol tables, object headers version 1, and
contiguous little-endian float32 arrays. Everything else in the file is passed over. Facts: the HDF Group's "HDF5 File
Format Specification", version 1.1 (https://support.hdfgroup.org/documentation/hdf5/latest/_s_p_e_c.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np

from mien.errors import ModelError
from mien.types import Array

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_UNDEFINED: Final = 0xFFFFFFFFFFFFFFFF
_DATASPACE, _DATATYPE, _LAYOUT, _CONTINUATION, _SYMBOL_TABLE = 0x01, 0x03, 0x08, 0x10, 0x11
_FLOAT_CLASS: Final = 1
_CONTIGUOUS: Final = 1
_MAX_DEPTH: Final = 32
_MAX_OBJECTS: Final = 20_000
"""A real file has a few hundred; the limit ends the walk of a damaged file whose links run in circles."""


def read_arrays(data: bytes, *, name: str) -> dict[str, Array]:
    """Every float32 array of the file by its full name, e.g. `model_weights/conv2d_1/conv2d_1_1/kernel:0`.

    `data` is the file's content and `name` what errors call it. Raises ModelError where it is not HDF5, of a newer
    flavour, or damaged.
    """
    if data[:8] != _SIGNATURE:
        raise ModelError(f"{name} is not an HDF5 file. `mien models pull fer-mini-xception` fetches the right one.")
    try:
        return dict(_File(data).arrays())
    except (struct.error, IndexError, ValueError, MemoryError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{name} is damaged, or of a flavour of HDF5 that is not supported ({error}). "
            "`mien models pull fer-mini-xception` fetches it again."
        ) from error


class _File:
    def __init__(self, data: bytes) -> None:
        self._data = data
        version, size_of_offsets, size_of_lengths = data[8], data[13], data[14]
        if version != 0 or size_of_offsets != 8 or size_of_lengths != 8:
            raise ValueError(f"superblock version {version}")
        self._objects = 0

    def arrays(self) -> Iterator[tuple[str, Array]]:
        # The superblock ends with the root group's symbol table entry: name offset, then the header's address.
        (root,) = self._unpack("<Q", 56 + 8)
        yield from self._walk(root, "", 0)

    def _unpack(self, layout: str, at: int) -> tuple[int, ...]:
        if at < 0 or at > len(self._data):
            raise ValueError(f"an address beyond the end, {at}")
        return struct.unpack_from(layout, self._data, at)

    def _walk(self, header: int, name: str, depth: int) -> Iterator[tuple[str, Array]]:
        self._objects += 1
        if depth > _MAX_DEPTH or self._objects > _MAX_OBJECTS:
            raise ValueError("groups without end")
        messages = dict(self._messages(header))
        if _SYMBOL_TABLE in messages:
            tree, heap = self._unpack("<QQ", messages[_SYMBOL_TABLE])
            (names,) = self._unpack("<Q", heap + 24)
            for offset, child in self._entries(tree, 0):
                yield from self._walk(child, f"{name}/{self._string(names + offset)}".lstrip("/"), depth + 1)
        elif {_DATASPACE, _DATATYPE, _LAYOUT} <= messages.keys():
            array = self._array(messages)
            if array is not None:
                yield name, array

    def _messages(self, header: int) -> Iterator[tuple[int, int]]:
        """Type of each message in an object header (version 1), and where its body starts."""
        version, _, count = self._unpack("<BBH", header)
        (size,) = self._unpack("<I", header + 8)
        if version != 1:
            raise ValueError(f"object header version {version}")
        blocks = [(header + 16, size)]
        while blocks and count > 0:
            at, size = blocks.pop(0)
            end = at + size
            while at + 8 <= end and count > 0:
                kind, length = self._unpack("<HH", at)
                if kind == _CONTINUATION:
                    address, extent = self._unpack("<QQ", at + 8)
                    blocks.append((address, extent))
                yield kind, at + 8
                at += 8 + length
                count -= 1

    def _entries(self, node: int, depth: int) -> Iterator[tuple[int, int]]:
        """(offset of the name in the group's heap, address of the object's header) of a group's members."""
        self._objects += 1
        if depth > _MAX_DEPTH or self._objects > _MAX_OBJECTS:
            raise ValueError("a tree without end")
        signature = self._data[node : node + 4]
        if signature == b"TREE":
            _, _, used = self._unpack("<BBH", node + 4)
            for i in range(used):  # 24 bytes of head, then key, child, key, child, …
                (child,) = self._unpack("<Q", node + 24 + 8 + 16 * i)
                yield from self._entries(child, depth + 1)
        elif signature == b"SNOD":
            (count,) = self._unpack("<H", node + 6)
            for i in range(count):
                offset, header = self._unpack("<QQ", node + 8 + 40 * i)
                yield offset, header
        else:
            raise ValueError("a group without its tree")

    def _string(self, at: int) -> str:
        return self._data[at : self._data.index(b"\0", at)].decode()

    def _array(self, messages: dict[int, int]) -> Array | None:
        version, rank, _ = self._unpack("<BBB", messages[_DATASPACE])
        shape = self._unpack(f"<{rank}Q", messages[_DATASPACE] + (8 if version == 1 else 4))
        kind, flags = self._unpack("<BB", messages[_DATATYPE])
        (item_size,) = self._unpack("<I", messages[_DATATYPE] + 4)
        layout, storage = self._unpack("<BB", messages[_LAYOUT])
        if kind & 0x0F != _FLOAT_CLASS or item_size != 4 or flags & 1 or layout != 3 or storage != _CONTIGUOUS:
            return None
        address, size = self._unpack("<QQ", messages[_LAYOUT] + 2)
        count = 1
        for extent in shape:
            count *= extent
        if address == _UNDEFINED or size != 4 * count or address + size > len(self._data):
            raise ValueError("an array beyond the end")
        return np.frombuffer(self._data, "<f4", count, address).reshape(shape).astype(np.float32)
