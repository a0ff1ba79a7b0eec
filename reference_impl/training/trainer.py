"""One call from records to a trained model (specs/training.md)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from lightning.pytorch import Trainer, seed_everything  # noqa: E402
from lightning.pytorch.callbacks import Callback  # noqa: E402
from lightning.pytorch.utilities.exceptions import MisconfigurationException  # noqa: E402

from reference_impl.batch import build_loaders, ensure_container, resolve_seed  # noqa: E402
from reference_impl.config import TrainingConfig, cfg, update_legacy_dict, validate_training_config  # noqa: E402
from reference_impl.errors import ContractError, reason_of  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.stored.tensors import refuse_other_weights  # noqa: E402
from reference_impl.training.checkpoints import AtomicCheckpointIO, Order, alone_in, checkpoint_callbacks, resolve_monitor  # noqa: E402
from reference_impl.training.history import History  # noqa: E402
from reference_impl.training.lightning_module import PtychoLightningModule  # noqa: E402
from reference_impl.training.loggers import make_logger  # noqa: E402
from reference_impl.training.overrides import START, Run, settle  # noqa: E402
from reference_impl.training.progress import progress  # noqa: E402
from reference_impl.training.resume import Memory, Provenance, changed_settings  # noqa: E402

CHECKPOINTS = "checkpoints"
UNHELPFUL = (
    ".*does not have many workers.*",
    ".*exists and is not empty.*",
    ".*have no `val_dataloader`.*",
    ".*LeafSpec.*is deprecated.*",
)
"""Remarks of Lightning: workers cost more than they save here, folders may be used again, validation is optional."""


def train_cdi_model_torch(
    train_data: Any,
    test_data: Any,
    config: TrainingConfig,
    execution_config: PyTorchExecutionConfig | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Train on raw records or containers; `test_data` may be None (TRAIN-001, TRAIN-003).

    Returns `history` (`train_loss`, one a epoch; `val_loss` or None), `train_container`, `test_container`, `models`
    (`diffraction_to_obj`: the module, `autoencoder`: its network), `intensity_scale` (float). Logs and checkpoints lie under
    `config.output_dir`; the override `resume_from` goes on from a checkpoint (TRAIN-065), `start_from` begins with other
    weights than drawn ones. Raises `ValueError` for settings
    that cannot be honoured, before the first epoch, and `RuntimeError` from the cause of a failing fit (TRAIN-050).
    """
    run = settle(config, execution_config or PyTorchExecutionConfig(), overrides)
    _check_distance(run.config)
    run = replace(run, config=_with_the_side_of(train_data, run.config))
    _check(run.config)
    seed = resolve_seed(run.config.subsample_seed)
    update_legacy_dict(cfg, run.config)
    seed_everything(seed, workers=True, verbose=False)
    train_container = ensure_container(train_data, run.config)
    test_container = None if test_data is None else ensure_container(test_data, run.config, cap_groups=True)
    loaders = build_loaders(train_container, test_container, run.config, run.execution)
    # Seeded anew, so that the weights depend on the seed alone and not on what sampling and loaders drew.
    seed_everything(seed, workers=True, verbose=False)
    module = PtychoLightningModule.from_config(run.config, run.execution, experiments=getattr(train_container, "experiments", 1))
    if run.start_from is not None:
        refuse_other_weights(run.start_from, module, None, START)
        module.load_state_dict(run.start_from)
    history = fit(module, *loaders, run, _memory(module, run, train_container, test_container, train_data))
    return {
        "history": {"train_loss": history.train_loss, "val_loss": None if test_container is None else history.val_loss},
        "train_container": train_container,
        "test_container": test_container,
        "models": {"diffraction_to_obj": module, "autoencoder": module.model.autoencoder},
        "intensity_scale": _intensity_scale(train_container),
    }


def _memory(module: PtychoLightningModule, run: Run, train: Any, test: Any, record: Any) -> list[Callback]:
    """What keeps in checkpoints what they are trained with, once it agrees with the checkpoint that the run goes on from."""
    if run.resume_from is None and not run.execution.enable_checkpointing:
        return []
    provenance = Provenance.of(module, run.execution, train, test, record)
    changed = [] if run.resume_from is None else changed_settings(run.resume_from, provenance, run.changing)
    return [Memory(provenance, changed)]


def fit(
    module: PtychoLightningModule, train_loader: Any, val_loader: Any | None, run: Run, callbacks: Sequence[Callback] = ()
) -> History:
    """Fit `module` in place, leave it on the CPU in evaluation mode, and return its history; `callbacks` are called too."""
    history = History()
    if run.execution.channels_last:
        module.model.autoencoder.use_channels_last()
    writes = run.execution.enable_checkpointing or run.execution.logger_backend not in (None, "none")
    with _quiet_and_restored(), alone_in(run.config.output_dir) if writes else nullcontext():
        generator = getattr(train_loader, "generator", None)
        memory = [history, *callbacks] if generator is None else [history, Order(generator), *callbacks]
        trainer = _make_trainer(module, memory, run, validates=val_loader is not None)
        try:
            trainer.fit(module, train_loader, val_loader, ckpt_path=run.resume_from)
        except Exception as error:
            raise RuntimeError(f"training failed: {reason_of(error, 280)}") from error
    module.cpu().eval()
    return history


def _make_trainer(module: PtychoLightningModule, memory: list[Callback], run: Run, validates: bool) -> Trainer:
    """Lightning's trainer; clipping and accumulation stay with the module's step, never with it (EXEC-004)."""
    execution, folder = run.execution, run.config.output_dir
    logged = module.logged_metrics(validates)
    monitor = resolve_monitor(execution.checkpoint_monitor_metric, logged, module.loss_name, module.val_loss_name)
    callbacks = list(memory)
    if execution.enable_checkpointing:
        callbacks += checkpoint_callbacks(folder / CHECKPOINTS, monitor, validates, execution)
    if execution.enable_progress_bar:
        callbacks.append(progress())
    try:
        return Trainer(
            accelerator=execution.accelerator,
            strategy=execution.strategy,
            devices=execution.devices,
            num_nodes=execution.num_nodes,
            precision=execution.precision,
            deterministic=execution.deterministic,
            max_epochs=run.config.nepochs,
            logger=make_logger(execution.logger_backend, folder),
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            default_root_dir=folder,
            log_every_n_steps=1,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # our loaders share their batches themselves (TRAIN-082)
            enable_checkpointing=execution.enable_checkpointing,
            enable_progress_bar=execution.enable_progress_bar,
            enable_model_summary=False,
        )
    except (MisconfigurationException, ModuleNotFoundError) as error:
        stated = ", ".join(f"{name}={getattr(execution, name)!r}" for name in ("accelerator", "strategy", "devices", "precision"))
        raise RuntimeError(f"{stated}: the trainer refuses these settings: {reason_of(error)}") from error


def _intensity_scale(container: Any) -> float:
    """The mean factor from normalised amplitudes to square roots of photons; 1 where the container states none (BATCH-025)."""
    stated = getattr(container, "physics_scaling_constant", None)
    return 1.0 if stated is None else float(torch.as_tensor(stated).double().mean())


def _check_distance(config: TrainingConfig) -> None:
    """Labels are compared by their absolute error, and by nothing else (LOSS-013)."""
    if config.model.model_type == "supervised" and config.torch_loss_mode != "mae":
        expected = "'mae' for supervised training, whose labels have no likelihood"
        raise ContractError(field="torch_loss_mode", expected=expected, found=repr(config.torch_loss_mode))


def _check(config: TrainingConfig) -> None:
    """Refuse what the reference cannot honour, before anything is drawn or written."""
    validate_training_config(config)
    if config.probe_trainable:
        raise ContractError(field="probe_trainable", expected="False: the reference trains no probe", found="True")
    if not config.positions_provided:
        found = repr(config.positions_provided)
        raise ContractError(field="positions_provided", expected="True: the reference finds no positions", found=found)


def _with_the_side_of(data: Any, config: TrainingConfig) -> TrainingConfig:
    """`config` with the patch side of the patterns, which decide it (TRAIN-061)."""
    patterns = getattr(data, "X", None)
    side = getattr(data, "diff3d", None) if patterns is None else patterns
    # Axis 2 is a side in (n, N, N), (n, N, N, C) and (n, C, N, N) alike.
    side = None if side is None or len(side.shape) < 3 else int(side.shape[2])
    if side is None or side == config.model.N:
        return config
    text = f"the patterns are {side} pixels wide, the configuration says N = {config.model.N}: training uses {side}"
    warnings.warn(text, UserWarning, stacklevel=3)
    return replace(config, model=replace(config.model, N=side))


@contextmanager
def _quiet_and_restored() -> Iterator[None]:
    """Torch's determinism switches, which the trainer sets, come back as they were; Lightning's small talk is hidden."""
    notices = logging.getLogger("lightning.pytorch")
    level = notices.level
    strict, lenient = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    try:
        notices.setLevel(logging.WARNING)
        with warnings.catch_warnings():
            for remark in UNHELPFUL:
                warnings.filterwarnings("ignore", message=remark)
            yield
    finally:
        notices.setLevel(level)
        torch.use_deterministic_algorithms(strict, warn_only=lenient)
        torch.backends.cudnn.benchmark = benchmark
