"""Dependencies: what is declared, and what happens where a library cannot be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import commands, interpreters, surfaces


@pytest.mark.clause("POLICY-001~2")
def test_torch_is_declared_with_a_lower_bound(backend: Proxy, observe: Observer) -> None:
    """The packaging metadata names torch, from 2.2 on.

    If this fails, suspect a dependency list without torch, or torch without a lower bound.
    """
    interpreters.of_torch(backend)
    declared = interpreters.requirements(backend)

    bound = interpreters.lower_bound(declared.get("torch", ""))
    observe.holds("torch", "torch" in declared, "torch among the requirements", f"{sorted(declared)}")
    observe.holds("lower bound", bound >= (2, 2), "at least 2.2", f"torch {declared.get('torch')!r}")


@pytest.mark.clause("POLICY-002~1")
def test_importing_without_torch_is_a_runtime_error_that_helps(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Every module that needs torch says so, as a RuntimeError with its cause.

    If this fails, suspect a bare `import torch` at the head of a module, or a guard that carries on.
    """
    interpreters.of_torch(backend)
    modules = backend.info().modules

    answer = interpreters.import_modules(backend, tmp_path, modules, ["torch"])["modules"]

    observe.at_least("modules", len(answer), 1)
    observe.equal("other errors", interpreters.not_kind(interpreters.column(answer, "error"), "RuntimeError"), {})
    observe.equal("other causes", interpreters.not_kind(interpreters.column(answer, "cause"), "ImportError"), {})
    messages = interpreters.column(answer, "message")
    observe.equal("other messages", interpreters.without(messages, "PyTorch is required", "torch>=2.2", "install"), {})


@pytest.mark.clause("POLICY-002~1")
def test_importing_beside_a_broken_torch_is_a_runtime_error(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """It is there, and a library of it is not. If this fails, suspect a guard that asks whether torch can be found."""
    interpreters.of_torch(backend)

    answer = interpreters.import_beside_a_broken(backend, tmp_path, "torch")["modules"]

    observe.at_least("modules", len(answer), 1)
    observe.equal("other errors", interpreters.not_kind(interpreters.column(answer, "error"), "RuntimeError"), {})
    observe.equal("other causes", interpreters.not_kind(interpreters.column(answer, "cause"), "ImportError"), {})


@pytest.mark.clause("POLICY-003~1", "POLICY-004~1")
@pytest.mark.parametrize("missing", ["torch", "modules"])
def test_choosing_the_torch_backend_without_its_stack_is_refused(
    backend: Proxy, observe: Observer, tmp_path: Path, missing: str
) -> None:
    """Whether torch is missing (RuntimeError of the guards) or the modules are (ImportError), each workflow says what was chosen.

    If this fails, suspect an `except ImportError` around the import in the selector.
    """
    blocked = {"torch": ["torch"], "modules": list(backend.info().modules)}[missing]

    answer = interpreters.ask(backend, tmp_path, "pytorch", blocked)

    observe.equal(
        "other errors", interpreters.not_kind(interpreters.column(answer, "error"), "RuntimeError"), {}, clause="POLICY-004"
    )
    fragments = ("PyTorch backend selected", "pip install torch>=2.2")
    observe.equal(
        "other messages", interpreters.without(interpreters.column(answer, "message"), *fragments), {}, clause="POLICY-003"
    )
    observe.equal("fallbacks", [name for name, said in answer.items() if "tensorflow" in said["asked"]], [], clause="POLICY-003")


@pytest.mark.slow
@pytest.mark.clause("POLICY-005~1")
def test_no_module_survives_the_absence_of_a_torch_it_asked_for(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Of all modules of the backend, none asks for torch, misses it, and is imported nevertheless.

    If this fails, suspect a `try: import torch` that sets a flag.
    """
    answer = interpreters.import_modules(backend, tmp_path, [], ["torch"])

    observe.at_least("modules", len(answer["modules"]), 1)
    observe.equal("survivors", interpreters.survivors(answer, "torch"), [])


@pytest.mark.clause("POLICY-006~1")
def test_lightning_is_declared(backend: Proxy, observe: Observer) -> None:
    """The packaging metadata names Lightning beside torch.

    If this fails, suspect a training loop of the backend's own.
    """
    surfaces.needed(backend, "train")  # Lightning is for the training
    declared = interpreters.requirements(backend)

    found = sorted({"lightning", "pytorch-lightning"} & set(declared))
    observe.at_least("names of Lightning", len(found), 1)


@pytest.mark.slow
@pytest.mark.clause("POLICY-006~1", needs=("CLI-005",))
def test_checkpoints_are_lightnings(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """A checkpoint of a training carries the version of Lightning that wrote it.

    If this fails, suspect checkpoints written by a plain `torch.save`.
    """
    flow = commands.brief(backend, shared_folder)

    observe.holds("train", flow.train.returncode == 0, "exit code 0", f"{flow.train.returncode}: {flow.train.output[-1500:]}")
    names = commands.pickled_text(flow.output / "checkpoints" / "last.ckpt")
    observe.holds("version", b"pytorch-lightning_version" in names, "an entry pytorch-lightning_version", "none")


@pytest.mark.slow
@pytest.mark.clause("POLICY-007~1")
def test_mlflow_is_not_needed_to_import_the_backend(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Where MLflow cannot be found every module is imported, and none asked for it.

    If this fails, suspect MLflow, or a logger that needs it, imported at the head of a module.
    """
    answer = interpreters.without_mlflow(backend, shared_folder)

    observe.equal("errors", {name: said["message"] for name, said in answer["modules"].items() if said["error"]}, {})
    observe.equal("asked", [name for name, said in answer["modules"].items() if "mlflow" in said["asked"]], [])


@pytest.mark.slow
@pytest.mark.clause("POLICY-010~1")
def test_importing_reads_no_data_and_builds_no_network(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """After the modules are imported no network is alive and no data file was opened.

    If this fails, suspect a module-level instance of a network.
    """
    answer = interpreters.without_mlflow(backend, shared_folder)

    observe.equal("networks", answer["networks"], [])
    observe.equal("data files", answer["data files"], [])
