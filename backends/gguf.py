"""Write GGUF version 3, the file format of llama.cpp; as much of it as tiny models need."""

import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

Value = str | bool | int | float | Sequence[str] | Sequence[int]

_VERSION = 3
_ALIGNMENT = 32
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_F32_TENSOR = 0


@dataclass(frozen=True, slots=True)
class Tensor:
    """A matrix of 32-bit floats by rows, or a vector (one row)."""

    rows: int
    columns: int
    values: "array[float]"

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes in GGUF's order: the fastest index first."""
        return (self.columns,) if self.rows == 1 else (self.columns, self.rows)


def zeros(rows: int, columns: int) -> Tensor:
    """Make a matrix of zeros, to be filled in through `values`."""
    return Tensor(rows, columns, array("f", bytes(4 * rows * columns)))


def ones(columns: int) -> Tensor:
    """Make a vector of ones."""
    return Tensor(1, columns, array("f", [1.0]) * columns)


def write_gguf(path: Path, metadata: Mapping[str, Value], tensors: Mapping[str, Tensor]) -> None:
    """Write metadata and tensors; the machine must be little-endian, as the format is."""
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", _VERSION, len(tensors), len(metadata)))
        for key, value in metadata.items():
            file.write(_string(key) + _typed(value))
        offset = 0
        for name, tensor in tensors.items():
            file.write(_tensor_header(name, tensor, offset))
            offset += _aligned(4 * len(tensor.values))
        for tensor in tensors.values():
            _pad(file)
            tensor.values.tofile(file)
        _pad(file)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _typed(value: Value) -> bytes:
    match value:
        case str():
            return struct.pack("<I", _STRING) + _string(value)
        case bool():
            return struct.pack("<I?", _BOOL, value)
        case int():
            return struct.pack("<II", _UINT32, value)
        case float():
            return struct.pack("<If", _FLOAT32, value)
        case _:
            return _typed_array(value)


def _typed_array(values: Sequence[str] | Sequence[int]) -> bytes:
    texts = [_string(value) for value in values if isinstance(value, str)]
    items = texts or [struct.pack("<i", value) for value in values]
    return struct.pack("<IIQ", _ARRAY, _STRING if texts else _INT32, len(items)) + b"".join(items)


def _tensor_header(name: str, tensor: Tensor, offset: int) -> bytes:
    sizes = tensor.shape
    return _string(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, _F32_TENSOR, offset)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _pad(file: BinaryIO) -> None:
    position = file.tell()
    file.write(bytes(_aligned(position) - position))
