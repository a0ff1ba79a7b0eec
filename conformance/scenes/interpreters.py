"""Fresh interpreters in which a library cannot be found: what a backend's modules and its selector then do."""

from __future__ import annotations

import json
import os
import pickle
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.connectors import beside, native, process
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.scenes import runs
from conformance.scenes.configs import where_it_can_be_made
from conformance.scenes.shared import once

WORKFLOWS = ("run_cdi_example_with_backend", "train_cdi_model_with_backend", "load_inference_bundle_with_backend")
BEFORE = {"N": 7, "gridsize": 9, "batch_size": 3}
"""What stands in the child's registry before a workflow is asked: nothing that a configuration would say."""
STATED = {"N": 64, "gridsize": 2, "backend": "pytorch"}
"""What the configurations of `ask` say, in the registry's words."""


def roots(backend: Any) -> list[str]:
    """The top-level packages of the backend's modules and of its selector."""
    info = backend.info()
    return sorted({name.split(".")[0] for name in (*info.modules, selector_module(backend))})


def selector_module(backend: Any) -> str:
    """The module of the selector; a backend that names none cannot be examined."""
    selector = backend.info().selector
    if not selector:
        raise NotClaimed("surface `describe`: the description names no `selector`")
    return str(selector).split(":")[0]


def import_modules(backend: Any, folder: Path, modules: Sequence[str], blocked: Sequence[str]) -> dict[str, Any]:
    """Import `modules` (or, where there are none, every module of the backend's packages) where `blocked` cannot be found."""
    return _child(backend, {"do": "modules", "modules": list(modules), "roots": roots(backend)}, folder, blocked)


def import_beside_a_broken(backend: Any, folder: Path, library: str) -> dict[str, Any]:
    """Import the backend's modules where `library` is there, and fails when it is loaded."""
    place = folder / "broken" / library
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("raise ImportError('lib.so.6: cannot open shared object file')\n", encoding="utf-8")
    job = {"do": "modules", "modules": list(backend.info().modules), "roots": roots(backend)}
    return _child(backend, job, folder, [], first=place.parent)


def without_mlflow(backend: Any, shared: Path) -> dict[str, Any]:
    """Import the backend's modules where MLflow cannot be found: once for all checks of a session."""
    modules = backend.info().modules
    return dict(once(shared, "imports", lambda folder: import_modules(backend, folder, modules, ["mlflow"])))


def ask(backend: Any, folder: Path, chosen: str, blocked: Sequence[str]) -> dict[str, Any]:
    """Ask the three workflows for the backend `chosen` where `blocked` cannot be found."""
    info = backend.info()
    recipe = runs.Recipe(gridsize=2, training=runs.settings(backend=chosen))
    training = where_it_can_be_made(lambda: runs.configuration(backend, recipe, folder))
    inference = backend.canonical(
        "inference", model=training.model, model_path=folder, test_data_file=folder / "test.npz", backend=chosen
    )
    configs = {name: _carried(inference if name.startswith("load") else training, blocked) for name in WORKFLOWS}
    job = {"do": "selector", "selector": selector_module(backend), "registries": places(backend), "configs": configs}
    answer = _child(backend, job | {"before": BEFORE, "stack": ["torch", *info.modules]}, folder, blocked)
    if "unfit" in answer:
        raise NotEvaluated(
            f"a configuration cannot be carried into an interpreter without {', '.join(blocked)}: {answer['unfit']}"
        )
    return answer


def _carried(config: Any, blocked: Sequence[str]) -> str:
    """A configuration as text for another interpreter; no clause asks for one that can be pickled."""
    try:
        return beside.pickled(config)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        told = f"a configuration cannot be carried into an interpreter without {', '.join(blocked)}: {error}"
        raise NotEvaluated(told) from error


def places(backend: Any) -> list[str]:
    """`module:attribute` of the live registry wherever it can be found, the modules that need the stack last."""
    info = backend.info()
    found = beside.places(backend, backend.registry(), roots(backend))
    if not found:
        raise NotEvaluated("the live registry is no attribute of a module of the backend")
    return sorted(found, key=lambda place: place.startswith(tuple(info.modules)))


def _child(backend: Any, job: dict[str, Any], folder: Path, blocked: Sequence[str], first: Path | None = None) -> dict[str, Any]:
    """The answer of a fresh interpreter without `blocked`; what lies in `first` is found before anything else."""
    path = [str(first)] if first else []
    env = {"PYTHONPATH": os.pathsep.join([*path, os.environ.get("PYTHONPATH", "")])}
    question, answer = folder / "question.json", folder / "answer.json"
    answer.unlink(missing_ok=True)
    question.write_text(json.dumps(job | {"answer": str(answer)}), encoding="utf-8")
    done = process.block_imports(
        [backend.info().python, "-m", "conformance.connectors.imports", str(question)], blocked, cwd=folder, env=env
    )
    if not answer.is_file():
        raise native.Malformed(f"expected an answer of a fresh interpreter, found code {done.returncode}: {done.output[-2000:]}")
    return dict(json.loads(answer.read_text(encoding="utf-8")))


def survivors(answer: Mapping[str, Any], library: str) -> list[str]:
    """Modules that asked for a library which could not be found, and were imported nevertheless."""
    return sorted(name for name, said in answer["modules"].items() if library in said["asked"] and not said["error"])


def column(answer: Mapping[str, Any], key: str) -> dict[str, Any]:
    """One entry of every module's or workflow's answer."""
    return {name: said[key] for name, said in answer.items()}


def without(messages: Mapping[str, str], *fragments: str) -> dict[str, str]:
    """The messages that lack a fragment."""
    return {name: text for name, text in messages.items() if not all(fragment in text for fragment in fragments)}


def not_kind(lineages: Mapping[str, Sequence[str]], kind: str) -> dict[str, Any]:
    """The errors that are not of a class, by their own class; `no error` where there was none."""
    return {name: (lineage or ["no error"])[0] for name, lineage in lineages.items() if kind not in lineage}


def requirements(backend: Any) -> dict[str, str]:
    """Name → version specifier of everything that the backend's distribution declares, extras included.

    Read from the installed metadata, or, in a checkout that is not installed, from the `pyproject.toml` of that name.
    """
    distribution = backend.info().distribution
    if not distribution:
        raise NotClaimed("surface `describe`: the description names no `distribution`")
    found = beside.requires(backend, distribution)
    declared = _from_checkout(distribution) if found is None else found
    split = [re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*\(?([^;)]*)", line.strip()) for line in declared]
    return {match[1].lower().replace("_", "-"): match[2].strip() for match in split if match}


def _from_checkout(distribution: str) -> list[str]:
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        path = folder / "pyproject.toml"
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {}) if path.is_file() else {}
        if project.get("name") == distribution:
            extras = project.get("optional-dependencies", {}).values()
            return [*project.get("dependencies", []), *(line for lines in extras for line in lines)]
    raise NotEvaluated(f"the distribution {distribution!r} is neither installed nor a checkout here")


def of_torch(backend: Any) -> None:
    """Raises `NotClaimed` where the backend says that it computes without torch: nobody must require what nobody uses."""
    used = [name.split(" ")[0].lower() for name in backend.info().numeric_libraries]
    if "torch" not in used:
        raise NotClaimed(f"the backend computes without torch, with {', '.join(used) or 'no library that it names'}")


def lower_bound(specifier: str) -> tuple[int, ...]:
    """The highest lower bound of a version specifier, as numbers; empty where there is none."""
    bounds = re.findall(r"(?:>=|==|~=|>)\s*(\d+(?:\.\d+)*)", specifier)
    return max((tuple(int(part) for part in bound.split(".")) for bound in bounds), default=())
