"""Configurations that the client may state, and the registry that each has to leave (CLIENT-002)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.scenes import configs, doors
from conformance.scenes.client_settings import MODEL, TRAINING

SIDES = (64, 32, 128)
"""Sides of the patterns of data that follow each other."""


@dataclass(frozen=True)
class Scene:
    """What is stated of model and training, what stands in the registry before, and the side that the data have."""

    model: dict[str, Any]
    training: dict[str, Any]
    before: dict[str, Any]
    N: int


def scenes() -> list[Scene]:
    """All of the client's settings; each alone beside the client's own values; all but one of them."""
    usual = {**MODEL, **TRAINING}
    whole = {name: value for name, value in doors.values("training").items() if name in usual}
    return [
        _scene({**usual, **scene.stated}, SIDES[number % len(SIDES)])
        for number, scene in enumerate(doors.scenes(whole))
    ]  # fmt: skip


def _scene(stated: Mapping[str, Any], side: int) -> Scene:
    parts = ({name: stated[name] for name in names} for names in (MODEL, TRAINING))
    return Scene(*parts, configs.in_registry(doors.stale("training", {**stated, "N": side})), side)


def owed(scene: Scene) -> dict[str, Any]:
    """The registry after a scene."""
    return configs.in_registry({**scene.model, **scene.training, "N": scene.N})


def unlike(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Number of the scene → key → what the registry holds, and what it should."""
    both = [doors.unlike(registry, owed(scene)) for registry, scene in zip(found, scenes(), strict=True)]
    return {f"scene {number}": wrong for number, wrong in enumerate(both) if wrong}
