"""What the client imports, and every setting that it states."""

from __future__ import annotations

from typing import Any

N, PHOTONS = 64, 3.0e4
"""Patch side in pixels, photons a pattern."""

MODULES = {
    "ptycho.config.config": ("InferenceConfig", "ModelConfig", "TrainingConfig", "update_legacy_dict"),
    "ptycho.raw_data": ("RawData",),
    "ptycho.loader": ("load",),
    "ptycho.params": ("cfg", "get"),
    "ptycho.probe": ("set_probe_guess",),
    "ptycho.model_manager": ("save",),
    "ptycho.tf_helper": ("reassemble_position",),
    "ptycho.workflows.components": ("load_inference_bundle", "run_cdi_example", "save_outputs"),
}
TORCH_MODULES = {
    "ptycho_torch.config_params": ("DataConfig", "DatagenConfig", "InferenceConfig", "ModelConfig", "TrainingConfig"),
    "ptycho_torch.api.base_api": (
        *("ConfigManager", "DataloaderFormats", "InferenceEngine", "PtychoDataLoader", "PtychoModel", "Trainer"),
    ),
    "ptycho_torch.model": ("PtychoPINN_Lightning",),
    "ptycho_torch.lightning_utils": ("find_best_checkpoint",),
}
"""Module → the names that the client takes from it."""

MODEL = {
    **{"gridsize": 1, "n_filters_scale": 1, "model_type": "pinn", "amp_activation": "swish", "object_big": False},
    **{"probe_big": False, "probe_mask": False, "pad_object": True, "probe_scale": 3.0, "gaussian_smoothing_sigma": 0.0},
}
TRAINING = {
    **{"batch_size": 4, "nepochs": 2, "mae_weight": 0.25, "nll_weight": 0.75, "realspace_mae_weight": 0.0},
    **{"realspace_weight": 0.0, "nphotons": PHOTONS, "positions_provided": True, "probe_trainable": False},
    **{"intensity_scale_trainable": False},
}
GROUPING = {"neighbours": 7, "samples": 1, "gridsize": 1}
"""The client's defaults."""

BY_FOUR = {"K": 7, "nsamples": 1, "gridsize": 2, "seed": 1}
ASKED = {
    **{"given": BY_FOUR, "again": BY_FOUR, "nsamples": BY_FOUR | {"nsamples": 2}},
    **{"seed": BY_FOUR | {"seed": 2}, "K": BY_FOUR | {"K": 4}},
    **{"zero": BY_FOUR | {"seed": 0}, "zero again": BY_FOUR | {"seed": 0}},
}
"""What groups are asked for with: the same twice, then one argument each that is another."""

REGISTRY = {"N": N, "gridsize": 1, "probe_scale": 3.0, "amp_activation": "swish", "batch_size": 4, "nphotons": PHOTONS}
"""What the registry holds once the client has told it the training's configuration."""

TORCH_SETTINGS: dict[str, dict[str, Any]] = {
    "data_config": {
        **{"N": N, "C": 1, "normalize": "Batch", "neighbor_function": "Nearest", "scan_pattern": "Isotropic"},
        **{"probe_normalize": True, "x_bounds": [0.0, 1.0], "y_bounds": [0.0, 1.0], "min_neighbor_distance": 0.0},
        **{"max_neighbor_distance": 20.0, "K_quadrant": 30, "n_subsample": 1, "probe_scale": 3.0, "K": 6},
        **{"grid_size": [1, 1], "probe_ramp_removal": False, "data_scaling": "Parseval", "phase_subtraction": True},
    },
    "model_config": {
        **{"mode": "Unsupervised", "object_big": False, "probe_big": True, "loss_function": "Poisson", "amp_activation": "silu"},
        **{"cbam_encoder": True, "decoder_last_amp_channels": 1, "use_shared_decoder": False, "intensity_scale": 10000.0},
        **{"intensity_scale_trainable": False, "max_position_jitter": 10, "num_datasets": 1, "C_model": 1, "C_forward": 1},
        **{"amp_loss": None, "phase_loss": None, "amp_loss_coeff": 1.0, "phase_loss_coeff": 1.0, "n_filters_scale": 1},
        **{"probe_mask": None, "eca_decoder": False, "batch_norm": False, "edge_pad": 10, "cbam_bottleneck": False},
        **{"decoder_last_c_outer_fraction": 0.125, "cbam_decoder": False, "spatial_decoder": False, "offset": 6},
        **{"decoder_spatial_kernel": 7, "eca_encoder": False, "probe_reference_coeff": 0.0},
        **{"amplitude_variance_loss": False, "amplitude_variance_coeff": 0.01},
    },
    "training_config": {
        **{"epochs": 2, "batch_size": 4, "learning_rate": 5e-4, "n_devices": 2, "num_workers": 0, "accum_steps": 1},
        **{"epochs_fine_tune": 0, "fine_tune_gamma": 0.2, "gradient_clip_val": None, "nll": True, "device": "cpu"},
        **{"strategy": "ddp_spawn", "framework": "Lightning", "orchestrator": "Lightning", "scheduler": "Default"},
        **{"warmup_epochs": 0, "min_lr_ratio": 0.1, "notes": "a note", "model_name": "OwnModel"},
        **{"enable_staged_finetuning": False, "finetune_skip_stage3": True, "finetune_early_stop_patience": 4},
        **{"finetune_stage1_epochs": 8, "finetune_stage2_epochs": 9, "finetune_stage3_epochs": 6},
        **{"finetune_stage1_lr_decoder": 0.1, "finetune_stage2_lr_encoder_top": 0.01, "finetune_stage2_lr_decoder": 0.05},
        **{"finetune_stage2_lr_phase_head": 0.1, "finetune_stage3_lr_encoder_bottom": 0.005, "finetune_val_split": 0.25},
        **{"finetune_stage3_lr_encoder_top": 0.01, "finetune_stage3_lr_decoder": 0.02, "finetune_stage3_lr_phase_head": 0.05},
    },
    "inference_config": {
        **{"batch_size": 7, "middle_trim": 24, "experiment_number": 0, "patch_weighting": "probe", "pad_eval": True},
        **{"window": 20},
    },
}
"""Every setting of the other library; at the client's default where nothing small is needed, and another one asks for more."""

KINDS = {name: "".join(part.capitalize() for part in name.split("_")) for name in TORCH_SETTINGS}
TOLD = {"inference_config": {"middle_trim": 24, "patch_weighting": "probe"}, "data_config": {"N": N, "K": 6}}
"""Settings that come back out of a checkpoint."""
