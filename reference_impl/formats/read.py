"""From paths to an `Experiment`: the kind is found by what the files hold, and every wish of the user overrides it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data.experiment import Experiment, Item
from reference_impl.data.geometry_survey import Survey, survey
from reference_impl.errors import ContractError, printable
from reference_impl.formats import layout as layouts
from reference_impl.formats import values
from reference_impl.formats.images import FRAMES
from reference_impl.formats.layout import Layout
from reference_impl.formats.positions import Positions
from reference_impl.formats.sources import Source, inventory, open_source, place, shape_of
from reference_impl.formats.text import TextSource
from reference_impl.formats.values import Lookup
from reference_impl.formats.vet import vetted
from reference_impl.formats.wishes import Wishes


@contextmanager
def opened(source: str | Path, wishes: Wishes | None = None) -> Iterator[Experiment]:
    """The experiment in `source` (`FILE`, `FOLDER`, `FILE::data set`), open as long as the context lasts.

    Raises `FileNotFoundError`, or `ContractError` that says what is missing and which flag gives it.
    """
    wishes = wishes or Wishes()
    path, name, _ = place(str(source), "source")

    def looked_at() -> Survey:
        with ExitStack() as stack:
            found = _experiment(path, name, wishes, stack)
            return survey(found.frames, found.patterns.unit == "amplitudes")

    seen = vetted(path, looked_at)
    with ExitStack() as stack:
        yield replace(_experiment(path, name, wishes, stack), survey=seen)


def _experiment(path: Path, name: str, wishes: Wishes, stack: ExitStack) -> Experiment:
    try:
        return _Reader(path, name, wishes, stack).experiment()
    except ContractError:
        raise
    except Exception as error:  # a damaged file may make its library raise anything; disk errors speak for themselves
        if isinstance(error, OSError) and error.errno is not None:
            raise
        found = printable(error, 160) or type(error).__name__
        raise ContractError(file=path, field="file", expected="a file that its library can read", found=found) from error


class _Reader:
    """The steps of one reading; everything opened is closed by the stack."""

    def __init__(self, path: Path, name: str, wishes: Wishes, stack: ExitStack) -> None:
        self.path, self.wishes, self._stack = path, wishes, stack
        self.notes: list[tuple[str, str]] = []
        main = self._open(path)
        if isinstance(main, TextSource):
            raise ContractError(file=path, field="source", expected="patterns", found="a table of text: say --positions for it")
        others = [self._open(place(text, "parameters")[0]) for text in wishes.parameters]
        self.lookup = Lookup([main, *(other for other in others if not isinstance(other, TextSource))])
        self.layout = self._layout(main, name)

    def _open(self, path: Path) -> Source | TextSource:
        return self._stack.enter_context(open_source(path))

    def _layout(self, main: Source, name: str) -> Layout:
        if self.wishes.layout is not None:
            found: Layout | None = layouts.load(self.wishes.layout)
        elif main.names() == [FRAMES]:
            return Layout("images", f"{main.container} frames", (), {"patterns": {"path": FRAMES}})
        else:
            found = detect(self.lookup) or self._with_companion(main)
        if name:
            sections = {**(found.sections if found else {}), "patterns": {"path": name.lstrip("/")}}
            base = found.title if found else main.container
            return Layout("named", f"{base}, patterns by name", (), sections)
        if found is None:
            raise ContractError(file=self.path, field="file", expected=_expected(), found=inventory(main))
        return found

    def _with_companion(self, main: Source) -> Layout | None:
        """A file whose name says that another one belongs to it (`a_dp.hdf5`, `a_para.hdf5`)."""
        for one, other in (("_dp", "_para"), ("_para", "_dp")):
            beside = self.path.with_name(self.path.name.replace(one, other, 1))
            if one in self.path.name and beside.is_file():
                self.lookup.sources.append(self._open(beside))
                found = detect(self.lookup)
                if found is not None:
                    self.notes.append(("parameters", f"{beside}: found beside it"))
                    return found
                self.lookup.sources.pop()
        return next((each for each in layouts.known() if each.kind == "dp" and main.has("dp")), None)

    def experiment(self) -> Experiment:
        """Everything, as the file has it."""
        place_of = Positions(self.lookup, self.layout, self.wishes, self._open)
        positions = place_of.positions()
        count = None if positions is None else len(positions.value)
        stack, where, unit, said = values.frames(self.lookup, self.layout, self.wishes.axes, count)
        if said and stack.shape[0] > 1:
            self.notes.append(("axes of the patterns", said))
        patterns = Item(stack, where, self.wishes.measurement or unit or "counts")
        if not (self.wishes.measurement or unit):
            patterns = replace(patterns, assumed="counts: nothing says so (--measurement)")
        if positions is None:
            positions = place_of.raster(stack)
        typed = {key: self._typed(key) for key in ("energy", "distance", "detector_pixel")}
        scalars = {key: typed.get(key) or values.scalars(self.lookup, self.layout, key) for key in (*typed, "object_pixel")}
        metadata = self._metadata()
        stated = self._of_metadata(metadata)
        scalars = {key: value or stated.get(key) for key, value in scalars.items()}
        text = self.layout.get("patterns", "zero_frequency") or "unknown"
        frame = (stack.shape[1], stack.shape[2])
        return Experiment(
            kind=self.layout.title,
            file=self.path,
            patterns=patterns,
            zero_frequency=text,
            positions=positions,
            frame_index=self._index("frames"),
            position_index=self._index("positions") or place_of.index,
            mask=self._mask(frame),
            probe=self._probe(),
            object=self._object(),
            metadata=metadata,
            notes=tuple(self.notes),
            candidates=() if positions is not None else self._as_long_as(stack.shape[0]),
            overridden=self._overridden([key for key, item in typed.items() if item is not None], stated),
            **scalars,
        )

    def _overridden(self, keys: list[str], stated: dict[str, Item]) -> dict[str, Item]:
        """What the file says of the quantities that the user has typed; a statement that cannot be read says nothing."""
        found: dict[str, Item] = {}
        for key in keys:
            with suppress(ContractError):
                item = values.scalars(self.lookup, self.layout, key) or stated.get(key)
                found |= {key: item} if item is not None and item.unit else {}
        return found

    def _typed(self, key: str) -> Item | None:
        value = getattr(self.wishes, key)
        if value is None:
            return None
        number, unit = value
        return Item(np.repeat(number, 2) if key == "detector_pixel" else number, f"--{key.replace('_', '-')}", unit)

    def _as_long_as(self, count: int) -> tuple[str, ...]:
        """Names of arrays with a number, or two or three, for each frame: a hint for who has to name the positions."""
        fitting = ((count,), (count, 2), (count, 3), (2, count), (3, count))
        main = self.lookup.sources[0]
        return tuple(name for name in main.names()[:500] if shape_of(main, name) in fitting)[:6]

    def _index(self, key: str) -> Item | None:
        found = self.lookup.first(self.layout.names("index", key))
        if found is None:
            return None
        return Item(values.vector(found[0].array(found[1]), found[0].place(found[1])), found[0].place(found[1]))

    def _mask(self, frame: tuple[int, int]) -> Item | None:
        """The file's own and the user's: a pixel is good where both say so. An array that is both is read as it was said."""
        typed, own = self._typed_mask(frame), self.layout.get("mask", "good") or "nonzero"
        found, also = self.lookup.first(self.layout.names("mask")), self.layout.get("mask", "also_good")
        if found is None:
            found, own, also = self.lookup.first(self.layout.names("mask", "bad")), "zero", None
        if found is None or (typed is not None and typed.path == found[0].place(found[1])):
            return typed
        source, name = found
        stated = Item(values.mask(source.array(name), own, also, source.place(name), frame), source.place(name))
        if typed is None:
            return stated
        more = int((typed.value & ~stated.value).sum())
        said = f"{typed.assumed}; " if typed.assumed else ""
        said += f"joined with the file's own, {stated.path}, which hides {more} more"
        return replace(typed, value=typed.value & stated.value, assumed=said)

    def _typed_mask(self, frame: tuple[int, int]) -> Item | None:
        if self.wishes.mask is None:
            return None
        path, name, _ = place(self.wishes.mask, "mask")
        source = self._open(path)
        if isinstance(source, TextSource):
            raise ContractError(file=path, field="mask", expected="an image (NPY, TIFF) or FILE::name", found="text")
        name, good = name.lstrip("/") or source.names()[0], self.wishes.mask_good or "nonzero"
        said = "" if self.wishes.mask_good else "True or nonzero is good (--mask-good)"
        return Item(values.mask(source.array(name), good, None, source.place(name), frame), source.place(name), "", said)

    def _probe(self) -> Item | None:
        axes = self.layout.get("probe", "axes")
        if self.wishes.probe is not None:
            path, name, _ = place(self.wishes.probe, "probe")
            source = self._open(path)
            if isinstance(source, TextSource):
                raise ContractError(file=path, field="probe", expected="an array", found="a table of text")
            names = [name.lstrip("/")] if name else [n for n in PROBES if Lookup([source]).expand(n)] or source.names()[:1]
            found: Any = Lookup([source]).first(tuple(names))
        else:
            found = self.lookup.first(self.layout.names("probe"))
        if found is None:
            return None
        source, name = found
        value, said = values.probe(source.array(name), axes, source.matlab, source.place(name))
        return Item(value, source.place(name), "", said)

    def _object(self) -> Item | None:
        found = self.lookup.first(self.layout.names("object"))
        return None if found is None else Item(found[0].array(found[1]), found[0].place(found[1]))

    def _of_metadata(self, metadata: dict[str, Any] | None) -> dict[str, Item]:
        """Energy, distance and object pixel where a conversion of ours has left them."""
        optics = (metadata or {}).get("optics")
        names = {"energy": "wavelength_m", "distance": "distance_m", "object_pixel": "object_pixel_m"}
        found: dict[str, Item] = {}
        for key, name in names.items():
            value = np.asarray(optics.get(name, ()) if isinstance(optics, dict) else ())
            if value.dtype.kind in "iuf" and value.shape == ((2,) if key == "object_pixel" else ()) and (value > 0).all():
                plain = value.astype(np.float64) if value.shape else float(value)
                found[key] = Item(plain, self.lookup.sources[0].place(f"_metadata.optics.{name}"), "m")
        return found

    def _metadata(self) -> dict[str, Any] | None:
        from reference_impl.data import metadata

        name = next(iter(self.layout.names("metadata")), "")
        main = self.lookup.sources[0]
        return metadata.parse(main.text(name), self.path) if name and hasattr(main, "text") and name in main.names() else None


PROBES = ("probeGuess", "probe", "content/probe/*/data", "entry_1/instrument_1/source_1/illumination", "entry_1/image_1/data")


def detect(lookup: Lookup) -> Layout | None:
    """The first layout all of whose names are there; `dp` alone is left to the last, when no companion was found."""
    for each in layouts.known():
        fits = all(any(lookup.expand(name) for name in group) for group in each.contains)
        if fits and each.kind != "dp":
            return each
    return None


def _expected() -> str:
    return f"one of {', '.join(each.kind for each in layouts.known())}, or --source FILE::name, or --layout FILE"
