"""Version after version of a backend, its source held against what a client uses of it; nothing of either is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.clients import compare
from conformance.clients.places import world_of_packages
from conformance.clients.uses import Uses
from conformance.evidence import drifts
from conformance.evidence.history import Seen
from conformance.evidence.report import Line
from conformance.evidence.timeline import line_of_drift, states
from conformance.running.history import Examined, History, Told, stop_of
from conformance.running.versions import NoHistory, Version, Versions
from conformance.specification.clauses import Specification
from conformance.specification.lint import digest


class Readings(History):
    """Which clauses of drift each version keeps; `packages` are those of the client's uses that belong to the backend."""

    def __init__(
        self, source: Versions, found: Sequence[Version], uses: Uses, spec: Specification, adapter: str, folder: Path, say: Told
    ) -> None:
        self.uses, self.spec = uses, spec
        super().__init__(source, found, adapter, folder, say)

    def _examined(self, version: Version) -> Examined:
        with self._there(version) as tree:
            paths = self.source.lay(version, tree)
            folders = {name: next((path / name for path in paths if (path / name).is_dir()), None) for name in self.uses.packages}
            if absent := [name for name, folder in folders.items() if folder is None]:
                raise NoHistory(f"{version.short}: has no package {', '.join(absent)}")
            there = {name: folder for name, folder in folders.items() if folder is not None}
            line = self._read(version, there)
        drifts.add(line, self.folder / "drift")
        return _of(line)

    def _read(self, version: Version, folders: dict[str, Path]) -> Line:
        found = compare.compare(self.uses, world_of_packages(folders, self.uses))
        stop = stop_of(version)
        said = {"backend": self.adapter, "version": stop.version, "commit": stop.commit, "dated": stop.dated}
        said["specification"] = digest(self.spec.folder) or ""
        keys = [clause.key for clause in self.spec.clauses.values()]
        return drifts.of_findings(self.uses, found, keys, drifts.digest(folders), **said)

    def _kept(self, version: Version) -> Examined | None:
        words = drifts.judged(clause.key for clause in self.spec.clauses.values())
        asked = (self.uses.client, self.uses.sha256, sorted(self.uses.packages), words, stop_of(version).version)
        for line in drifts.load(self.folder / "drift"):
            if (line["client"], line["client_sha256"], line["packages"], line["clauses"], line["version"]) == asked:
                return _of(line)
        return None


def _of(line: Line) -> Examined:
    made = line_of_drift(line)
    return Examined(Seen((states(made),)), made)
