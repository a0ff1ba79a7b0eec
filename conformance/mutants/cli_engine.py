"""Defects of the engine's command, planted into the source that its process reads."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

PLACE = "CLI-017:reconstruct_recovers_the_object_at_its_place"
NUMBERS = "CLI-017:the_file_of_numbers_explains_the_patterns"
GIVEN = "CLI-017:what_is_not_refined_is_the_files"
SWEEPS = "CLI-017:a_residual_is_told_for_each_sweep"
NOISY = "CLI-018:a_noisy_scan_settles_at_its_noise"
ASKED = "CLI-033:counts_are_fitted_as_was_asked"
MODES = "CLI-018:modes_that_are_asked_for_are_found"
POSITIONS = "CLI-018:positions_come_nearer_to_where_they_were"
RESUMED = "CLI-019:a_resumed_reconstruction_is_the_whole_one"
SETTLES = "CLI-019:a_resumed_reconstruction_settles_as_a_whole_one"
CONTRADICTED = "CLI-086:a_state_is_not_contradicted_in_silence"
OTHER = "CLI-019:the_state_of_another_scan_is_refused"
SHOWN = "CLI-020:the_engines_pictures_show_its_numbers"
SEEN = "CLI-020:the_networks_pictures_show_its_numbers"
GAUGE = "CLI-021:evaluate_tells_place_and_gauge"
ERRORS = "CLI-021:evaluate_tells_each_objects_own_error"
REFINED = "CLI-022:an_inference_is_refined_to_the_object"
BEGUN = "CLI-022:a_refinement_begins_with_the_networks_object"
TURNED = "CLI-022:what_is_turned_for_the_stitching_is_not_refined"
WEIGHTS = "CLI-023:a_training_begins_with_the_bundles_weights"
GRID = "CLI-023:another_grid_than_the_bundles_is_refused"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-017", "the origin in the file is half a pixel beside the canvas", PLACE,
    plant=source("cli/solution.py", '"origin": found.frame.origin', '"origin": np.asarray(found.frame.origin) - 0.5'))
mutant("GUARD-CLI-017b", "the object in the file is turned as pictures are displayed elsewhere", PLACE,
    plant=source("cli/solution.py", '"object": found.object', '"object": found.object[::-1]'))
mutant("GUARD-CLI-017c", "the probe in the file has the solver's own unit", NUMBERS,
    plant=source("engine/solver.py", "modes.orthogonal(state.probe) / self.problem.unit", "modes.orthogonal(state.probe)"))
mutant("GUARD-CLI-017d", "positions in the file stand in the order of the solver's steps", GIVEN,
    plant=source("engine/solver.py", "positions=state.positions.cpu().numpy()[np.argsort(self.problem.numbers)]",
        "positions=state.positions.cpu().numpy()"))
mutant("GUARD-CLI-017e", "--keep-probe is accepted, and the probe is refined", GIVEN,
    plant=source("cli/reconstruct.py", "refine_probe=not args.keep_probe", "refine_probe=True"))
mutant("GUARD-CLI-017f", "a solver that was stopped by its number of sweeps says that it has settled", SWEEPS,
    plant=source("engine/solver.py", "settled=state.settling.done", "settled=True"))
mutant("GUARD-CLI-017g", "--sweeps is one less than what is made", SWEEPS,
    plant=source("cli/reconstruct.py", "sweeps=args.sweeps,", "sweeps=args.sweeps + 1,"))
mutant("GUARD-CLI-018", "the solver never stops by itself where there is noise", NOISY,
    plant=source("engine/settling.py", "scale < 0.5**HALVINGS", "scale < 0.0"))
mutant("GUARD-CLI-018b", "--likelihood poisson works on counts as if these were amplitudes", NOISY,
    plant=source("engine/waves.py", "missing *= (0.5 * (1 + measured / modulus)).clamp_max_(STEEPEST)",
        "missing = (measured - modulus.square()) * (good if good is not None else 1.0)"))
mutant("GUARD-CLI-033", "--likelihood poisson is accepted, and amplitudes are fitted", ASKED,
    plant=source("engine/waves.py", 'if likelihood == "poisson":', 'if likelihood == "counts":'))
mutant("GUARD-CLI-033b", "--likelihood amplitude is accepted, and a Poisson law is fitted", ASKED,
    plant=source("cli/reconstruct.py", "likelihood=args.likelihood", 'likelihood="poisson"'))
mutant("GUARD-CLI-018c", "--modes is accepted, and the file's number of modes is used", MODES,
    plant=source("cli/reconstruct.py", "modes=args.modes or 0", "modes=0"))
mutant("GUARD-CLI-018d", "further modes begin dark, and stay so", MODES,
    plant=source("engine/probe.py", "FAINT = 0.03", "FAINT = 0.0"))
mutant("GUARD-CLI-018e", "modes are told in any order, the weakest first", MODES,
    plant=source("engine/probe.py", "(mixing.mH.flip(0) @ flat)", "(mixing.mH @ flat)"))
mutant("GUARD-CLI-018f", "--refine-positions is accepted, and positions stay", POSITIONS,
    plant=source("cli/reconstruct.py", "refine_positions=args.refine_positions", "refine_positions=False"))
mutant("GUARD-CLI-018g", "positions move the other way", POSITIONS,
    plant=source("engine/positions.py", "along *= -2 * torch.pi", "along *= 2 * torch.pi"))
mutant("GUARD-CLI-018h", "x and y are exchanged in the positions' steps", POSITIONS,
    plant=source("engine/positions.py", "bx, by = along.unbind(dim=1)", "by, bx = along.unbind(dim=1)"))
mutant("GUARD-CLI-018i", "positions are told in the order of the solver's steps once they are refined", POSITIONS,
    plant=source("engine/solver.py", "positions=state.positions.cpu().numpy()[np.argsort(self.problem.numbers)]",
        "positions=state.positions.cpu().numpy()[slice(None) if self.settings.refine_positions else np.argsort("
        "self.problem.numbers)]"))
mutant("GUARD-CLI-019", "a resumed solver begins without momentum", f"{RESUMED}[object]", f"{RESUMED}[probe]",
    plant=source("engine/saved.py", "    solver.state = State(**state,",
        '    state |= {name: torch.zeros_like(state[name]) for name in ("object_velocity", "probe_velocity")}\n'
        "    solver.state = State(**state,"))
mutant("GUARD-CLI-019b", "a resumed solver deals the order of its patterns anew", f"{RESUMED}[positions]",
    plant=source("engine/solver.py", "default_rng([settings.seed, state.sweep])",
        "default_rng([settings.seed, len(made := self.__dict__.setdefault('made', [])), made.append(0) or 0])"))
mutant("GUARD-CLI-019c", "--sweeps counts from where a resumed solver stood", f"{RESUMED}[residuals]",
    plant=source("engine/saved.py", "sweep=len(residuals), settling=settling)", "sweep=0, settling=settling)"))
mutant("GUARD-CLI-019e", "a resumed solver has forgotten when its steps were halved", f"{SETTLES}[residuals]",
    plant=source("engine/saved.py", 'int(found["since"]), False)', "0, False)"))
mutant("GUARD-CLI-019f", "a resumed solver takes steps of full length again", f"{SETTLES}[residuals]", f"{SETTLES}[object]",
    plant=source("engine/saved.py", 'float(found["scale"])', "1.0"))
mutant("GUARD-CLI-019d", "any state is gone on from", OTHER,
    plant=source("engine/saved.py", "    _refuse_other(solver, found, words, path)\n", ""))
mutant("GUARD-CLI-086", "a solver goes on under another likelihood without a word", f"{CONTRADICTED}[likelihood]",
    plant=source("engine/saved.py", '"refine_positions", "likelihood")', '"refine_positions")'))
mutant("GUARD-CLI-086b", "a probe that was refined is kept from the middle on, without a word", f"{CONTRADICTED}[probe]",
    plant=source("engine/saved.py", '"settle", "refine_probe",', '"settle",'))
mutant("GUARD-CLI-020", "the engine's pictures of amplitude and phase are exchanged", f"{SHOWN}[amplitude]", f"{SHOWN}[phase]",
    plant=source("cli/solution.py", '{"amplitude": view.draw_amplitude, "phase": view.draw_phase}',
        '{"phase": view.draw_amplitude, "amplitude": view.draw_phase}'))
mutant("GUARD-CLI-020b", "the network's pictures of amplitude and phase are exchanged", f"{SEEN}[amplitude]", f"{SEEN}[phase]",
    plant=source("cli/pictures.py", '{"amplitude": view.draw_amplitude, "phase": view.draw_phase}',
        '{"phase": view.draw_amplitude, "amplitude": view.draw_phase}'))
mutant("GUARD-CLI-020c", "pictures have their first row at the bottom", f"{SHOWN}[amplitude]", f"{SEEN}[phase]",
    plant=source("cli/panels.py", "axes.imshow(values, cmap=colours, vmin=low, vmax=high, extent=extent,",
        "axes.imshow(values[::-1], cmap=colours, vmin=low, vmax=high, extent=extent,"))
mutant("GUARD-CLI-021", "the first object that evaluate is given is the reference", GAUGE,
    plant=source("cli/evaluate.py", "*images, truth = (read(name) for name in args.objects)",
        "truth, *images = (read(name) for name in args.objects)"))
mutant("GUARD-CLI-021b", "the table of evaluate has the first object's figures for all", ERRORS,
    plant=source("cli/evaluate.py", "rows = [figures.row() for figures in found]",
        'rows = [{**found[0].row(), "name": figures.name} for figures in found]'))
mutant("GUARD-CLI-021c", "evaluate talks where it is told to be quiet", ERRORS,
    plant=source("cli/evaluate.py", "say = Reporter(args.quiet)", "say = Reporter(False)"))
mutant("GUARD-CLI-022", "--refine makes one sweep, however many it is told", REFINED,
    plant=source("cli/refine.py", "Settings(sweeps=args.refine, seed=args.seed)", "Settings(sweeps=1, seed=args.seed)"))
mutant("GUARD-CLI-022b", "a refinement begins with nothing", BEGUN,
    plant=source("cli/refine.py", "device, told, before=begin)", "device, told)"))
mutant("GUARD-CLI-022c", "the engine refines a record that the stitching saw mirrored", TURNED,
    plant=source("cli/infer.py", "    refine.refuse_turned(args)\n", ""))
mutant("GUARD-CLI-023", "fine-tuning begins with drawn weights", WEIGHTS,
    plant=source("cli/labels.py", 'return {"start_from": models["diffraction_to_obj"].state_dict()}', "return {}"))
mutant("GUARD-CLI-023b", "a flag that contradicts the bundle is overruled without a word", GRID,
    plant=source("cli/labels.py", "if name in args.typed and given != value:", "if False:"))
mutant("GUARD-CLI-064", "halves that cannot be compared cost the solution",
    "CLI-064:a_figure_that_cannot_be_made_costs_no_result",
    plant=source("cli/reconstruct.py", "        return None, ContractError(field=", "        raise ContractError(field="))
mutant("GUARD-CLI-022d", "a refinement begins with twenty pixels of each patch",
    "CLI-022:a_refinement_begins_with_the_object_of_its_crop",
    plant=source("cli/refine.py", 'offsets=results["global_offsets"], M=args.stitch_crop_size)',
        'offsets=results["global_offsets"], M=20)'))
mutant("GUARD-CLI-081", "a model of counts draws its exposures with a seed of its own",
    "CLI-081:counts_are_inferred_of_what_the_seed_chooses",
    plant=source("cli/counted.py", '"subsample_seed": args.seed, "backend"', '"subsample_seed": 42, "backend"'))
mutant("GUARD-CLI-081b", "a model of counts places all exposures, however many it is told",
    "CLI-081:counts_are_inferred_of_what_the_seed_chooses",
    plant=source("cli/counted.py", '    groups = len(record) if args.n_groups == "all" else args.n_groups\n',
        "    groups = len(record)\n"))
mutant("GUARD-CLI-104", "an engine calls covered what no light fell on", "CLI-104:what_an_engine_calls_covered_is_lit",
    plant=source("engine/solver.py", "covered=(self.light() > COVERED)", "covered=(self.light() < COVERED)"))
mutant("GUARD-CLI-019g", "--checkpoint leaves a state at every tenth sweep alone",
    "CLI-019:a_resumed_reconstruction_is_the_whole_one[object]",
    plant=source("cli/reconstruct.py",
        "(number % SAVES == 0 or number == self.sweeps or solver.state.settling.done)", "number % SAVES == 0"))
