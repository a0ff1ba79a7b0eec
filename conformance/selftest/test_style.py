"""The suite decides nothing and holds no tolerance; the whole project keeps its measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.selftest.style import SUITE, breaches, check_source

HEAD = '"""Module."""\n\nfrom __future__ import annotations\n\nimport pytest\n\n\n'
MARK = '@pytest.mark.clause("PHYS-001~1")\n'
DOC = '    """Holds. If this fails, suspect the sign."""\n'


def in_suite(text: str) -> str:
    return "\n".join(check_source(HEAD + text, SUITE / "test_physics.py"))


def of_body(body: str) -> str:
    return in_suite(f"{MARK}def test_x(backend: object, observe: object) -> None:\n{DOC}    {body}\n")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("if backend:\n        observe.equal('a', 1, 1)", "holds a branch"),
        ("observe.equal('a', 1 if backend else 2, 1)", "holds a branch"),
        ("for i in range(3):\n        observe.equal('a', i, 1)", "holds a loop"),
        ("while backend:\n        observe.equal('a', 1, 1)", "holds a loop"),
        ("[observe.equal('a', i, 1) for i in range(3)]", "observes in a loop"),
        ("try:\n        observe.equal('a', 1, 1)\n    finally:\n        pass", "holds a try"),
        ("assert backend", "holds an assert"),
        ("pytest.skip('today')", "pytest.skip (a check is never skipped by hand)"),
        ("observe.holds('a', abs(backend) < 1e-6, 'x', 'y')", "holds a tolerance: abs(backend) < 1e-06"),
        ("observe.at_most('a', backend, 1e-4)", "holds a tolerance"),
        ("observe.close('a', backend, 1, rtol=1e-3)", "holds a tolerance: rtol=0.001"),
        ("np.testing.assert_allclose(backend, 1)", "assert_allclose holds a tolerance of its own"),
        ("observe.holds('a', np.allclose(backend, 1), 'x', 'y')", "allclose holds a tolerance of its own"),
        ("import torch", "imports torch, against the arrows"),
        ("from reference_impl import physics", "imports reference_impl, against the arrows"),
    ],
)
def test_a_test_that_decides_is_refused(body: str, fault: str) -> None:
    assert fault in of_body(body)


def test_a_test_may_map_data_and_ask_for_errors() -> None:
    body = "with observe.raises('e', ValueError):\n        backend.read([x / 9 for x in (1, 2)])"
    assert of_body(body) == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"def test_x(observe: object) -> None:\n{DOC}    pass\n", "test_x is bound to no clause"),
        (f"{MARK}def test_x(observe: object) -> None:\n    pass\n", "does not say `If this fails, suspect …`"),
        (f'{MARK}def test_x(observe: object) -> None:\n    """Holds."""\n', "does not say `If this fails, suspect …`"),
        (f"{MARK}def test_x(observe) -> None:\n{DOC}", "test_x is not annotated: observe"),
        (f"{MARK}def test_x(observe: object):\n{DOC}", "test_x is not annotated: result"),
        (f"@pytest.mark.xfail\n{MARK}def test_x(observe: object) -> None:\n{DOC}", "pytest.mark.xfail (a check is never skipped"),
        (f"{MARK}def test_x(observe: object) -> None:\n{DOC}" + "    x = 1\n" * 60, "test_x has 62 lines, at most 60"),
        ("x = 1\n" * 294, "301 lines, at most 300"),
    ],
)
def test_measures_are_kept(text: str, fault: str) -> None:
    assert fault in in_suite(text)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("conformance/evidence/report.py", "import pytest"),
        ("conformance/connectors/native.py", "import torch"),
        ("conformance/oracles/physics.py", "import torch"),
        ("conformance/scenes/optics.py", "from reference_impl import physics"),
        ("reference_impl/physics/merge.py", "from conformance import native"),
        ("reference_impl/simulation/objects.py", "import torch"),
    ],
)
def test_arrows_run_one_way(place: str, line: str) -> None:
    assert "against the arrows" in "\n".join(check_source(f'"""M."""\n\n{line}\n', Path(place)))


def test_the_project_keeps_its_style() -> None:
    assert breaches(Path(__file__).resolve().parents[2]) == []
