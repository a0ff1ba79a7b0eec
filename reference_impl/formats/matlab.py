"""MATLAB 5 to 7 as a source of names (`p/lambda` is the field `lambda` of the struct `p`). Version 7.3 is HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.errors import ContractError, printable
from reference_impl.formats.stack import Stack

MAX_INFLATION = 400  # sparse counts reach about 100
MAX_BYTES = 1 << 33
"""8 GiB of arrays: the format itself ends at 2 GiB a variable; this reader holds what it reads."""
_WIDTHS = {"double": 8, "single": 4, "int64": 8, "uint64": 8, "int32": 4, "uint32": 4, "int16": 2, "uint16": 2}
NUMBERS = (*_WIDTHS, "int8", "uint8", "logical", "struct")


class MatlabSource:
    """An open `.mat` file. Raises `FileNotFoundError`, or `ContractError` where it is damaged or announces too much."""

    container, matlab = "MATLAB 5", True

    def __init__(self, path: Path) -> None:
        from scipy.io import whosmat

        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{path}: file not found")
        try:
            listed = whosmat(str(path))
        except Exception as error:  # scipy raises whatever a damaged header leads to
            found = printable(error, 160) or type(error).__name__
            raise ContractError(file=path, field="file", expected="a complete MATLAB file", found=found) from error
        announced = sum(int(np.prod(shape, dtype=object)) * 2 * _WIDTHS.get(kind, 1) for _, shape, kind in listed)
        if announced > min(MAX_BYTES, max(1 << 26, self.path.stat().st_size * MAX_INFLATION)):
            expected = f"at most {MAX_BYTES >> 30} GiB, and {MAX_INFLATION} times the file"
            raise ContractError(file=path, field="file", expected=expected, found=f"{announced} bytes announced")
        self._kinds = {name: kind for name, _, kind in listed}
        self._read: dict[str, Any] = {}

    def __enter__(self) -> MatlabSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._read.clear()

    def names(self) -> list[str]:
        """Names of the variables and of the fields of structs."""
        return [name for top in self._kinds for name in self._below(top, top)]

    def has(self, name: str) -> bool:
        """Whether a variable or field is there and holds numbers."""
        return isinstance(self._value(name), np.ndarray)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape in MATLAB's order of axes."""
        return self.array(name).shape

    def array(self, name: str) -> np.ndarray:
        """The numbers of a variable or field."""
        value = self._value(name)
        if not isinstance(value, np.ndarray):
            raise ContractError(file=self.path, field=name, expected="an array of numbers", found=type(value).__name__)
        return value

    def unit(self, name: str) -> str | None:
        """MATLAB files state no units."""
        return None

    def stack(self, name: str, axes: list[str]) -> Stack:
        """Frames of a variable."""
        return Stack(self.array(name), axes, self.place(name))

    def place(self, name: str) -> str:
        """`FILE::name`, for messages and the table."""
        return f"{self.path}::{name}"

    def _below(self, name: str, path: str) -> list[str]:
        value = self._value(path)
        if isinstance(value, dict):
            return [found for key in value for found in self._below(key, f"{path}/{key}")]
        return [path]

    def _value(self, name: str) -> Any:
        """An array, a dictionary, or None where there is nothing that is made of numbers."""
        top, *rest = name.strip("/").split("/")
        if self._kinds.get(top) not in NUMBERS:
            return None
        if top not in self._read:
            self._read[top] = self._load(top)
        value = self._read[top]
        for key in rest:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, dict) or value is None:
            return value
        array = np.asarray(value) if isinstance(value, np.ndarray | int | float | complex | np.generic) else None
        return array if array is not None and array.dtype.kind in "biufc" else None

    def _load(self, top: str) -> Any:
        from pymatreader import read_mat

        try:
            return read_mat(str(self.path), variable_names=[top])[top]
        except Exception as error:  # the readers raise whatever a damaged variable leads to
            found = printable(error, 160) or type(error).__name__
            raise ContractError(file=self.path, field=top, expected="a complete variable", found=found) from error
