"""The released ptychodus, unmodified, on a backend: both of its libraries, from counts to a product that it reads back.

    python -m conformance.clients.trial --output FOLDER [--backend NAME] [--epochs 24] [--patterns 320] [--only tf-long ...]

`nox -s ptychodus` makes an environment with ptychodus in it and runs this there. Each case drives ptychodus headless through its
own API: it finds the backend, exports training data, trains in a process of its own, saves the model under a name of its own,
opens it, reconstructs, and writes a product; `ptychodus --batch reconstruct` then does the last three once more. Long cases are
compared with the known object; short ones go once through everything with other settings, the released defaults among them.
Exit code 1 where anything fails.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conformance.connectors.connect import Proxy, connect

if TYPE_CHECKING:
    from conformance.clients.trial.data import Known

TRAINED, UNSEEN = 8, 48  # seeds of the objects
LEAST = 0.75  # of the constant image's error: an untrained network stays at 1.0
SHORT_PATTERNS = 40
TF, TORCH = "ptychopinn_pinn", "ptychopinn-torch_unsupervised"


@dataclass(frozen=True)
class Case:
    """One training and its reconstructions; `settings` sets the client's own settings."""

    name: str
    algorithm: str
    settings: Callable[[Any, int], None]
    long: bool = False


def tf_long(core: Any, epochs: int) -> None:
    """Single patterns, a narrow network, absolute error; the client has no learning rate for this library."""
    library = core.ptychopinn_reconstructor_library
    _set(library.model_settings, n_filters_scale=1, object_big=False, probe_big=False)
    _set(library.training_settings, nepochs=epochs, batch_size=4, mae_weight=1.0, nll_weight=0.0)


def tf_defaults(core: Any, epochs: int) -> None:
    """The released defaults, but for the number of epochs."""
    _set(core.ptychopinn_reconstructor_library.training_settings, nepochs=1)


def tf_groups(core: Any, epochs: int) -> None:
    """Groups of four, two for each exposure."""
    library = core.ptychopinn_reconstructor_library
    _set(library.model_settings, gridsize=2, n_filters_scale=1)
    _set(library.training_settings, nepochs=1)
    _set(library.inference_settings, n_samples=2)


def torch_long(core: Any, epochs: int) -> None:
    """As the other long case."""
    library = core.ptychopinn_torch_reconstructor_library
    _set(library.data_settings, model_size=64, num_channels=1, grid_size_x=1, grid_size_y=1)
    _set(library.model_settings, num_filters_scale=1, object_big=False, probe_big=False, loss_function="MAE")
    # The default, silu, has a minimum below zero; under the absolute error the network settles there and learns no structure.
    _set(library.model_settings, amplitude_activation_function="sigmoid")
    _set(library.training_settings, epochs=epochs, batch_size=4, num_dataloader_workers=0)
    _set(library.data_settings, x_lower_bound=0.0, x_upper_bound=1.0, y_lower_bound=0.0, y_upper_bound=1.0)
    _set(library.inference_settings, middle_trim=20)


def torch_defaults(core: Any, epochs: int) -> None:
    """The released defaults, but for epochs, loader processes, and the patch side, which is the data's."""
    library = core.ptychopinn_torch_reconstructor_library
    _set(library.data_settings, model_size=64, coordinate_subsampling_factor=1)
    _set(library.training_settings, epochs=1, num_dataloader_workers=0)


CASES = (
    Case("tf-long", TF, tf_long, long=True),
    Case("torch-long", TORCH, torch_long, long=True),
    Case("tf-defaults", TF, tf_defaults),
    Case("tf-groups", TF, tf_groups),
    Case("tf-supervised", "ptychopinn_supervised", tf_defaults),
    Case("torch-defaults", TORCH, torch_defaults),
    Case("torch-supervised", "ptychopinn-torch_supervised", torch_defaults),
)


def _set(settings: Any, **values: Any) -> None:
    for name, value in values.items():
        getattr(settings, name).set_value(value)


class Trial:
    """All cases in one folder; `failures` collects a line for each thing that is not as it has to be."""

    def __init__(self, output: Path, patterns: int, epochs: int) -> None:
        from conformance.clients.trial import data

        self.output, self.epochs = output, epochs
        self.failures: list[str] = []
        self.known: dict[str, Known] = {}
        for name, seed, count in (("trained", TRAINED, patterns), ("unseen", UNSEEN, 144), ("short", TRAINED, SHORT_PATTERNS)):
            self.known[name] = data.make(output / name, seed, count)

    def run(self, case: Case) -> None:
        """One case; whatever it raises is one of the failures."""
        print(f"== {case.name}: {case.algorithm}", flush=True)
        try:
            self._run(case)
        except Exception as error:  # noqa: BLE001 — the other cases go on
            traceback.print_exc()
            self.failures.append(f"{case.name}: {type(error).__name__}: {str(error).strip().splitlines()[-1]}")

    def _run(self, case: Case) -> None:
        from ptychodus.model import ModelCore

        names = ("trained", "unseen") if case.long else ("short",)
        place = self.output / case.name
        with ModelCore(log_level=logging.WARNING) as core:
            offered = list(core.workflow_api.available_reconstructors())
            if case.algorithm not in offered:
                raise LookupError(f"ptychodus offers {offered}")
            case.settings(core, self.epochs)
            products = {name: self._open(core, name) for name in names}
            (place / "data").mkdir(parents=True, exist_ok=True)
            products[names[0]].export_training_data(place / "data" / "train_data.npz", algorithm=case.algorithm)
            products[names[-1]].export_training_data(place / "data" / "test_data.npz", algorithm=case.algorithm)
            self._check_export(case, place / "data" / "train_data.npz")
            began = time.monotonic()
            products[names[0]].train_reconstructor_local(place / "data", place / "model", algorithm=case.algorithm, block=True)
            print(f"{case.name}: trained in {time.monotonic() - began:.0f} s", flush=True)
            api = core.processing_core.processing_api
            model = place / f"saved{api.get_model_file_extension(algorithm=case.algorithm)}"
            api.save_model_to_file(model, algorithm=case.algorithm)
            api.load_model_from_file(model, algorithm=case.algorithm)
            for name in names:
                began = time.monotonic()
                result = products[name].reconstruct_local(algorithm=case.algorithm, block=True)
                result.save_product(place / f"{name}.h5", file_type="HDF5")
                seconds = time.monotonic() - began
                self._judge(case.name, name, place / f"{name}.h5", case.long, f"reconstructed in {seconds:.0f} s")
            core.settings_registry.save_settings(place / "settings.ini")
        if case.long:
            self._command_line(case, model)

    def _open(self, core: Any, name: str) -> Any:
        data = core.workflow_api.load_assembled_diffraction_data(self.output / name / "diffraction.h5")
        return core.workflow_api.load_product(self.output / name / "product.h5", diffraction=data)

    def _check_export(self, case: Case, path: Path) -> None:
        """What the client sends is what specs/client.md says it sends."""
        with np.load(path) as archive:
            found = {name: (str(archive[name].dtype), archive[name].ndim) for name in archive.files}
        expected = {"diff3d": ("int32", 3), "bad_pixels": ("bool", 2), "probeGuess": ("complex128", 3)}
        expected |= {"objectGuess": ("complex128", 2), "scan_index": ("int64", 1)}
        expected |= dict.fromkeys(("xcoords", "ycoords", "xcoords_start", "ycoords_start"), ("float64", 1))
        if found != expected:
            self.failures.append(f"{case.name}: export: expected {expected}, found {found}")

    def _command_line(self, case: Case, model: Path) -> None:
        """`ptychodus --batch reconstruct` in a folder as the client lays it out; it numbers the product by its progress."""
        place = self.output / case.name
        (place / "in").mkdir(exist_ok=True)
        for source, name in (
            (self.output / "unseen" / "diffraction.h5", "diffraction.h5"),
            (self.output / "unseen" / "product.h5", "product.h5"),
            (place / "settings.ini", "settings.ini"),
            (model, f"model{model.suffix}"),
        ):
            shutil.copyfile(source, place / "in" / name)
        argv = [sys.executable, "-m", "ptychodus", "-b", "reconstruct", "-i", str(place / "in"), "-o", str(place / "out")]
        began = time.monotonic()
        done = subprocess.run(argv, capture_output=True, text=True)
        (place / "cli.log").write_text(done.stdout + done.stderr, encoding="utf-8")
        written = sorted((place / "out").glob("product*.h5"))
        if done.returncode or not written:
            said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
            self.failures.append(
                f"{case.name}: ptychodus -b reconstruct: code {done.returncode}, {len(written)} products: {said[-1]}"
            )
            return
        self._judge(f"{case.name} cli", "unseen", written[-1], True, f"{written[-1].name} in {time.monotonic() - began:.0f} s")

    def _judge(self, case: str, name: str, path: Path, long: bool, remark: str) -> None:
        """A product that ptychodus reads back, against the known object."""
        from ptychodus.api.io import load_product

        from conformance.clients.trial import data, score

        product, truth = load_product(path), self.known[name].truth
        found, before = product.object_.get_geometry(), load_product(self.output / name / "product.h5").object_.get_geometry()
        image = product.object_.get_layer(0)
        if found != before or not np.isfinite(image).all() or not np.abs(image).max() > 0:
            self.failures.append(f"{case}: {path.name}: expected a finite object on {before}, found {found}")
            return
        if len(product.probe_positions) != len(self.known[name].x):
            self.failures.append(f"{case}: {path.name}: expected {len(self.known[name].x)} positions")
        seen = score.score(image, truth) if long else None
        print(f"{case}: {name}: {remark}; {seen or f'{int((image != 0).sum())} pixels of {data.N}-patches'}", flush=True)
        if seen is not None:
            score.draw(image, truth, f"{case}, {name}: {seen}", path.with_suffix(".png"))
            self.failures += [f"{case}: {name}: {text}" for text in seen.failures(LEAST)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cases; 0 where nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m conformance.clients.trial", description="ptychodus on a backend.")
    parser.add_argument("--backend", default="reference", help="a backend with a drop-in")
    parser.add_argument("--output", type=Path, required=True, help="folder for data, models, products and pictures")
    parser.add_argument("--patterns", type=int, default=320, help="exposures of the long cases")
    parser.add_argument("--epochs", type=int, default=24, help="of the long cases")
    parser.add_argument("--only", nargs="+", default=[], choices=[case.name for case in CASES], help="cases; all by default")
    args = parser.parse_args(argv)
    # As a user does it: the drop-in's folder first on the path, of this process and of those that the client starts.
    place = str(Proxy(connect(args.backend)).drop_in())
    sys.path.insert(0, place)
    os.environ["PYTHONPATH"] = os.pathsep.join([place, *filter(None, [os.environ.get("PYTHONPATH")])])
    began = time.monotonic()
    trial = Trial(args.output.resolve(), args.patterns, args.epochs)
    for case in CASES:
        if not args.only or case.name in args.only:
            trial.run(case)
    print("\n".join(f"FAILED {text}" for text in trial.failures) or "nothing failed")
    print(f"{time.monotonic() - began:.0f} s; {args.output}")
    return 1 if trial.failures else 0


if __name__ == "__main__":
    sys.exit(main())
