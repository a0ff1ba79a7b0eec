"""junit.xml: a suite an area, a case a check. Every state keeps its name; what was not evaluated is skipped, never passed."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from conformance.evidence.causes import split
from conformance.evidence.report import Report
from conformance.judging.blame import missing_package

# What XML 1.0 has no place for (§2.2), even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TAGS = {"fail": "failure", "timeout": "error", "crash": "error", "error": "error", "never ended": "error", "stale": "failure"}
SKIPPED = ("not-scored", "not-offered", "not-claimed", "not-evaluated", "blocked", "expected")


def clean(text: str) -> str:
    """`text` without the characters that XML refuses; each becomes U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def junit(report: Report) -> str:
    """The report as JUnit's XML; every collected check is a case, also one that never ended."""
    states, results = report.states(), {line["check"]: line for line in report.results}
    blockers = {line["check"]: line["by"] for line in report.blocked}
    header = report.header
    root = Xml.Element("testsuites", name=f"conform {header['backend'].get('name', '')} on {header['device']}")
    suites: dict[str, Xml.Element] = {}
    for check, keys in report.plan["collected"].items():
        area = header["clauses"].get(keys[0], {}).get("area", "unknown")
        if area not in suites:
            suites[area] = Xml.SubElement(root, "testsuite", name=area)
        line = results.get(check, {})
        case = Xml.SubElement(
            suites[area], "testcase", classname=f"{area}.{keys[0]}", name=clean(check), time=str(line.get("seconds", 0))
        )
        message = str(line.get("message", ""))
        if check in report.known:
            first = clean(message.partition("\n")[0])
            Xml.SubElement(case, "skipped", message=f"known: it stands in {clean(report.known_in)}: {first}")
        else:
            _state(case, states.get(check, "never ended"), message, blockers.get(check, []))
    for suite in suites.values():
        _count(suite)
    _count(root)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _state(case: Xml.Element, state: str, message: str, by: list[str]) -> None:
    text = clean(message)
    if state in SKIPPED:
        reason = f"by {', '.join(by)}" if state == "blocked" else text
        Xml.SubElement(case, "skipped", message=f"{state}: {reason}")
    elif state in TAGS:
        package = missing_package(dict(split(text)[1]).get("found", ""))
        first = f"a package is missing: {package}" if package else text.split("\n")[0]
        Xml.SubElement(case, TAGS[state], type=state, message=f"{state}: {first}").text = text


def _count(element: Xml.Element) -> None:
    """The attributes that readers of this format look at."""
    element.set("tests", str(len(list(element.iter("testcase")))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(len(list(element.iter(tag)))))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in element.iter('testcase')):.3f}")
