"""CONFIG: what the factory of an inference owes as that of a training does, and whose settings stand above whose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import batches, configs, entrances, headers, inputs, runs, workflows


@pytest.mark.clause("CONFIG-060~1")
def test_an_inference_carries_the_execution_that_it_is_given(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Every setting of it, or the defaults. If this fails, suspect an execution that is made anew of some settings."""
    folder, file = runs.trained(backend, workflows.PLAIN).folder, inputs.data_file(tmp_path)
    given, names = configs.execution(backend, accum_steps=1), configs.FIELDS["execution"]
    usual = [name for name in names if name != "accelerator"]

    stated = backend.inference_payload(folder, file, tmp_path / "out", {"n_groups": 13}, given).execution_config
    by_default = backend.inference_payload(folder, file, tmp_path / "out", {"n_groups": 13}).execution_config

    observe.equal("given", configs.attributes(stated, names), configs.attributes(given, names))
    truth = configs.attributes(configs.by_default(backend, "execution"), usual)
    observe.equal("default", configs.attributes(by_default, usual), truth)


@pytest.mark.clause("CONFIG-055~1")
def test_an_inference_takes_paths_as_text(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """And its canonical object holds paths. If this fails, suspect a path that is used before it was converted."""
    folder, file = runs.trained(backend, workflows.PLAIN).folder, inputs.data_file(tmp_path)

    with observe.accepts("paths"):
        payload = backend.inference_payload(str(folder), str(file), str(tmp_path / "out"), {"n_groups": 13})

    found = configs.attributes(payload.tf_inference_config, ["test_data_file", "output_dir"])
    observe.equal("paths", found, {"test_data_file": f"path:{file}", "output_dir": f"path:{tmp_path / 'out'}"})


@pytest.mark.clause("CONFIG-065~1")
@pytest.mark.parametrize(
    ("lacking", "stated", "source"),
    [({}, {}, "metadata"), ({}, {"nphotons": 2e6}, "override"), ({"_metadata": None}, {}, "default")],
    ids=["metadata", "override", "default"],
)
def test_the_audit_of_an_inference_says_whose_photons_they_are(
    backend: Proxy, observe: Observer, tmp_path: Path, lacking: dict[str, None], stated: dict[str, float], source: str
) -> None:
    """As that of a training, or nothing of them. If this fails, suspect a second factory with an audit of its own."""
    path = entrances.put(tmp_path, {**entrances.whole(), **lacking})

    payload = headers.FACTORIES["inference"](backend, path, {"n_groups": 4, **stated})

    observe.equal("source", payload.overrides_applied.get("nphotons_source", source), source)


@pytest.mark.clause("CONFIG-079~2", needs=("CONFIG-060", "CONFIG-068"))
@pytest.mark.parametrize("order", [("K", "neighbor_count"), ("neighbor_count", "K")], ids=["K", "neighbor_count"])
def test_two_names_of_a_setting_of_an_inference_agree(
    backend: Proxy, observe: Observer, tmp_path: Path, order: tuple[str, str]
) -> None:
    """Or one of both is named. If this fails, suspect a name of which the other factory alone is aware."""
    path = entrances.put(tmp_path, entrances.whole())

    with observe.raises("refusal", ValueError, order):
        headers.FACTORIES["inference"](backend, path, {"n_groups": 4, **dict(zip(order, (7, 9), strict=True))})


SHARED: dict[str, tuple[Any, Any]] = {
    "scheduler": ("WarmupCosine", "Exponential"),
    "gradient_clip_val": (0.25, 0.6),
    "gradient_clip_algorithm": ("agc", "value"),
}
"""Settings that a training and its execution share: by an override, by the execution."""


@pytest.mark.clause("CONFIG-061~1", "EXEC-005~1", needs=("CONFIG-060",))
def test_an_override_of_a_shared_setting_stands_above_the_execution(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """And the execution above the defaults. If this fails, suspect settings of which one alone is looked after."""
    file = inputs.data_file(tmp_path)
    overrides, executed = ({name: pair[place] for name, pair in SHARED.items()} for place in (0, 1))
    given = backend.canonical("execution", accelerator="cpu", **executed)

    both, alone = (
        backend.payload(file, tmp_path / "out", {"n_groups": 3, **stated}, given).tf_training_config for stated in (overrides, {})
    )

    observe.equal("override", configs.attributes(both, SHARED), overrides, clause=("CONFIG-061", "EXEC-005"))
    observe.equal("execution", configs.attributes(alone, SHARED), executed, clause=("CONFIG-061", "EXEC-005"))


@pytest.mark.clause("CONFIG-063~2", needs=("CONFIG-060",))
@pytest.mark.parametrize("gridsize", [1, 2])
def test_channels_of_an_inference_follow_the_grid_size(backend: Proxy, observe: Observer, tmp_path: Path, gridsize: int) -> None:
    """One is refused, or means one channel: the bundle has four. If this fails, suspect channels that nobody sets."""
    path, asked = entrances.put(tmp_path, entrances.whole()), {"n_groups": 4, "gridsize": gridsize}

    found = batches.or_refusal(lambda: headers.channels(headers.FACTORIES["inference"](backend, path, asked)))

    truth = ((gridsize, gridsize), gridsize**2)
    observe.holds("grid and channels", found in ("refused", truth), f"{truth}, or a ValueError", str(found))
