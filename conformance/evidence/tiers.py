"""How far a backend came, and what blocks the next step. Pure: from a closed report and the steps to plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.evidence.closing import listed
from conformance.evidence.report import Report
from conformance.evidence.verdict import clause_states
from conformance.specification.tiers import Tier

HOLDS = ("pass", "untestable", "not-scored")


def reached(report: Report, tiers: Sequence[Tier]) -> list[dict[str, Any]]:
    """For the footer: each step, whether it is reached, and what it waits for (clause key → state).

    Empty for a run that did not look: without the profile core, on another device than the CPU, or where checks were left out by
    hand, since a clause without its check says nothing of the backend.
    """
    header = report.header
    if "core" not in header["profiles"] or header["device"] != "cpu" or header.get("select"):
        return []
    states, so_far, found = clause_states(report), True, []
    for tier in tiers:
        waits = {key: states.get(key, "not-evaluated") for key in tier.clauses if states.get(key) not in HOLDS}
        so_far = so_far and not waits
        found.append({"tier": tier.name, "means": tier.means, "reached": so_far, "waits": waits})
    return found


def told(found: Sequence[dict[str, Any]]) -> str:
    """`reaches Trains (step 3 of 6); Reloads waits for BUNDLE-003, BUNDLE-021 (red)`; empty where nobody looked."""
    if not found:
        return ""
    done = [step for step in found if step["reached"]]
    head = f"reaches {done[-1]['tier']} (step {len(done)} of {len(found)})" if done else f"reaches no step of {len(found)}"
    if len(done) == len(found):
        return head
    step = found[len(done)]
    states = sorted(set(step["waits"].values()))
    waits = listed([key.partition("~")[0] for key in step["waits"]], 4)
    return f"{head}; {step['tier']} waits for {waits} ({', '.join(states)})"
