"""A trained model as one file that processes share by mapping it into memory.

Layout: 8 bytes magic, 8 bytes length of the header (little-endian), the header (JSON: names, types, shapes
and offsets of the arrays, the size of what follows, and whatever else is told of the model), then the arrays,
each at a multiple of 64. Its name is the hash of its content, so a name never means two things.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

MAGIC = b"HMRECO01"
ALIGNED = 64
SUFFIX = ".model"


@dataclass(frozen=True, slots=True)
class Model:
    """Arrays by name, and what is told of them. Loaded arrays are views of the file and cannot be changed."""

    arrays: Mapping[str, np.ndarray]
    about: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> Path:
        """Writes the file, whole or not at all: its path, which is the same for the same content."""
        data = self.to_bytes()
        path = folder / f"{hashlib.sha256(data).hexdigest()}{SUFFIX}"
        if not path.exists():
            handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as opened:
                    opened.write(data)
                    opened.flush()
                    os.fsync(opened.fileno())
                Path(part).replace(path)
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
        return path

    def to_bytes(self) -> bytes:
        arrays = {name: np.ascontiguousarray(array) for name, array in sorted(self.arrays.items())}
        described, offset = {}, 0
        for name, array in arrays.items():
            described[name] = {"type": array.dtype.str, "shape": array.shape, "offset": offset}
            offset = _aligned(offset + array.nbytes)
        header = {"arrays": described, "about": dict(self.about), "body": offset}
        text = json.dumps(header, sort_keys=True).encode()
        parts = [
            MAGIC,
            len(text).to_bytes(8, "little"),
            text,
            bytes(-(16 + len(text)) % ALIGNED),
        ]
        for array in arrays.values():
            parts += [array.tobytes(), bytes(-array.nbytes % ALIGNED)]
        return b"".join(parts)

    @staticmethod
    def load(path: Path, *, verify: bool = True) -> Model:
        """Maps the file. ValueError when it was cut short or is not what its name says (with `verify`)."""
        with path.open("rb") as opened:
            if os.fstat(opened.fileno()).st_size < len(MAGIC) + 8:
                raise ValueError(f"the model's file {path.name} is cut short")
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        if verify and path.suffix == SUFFIX and hashlib.sha256(mapped).hexdigest() != path.stem:
            raise ValueError(f"the model's file {path.name} is damaged: its name says another content")
        return Model.of(mapped)

    @staticmethod
    def of(data: bytes | mmap.mmap) -> Model:
        """The model in these bytes, without a copy."""
        if data[:8] != MAGIC:
            raise ValueError("this is no model's file")
        length = int.from_bytes(data[8:16], "little")
        try:
            header = json.loads(data[16 : 16 + length])
        except ValueError as error:
            raise ValueError(f"the model's file is damaged: {error}") from error
        start = _aligned(16 + length)
        if len(data) != start + header["body"]:
            raise ValueError(f"the model's file is cut short: {len(data)} of {start + header['body']} bytes")
        arrays = {name: _view(data, start, one) for name, one in header["arrays"].items()}
        return Model(arrays, header["about"])


def matrix_arrays(name: str, matrix: sparse.csr_matrix) -> dict[str, np.ndarray]:
    """The three arrays of a sparse matrix, as `matrix` finds them again."""
    return {
        f"{name}.indptr": matrix.indptr.astype(np.int64),
        f"{name}.indices": matrix.indices.astype(np.int32),
        f"{name}.data": matrix.data.astype(np.float32),
    }


def row(model: Model, name: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of one row of a sparse matrix of the model."""
    start, end = model.arrays[f"{name}.indptr"][number : number + 2]
    return model.arrays[f"{name}.indices"][start:end], model.arrays[f"{name}.data"][start:end]


def names_array(names: list[str]) -> np.ndarray:
    """Sorted names as fixed-width bytes, for `place_of`."""
    return np.array(sorted(name.encode() for name in names), dtype=np.bytes_)


def place_of(names: np.ndarray, name: str) -> int:
    """The place of a name in `names_array`, -1 for one that is not there; nothing is read into memory."""
    wanted = name.encode()
    if not len(names) or len(wanted) > names.dtype.itemsize:
        return -1
    place = int(np.searchsorted(names, np.bytes_(wanted)))
    return place if place < len(names) and names[place] == wanted else -1


def _aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _view(data: bytes | mmap.mmap, start: int, one: dict[str, Any]) -> np.ndarray:
    shape, type_ = tuple(one["shape"]), np.dtype(one["type"])
    count = int(np.prod(shape))
    return np.frombuffer(data, dtype=type_, count=count, offset=start + one["offset"]).reshape(shape)
