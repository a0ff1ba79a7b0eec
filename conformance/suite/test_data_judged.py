"""DATA: what is implausible about a record, what is done about it, and what is taken for granted."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import judged, judged_many, judged_mixed, odds, reports
from conformance.scenes.odds import Odd


def told(backend: Any, given: dict[str, Any], **settings: Any) -> dict[str, dict[str, str]]:
    """Name → finding, of those that the table of DATA-030 has."""
    found = backend.judge(backend.record(**given), crop=judged.CROP, **settings)
    named = {str(native.item(one, "name")): {key: str(native.item(one, key)) for key in reports.PARTS} for one in found}
    return {name: finding for name, finding in named.items() if name in odds.NAMES}


@pytest.mark.clause("DATA-030~3")
def test_nothing_is_implausible_about_a_plain_record(backend: Any, observe: Observer) -> None:
    """No finding of any name of the table. If this fails, suspect a limit within what is usual."""
    observe.equal("findings", told(backend, judged.plain()), {})


@pytest.mark.clause("DATA-030~3")
@pytest.mark.parametrize(("odd", "case"), odds.BEYOND, ids=odds.names(odds.BEYOND))
def test_what_is_beyond_a_limit_is_found(backend: Any, observe: Observer, odd: Odd, case: str) -> None:
    """By its name, as severe as it is, of its field. If this fails, suspect a limit, or a comparison the wrong way round."""
    found = told(backend, odd.beyond[case](judged.plain()), measurement=odd.measurement)

    observe.holds("finding", odd.name in found, odd.name, ", ".join(found) or "nothing")
    observe.equal("severity", found[odd.name]["severity"], odd.severity)
    observe.holds("state", found[odd.name]["state"] != "accepted", "one that nobody has answered", "accepted")
    observe.equal("field", found[odd.name]["field"], odd.field)


@pytest.mark.clause("DATA-030~3")
@pytest.mark.parametrize(("odd", "case"), odds.WITHIN, ids=odds.names(odds.WITHIN))
def test_what_is_within_a_limit_is_let_be(backend: Any, observe: Observer, odd: Odd, case: str) -> None:
    """Nothing of that name. If this fails, suspect a limit that accuses what is right."""
    found = told(backend, odd.within[case](judged.plain()), measurement=odd.measurement)

    observe.equal("finding", found.get(odd.name), None)


@pytest.mark.clause("DATA-030~3")
@pytest.mark.parametrize(
    ("odd", "side", "case"), odds.TURNED, ids=[f"{odd.name}-{side}-{case}" for odd, side, case in odds.TURNED]
)
def test_a_finding_has_no_axis(backend: Any, observe: Observer, odd: Odd, side: str, case: str) -> None:
    """x and y exchanged, the exposures in reverse. If this fails, suspect one axis that is looked at, or a neighbour in time."""
    given = judged_mixed.turned(getattr(odd, side)[case](judged.plain()))

    found = told(backend, given, measurement=odd.measurement)

    observe.equal("found", odd.name in found, side == "beyond")


@pytest.mark.clause("DATA-031~1", needs=("DATA-030",))
@pytest.mark.parametrize(("odd", "case"), odds.BEYOND, ids=odds.names(odds.BEYOND))
def test_a_finding_has_its_figures(backend: Any, observe: Observer, odd: Odd, case: str) -> None:
    """How many, which, how much. If this fails, suspect the figures of another pattern."""
    found = told(backend, odd.beyond[case](judged.plain()), measurement=odd.measurement)

    observe.equal("figures that are missing", odds.missing(found[odd.name]["found"], odd.figures[case]), [])


@pytest.mark.clause("DATA-031~1", needs=("DATA-030",))
def test_errors_are_refused_together(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """One line that names the file and both of them. If this fails, suspect a refusal that knows one."""
    path = reports.wrong_file(tmp_path)

    with observe.raises("refusal", ValueError, path.name, *reports.WRONG) as caught:
        backend.admit(backend.read(path))

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-031~1", needs=("DATA-030",))
def test_what_is_accepted_stops_nobody(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """And its neighbours stay. If this fails, suspect an answer to all of them."""
    raw = backend.read(reports.wrong_file(tmp_path))

    with observe.raises("the other one", ValueError, reports.WRONG[1]) as caught:
        backend.admit(raw, accept=[reports.WRONG[0]])
    with observe.accepts("both"):
        backend.admit(raw, accept=list(reports.WRONG))

    observe.holds("the first", reports.WRONG[0] not in caught.message, f"nothing of {reports.WRONG[0]}", caught.message)
    states = {native.item(one, "name"): native.item(one, "state") for one in backend.judge(raw, accept=list(reports.WRONG))}
    observe.equal("states", [states.get(name) for name in reports.WRONG], ["accepted", "accepted"])


@pytest.mark.clause("DATA-031~1", needs=("DATA-030",))
@pytest.mark.parametrize("answered", sorted(reports.QUESTIONS))
def test_one_answer_silences_one_warning(backend: Any, observe: Observer, answered: str) -> None:
    """The others are given. If this fails, suspect an answer to all findings of a field."""
    raw = backend.record(**reports.questionable())

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend.admit(raw, crop=judged.CROP, accept=[answered])

    said = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
    others = {name: field for name, field in reports.QUESTIONS.items() if name != answered}
    observe.equal("warnings", reports.named(said), others)


@pytest.mark.clause("DATA-031~1")
def test_an_unknown_finding_cannot_be_accepted(backend: Any, observe: Observer) -> None:
    """A slip of the pen answers nothing. If this fails, suspect names that nobody looks up."""
    with observe.raises("refusal", ValueError, "hot-pixels"):
        backend.admit(backend.record(**judged.plain()), accept=["hot-pixels"])


@pytest.mark.clause("DATA-031~1", needs=("DATA-030",))
@pytest.mark.parametrize(("accept", "expected"), [([], reports.QUESTIONS), ([*reports.QUESTIONS], {})], ids=["asked", "accepted"])
def test_warnings_are_given_and_notes_are_not(
    backend: Any, observe: Observer, accept: list[str], expected: dict[str, str]
) -> None:
    """A `UserWarning` each, by name and field. If this fails, suspect severities that are exchanged."""
    raw = backend.record(**reports.questionable())

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend.admit(raw, crop=judged.CROP, accept=accept)

    said = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
    observe.equal("warnings", reports.named(said), expected)


@pytest.mark.clause("DATA-032~1")
@pytest.mark.parametrize("case", reports.GRANTED)
def test_what_is_taken_for_granted_is_said(backend: Any, observe: Observer, case: str) -> None:
    """Numbers and words, under their names. If this fails, suspect the number of good pixels for that of bad ones."""
    arrays, settings, expected = reports.GRANTED[case]

    said = backend.granted(backend.record(**{**judged.plain(), **arrays()}), **settings)

    found = {name: " ".join(map(str, native.item(said, name))) for name in expected}
    observe.equal("not said", reports.unsaid(found, expected), [])


@pytest.mark.clause("DATA-032~1")
def test_amplitudes_and_counts_are_told_apart(backend: Any, observe: Observer) -> None:
    """In what is taken for granted, not only in why. If this fails, suspect one sentence for both."""
    found = [backend.granted(backend.record(**judged.plain()), measurement=said) for said in ("amplitude", "counts")]

    first, second = (str(native.item(one, "patterns")[0]) for one in found)
    observe.holds("patterns", first != second, "another word for counts than for amplitudes", f"for both: {second}")


@pytest.mark.clause("DATA-032~1")
def test_a_number_by_hand_that_is_the_files_is_told_once(backend: Any, observe: Observer) -> None:
    """As where the file says nothing. If this fails, suspect a number that is told beside itself."""
    plain, stated = judged.plain(), {**judged.plain(), "metadata": reports.photons(3.25e4)}

    truth, found = (backend.granted(backend.record(**given), nphotons=3.25e4) for given in (plain, stated))

    observe.equal("photons", list(native.item(found, "photons")), list(native.item(truth, "photons")))


@pytest.mark.clause("DATA-030~3")
@pytest.mark.parametrize("name", judged_many.BEYOND)
def test_the_last_of_many_patterns_are_judged(backend: Any, observe: Observer, name: str) -> None:
    """Of 4,300, or of a large cube. If this fails, suspect a sum by blocks, or a look at a part of the stack."""
    plain = told(backend, judged_many.plain())

    found = told(backend, judged_many.BEYOND[name](judged_many.plain()))

    observe.equal("findings of a plain record", sorted(plain), [])
    observe.holds("finding", name in found, name, ", ".join(found) or "nothing")


@pytest.mark.clause("DATA-030~3")
@pytest.mark.parametrize(("exposures", "truth"), [(0.31, ["layout"]), (0.29, [])], ids=["beyond", "within"])
def test_a_layout_is_judged_by_the_whole_stack(backend: Any, observe: Observer, exposures: float, truth: list[str]) -> None:
    """What varies one way first varies the other way later. If this fails, suspect a look at a part of the stack."""
    seen = told(backend, judged_many.crossed_cube(exposures, 0.1))

    observe.equal("finding", sorted({"layout"} & set(seen)), truth)


@pytest.mark.clause("DATA-030~3")
@pytest.mark.parametrize("name", ["hot-pixel", "dead-patterns", "layout"])
def test_a_record_without_a_probe_is_judged(backend: Any, observe: Observer, name: str) -> None:
    """By all but the probe. If this fails, suspect a finding that asks for a probe, or a judge that leaves where one does."""
    beyond = judged_many.BEYOND[name](judged_many.plain())

    plain, found = (told(backend, judged_many.without_a_probe(backend, given)) for given in (judged.plain(), beyond))

    observe.equal("findings of a plain record", sorted(plain), [])
    observe.holds("finding", name in found, name, ", ".join(found) or "nothing")


@pytest.mark.clause("DATA-030~3", evidence="symmetry")
@pytest.mark.parametrize("name", ["saturated", "hot-pixel", "repeated-patterns"])
def test_the_first_of_many_patterns_are_judged(backend: Any, observe: Observer, name: str) -> None:
    """Of 4,300, as the last ones. If this fails, suspect a number by blocks that is that of the last one."""
    found = told(backend, judged_many.turned(judged_many.BEYOND[name](judged_many.plain())))

    observe.holds("finding", name in found, name, ", ".join(found) or "nothing")
