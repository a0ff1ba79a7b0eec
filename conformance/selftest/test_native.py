"""Objects of any framework are read by what they offer; children lack what they are told to lack."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native, process


class Tensor:
    """Offers what a tensor of a framework offers, and nothing that NumPy would recognise by itself."""

    def __init__(self, values: np.ndarray, dtype: str, device: str = "cuda:0") -> None:
        self.values, self.dtype, self.device = values, f"torch.{dtype}", device

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return Tensor(self.values, self.dtype.removeprefix("torch."), "cpu")

    def float(self) -> Tensor:
        return Tensor(self.values.astype(np.float32), "float32", self.device)

    def numpy(self) -> np.ndarray:
        assert self.device == "cpu" and self.dtype != "torch.bfloat16"
        return self.values


def test_a_tensor_is_read() -> None:
    tensor = Tensor(np.eye(2, dtype=np.float32), "float32")
    assert native.array(tensor).tolist() == [[1, 0], [0, 1]]
    assert (native.dtype(tensor), native.shape(tensor), native.device(tensor)) == ("float32", (2, 2), "cuda")
    assert native.array(Tensor(np.ones(2), "bfloat16")).dtype == np.float32
    assert native.form({"a": tensor, "b": [tensor], "c": 1}) == {
        "a": {"dtype": "float32", "shape": [2, 2]}, "b": [{"dtype": "float32", "shape": [2, 2]}], "c": "int",
    }  # fmt: skip


@pytest.mark.parametrize("value", [None, "text", {"a": 1}, object(), [object()]], ids=["None", "text", "dict", "object", "list"])
def test_what_is_no_array_is_malformed(value: Any) -> None:
    with pytest.raises(native.Malformed, match="expected an array, found"):
        native.array(value)


def test_missing_forms_are_malformed() -> None:
    for ask in (native.dtype, native.shape, native.keys):
        with pytest.raises(native.Malformed):
            ask([1, 2])
    with pytest.raises(native.Malformed, match="expected an entry 'images', found keys"):
        native.item({"X": 1}, "images")
    assert native.keys({"b": 1, "a": 2}) == ["a", "b"]


def test_layout() -> None:
    x = np.zeros((3, 4))
    assert native.is_contiguous(x) and not native.is_contiguous(x.T)


def test_a_child_lacks_what_is_blocked() -> None:
    code = "import importlib.util as u; print(u.find_spec('numpy'), u.find_spec('rich') is None)\nimport numpy"
    done = process.block_imports([sys.executable, "-c", code], ["numpy", "rich.table"])
    assert done.stdout == "None False\n" and done.returncode == 1
    assert "ModuleNotFoundError: No module named 'numpy'" in done.stderr


def test_a_child_gets_environment_and_time() -> None:
    done = process.run(
        [sys.executable, "-c", "import os; print(os.environ.get('A'), os.environ.get('HOME'))"], env={"A": "1", "HOME": None}
    )
    assert done.output == "1 None\n"
    with pytest.raises(process.NoAnswer, match=r"within 0\.2 s"):
        process.run([sys.executable, "-c", "import time; time.sleep(9)"], timeout=0.2)
