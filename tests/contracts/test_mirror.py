"""Every module is tested: in a file of its own name, or where the table says."""

from fnmatch import fnmatch
from pathlib import Path

import pytest

import limpid

SOURCE = Path(limpid.__file__).parent
TESTS = Path(__file__).parents[1]

TABLE = {
    "_version.py": "contracts/test_project_files.py",
    "epochs.py": "training/test_schedules.py",
    "errors.py": "contracts/test_docstrings.py",
    "files.py": "image/test_write.py",
    "options.py": "cli/test_other_commands.py",
    "backbones/*": "backbones/test_backbones.py",
    "blocks/cascade.py": "parity/test_ibcln.py",
    "blocks/focalnet.py": "parity/test_rdnet.py",
    "blocks/windows.py": "parity/test_dsit.py",
    "blocks/exchange.py": "parity/test_ytmt.py",
    "blocks/latent_*.py": "models/test_sils.py",
    "blocks/retinex.py": "models/test_intrinsic.py",
    "blocks/skip_network.py": "runtime/test_double_dip.py",
    "blocks/mamba.py": "parity/test_dsrnet.py",
    "blocks/munit.py": "parity/test_usi3d.py",
    "blocks/naf*.py": "parity/test_restoration.py",
    "blocks/resize.py": "parity/test_ibcln.py",
    "blocks/scan/*": "blocks/test_scan.py",
    "blocks/weight_init.py": "training/test_initialise.py",
    "checkpoints/convert/*": "parity/test_cases.py",
    "checkpoints/onnx_file.py": "runtime/test_onnx_network.py",
    "checkpoints/inspect.py": "cli/test_inspect_convert.py",
    "cli/photo.py": "cli/test_separate.py",
    "cli/stops.py": "cli/test_synthesise.py",
    "cli/convert.py": "cli/test_inspect_convert.py",
    "cli/inspect.py": "cli/test_inspect_convert.py",
    "cli/*": "cli/test_other_commands.py",
    "data/archive.py": "data/test_raw_archives.py",
    "data/augment.py": "data/test_augmentation.py",
    "data/corrupt_files.py": "data/test_corrupt_photos.py",
    "data/concat.py": "data/test_training_stream.py",
    "data/stream.py": "data/test_training_stream.py",
    "data/single_thread.py": "data/test_loader.py",
    "data/layout.py": "data/test_sets.py",
    "data/cgintrinsics_shading.py": "data/test_intrinsic_layout.py",
    "data/sets/*": "data/test_sets.py",
    "data/sizes.py": "training/test_rehearsal.py",
    "data/pair*.py": "data/test_pair_folders.py",
    "data/preprocessing.py": "data/test_sets.py",
    "data/sources/*": "data/test_sources.py",
    "data/photo_folders.py": "data/test_sources.py",
    "data/options.py": "cli/test_synthesise.py",
    "data/photographs.py": "cli/test_synthesise.py",
    "data/provenance.py": "cli/test_synthesise.py",
    "data/synthesis_kinds.py": "cli/test_synthesise.py",
    "evaluation/publish_options.py": "evaluation/test_publish.py",
    "evaluation/model_card.py": "evaluation/test_publish.py",
    "evaluation/protocols.py": "metrics/test_golden.py",
    "evaluation/report/*": "evaluation/test_report.py",
    "evaluation/table*.py": "evaluation/test_tables.py",
    "evaluation/items.py": "evaluation/test_scoring.py",
    "evaluation/results.py": "evaluation/test_scoring.py",
    "evaluation/*": "cli/test_evaluate.py",
    "image/cicp.py": "image/test_colour_tags.py",
    "image/icc.py": "image/test_colour_tags.py",
    "image/isobmff.py": "image/test_colour_tags.py",
    "image/png_chunks.py": "image/test_colour_tags.py",
    "image/xmp.py": "image/test_claims.py",
    "image/iptc.py": "image/test_claims.py",
    "image/exif.py": "image/test_orientation.py",
    "image/upright.py": "image/test_orientation.py",
    "image/tiff_file.py": "image/test_tiff_pages.py",
    "image/read_heif.py": "image/test_heif.py",
    "image/read_ppm.py": "image/test_ppm.py",
    "image/encode.py": "image/test_write.py",
    "image/contact_sheet.py": "cli/test_synthesise.py",
    "image/size.py": "runtime/test_separator.py",
    "image/resample.py": "runtime/test_separator.py",
    "image/*": "image/test_read.py",
    "layers/context.py": "blocks/test_global_context.py",
    "layers/network.py": "contracts/test_models.py",
    "layers/pixels.py": "image/test_write.py",
    "layers/batch.py": "data/test_collate.py",
    "layers/pair.py": "data/test_collate.py",
    "layers/*": "runtime/test_separator.py",
    "losses/*distillation.py": "losses/test_distillation.py",
    "losses/_features.py": "losses/test_perceptual.py",
    "losses/contextual.py": "losses/test_perceptual.py",
    "losses/ibcln_*.py": "losses/test_scene_losses.py",
    "losses/*": "contracts/test_losses.py",
    "metrics/lpips_*.py": "metrics/test_lpips.py",
    "metrics/psnr_*.py": "metrics/test_psnr.py",
    "metrics/*ssim*.py": "metrics/test_ssim.py",
    "metrics/*": "contracts/test_metrics.py",
    "models/*": "parity/test_restoration.py",
    "physics/degradation*": "physics/test_degradations.py",
    "physics/blur.py": "physics/test_conditions.py",
    "physics/formation.py": "physics/test_mixture_contract.py",
    "physics/mixtures/*": "physics/test_mixture_constants.py",
    "physics/pane.py": "physics/test_glass.py",
    "physics/intrinsic_scenes.py": "cli/test_decompose.py",
    "physics/toy_layers.py": "training/procedures/test_unsupervised.py",
    "physics/seeds.py": "data/test_sources.py",
    "physics/scenes/*": "physics/test_scenes.py",
    "physics/leaves/occlusion_*.py": "physics/leaves/test_occlusion.py",
    "physics/leaves/presets.py": "physics/leaves/test_published.py",
    "physics/leaves/*": "physics/leaves/test_chart.py",
    "recipe/errors.py": "recipe/test_load.py",
    "recipe/signature.py": "recipe/test_settings.py",
    "remote/*": "remote/test_kaggle.py",
    "runtime/batch.py": "cli/test_separate.py",
    "runtime/photo_jobs.py": "cli/test_separate.py",
    "runtime/options.py": "cli/test_separate.py",
    "runtime/device.py": "runtime/test_separator.py",
    "runtime/*": "cli/test_other_commands.py",
    "scale/photos.py": "cli/test_by_workers.py",
    "training/procedures/supervised.py": "training/test_learning.py",
    "training/dry_run.py": "cli/test_train.py",
    "training/load_recipe.py": "contracts/test_recipes.py",
    "training/*": "training/test_trainer.py",
    "web/compare_page.py": "web/test_comparison.py",
    "web/measurements.py": "web/test_comparison.py",
    "web/data_*.py": "web/test_comparison.py",
    "web/controls.py": "web/test_comparison.py",
    "web/clean_page.py": "web/test_app_browser.py",
    "web/page.py": "web/test_app_browser.py",
    "web/run_page.py": "web/test_app_browser.py",
    "web/photo_input.py": "web/test_app_browser.py",
    "web/toasts.py": "web/test_app_browser.py",
    "web/*": "web/test_api.py",
    "weights/safe_pickle.py": "weights/test_containers.py",
}
"""Pattern of modules → where they are tested; the first row that fits counts."""

MODULES = sorted(
    path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py")
)
NAMES = {path.name for path in TESTS.rglob("test_*.py")}


def own_test(module):
    return f"test_{Path(module).stem.lstrip('_')}.py" in NAMES


def row(module):
    return next((pattern for pattern in TABLE if fnmatch(module, pattern)), None)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_tested_where_one_looks_for_it(module):
    assert own_test(module) or row(module), f"write tests/{Path(module).parent}/test_{Path(module).stem}.py, or name it in TABLE"


@pytest.mark.parametrize(("pattern", "place"), TABLE.items())
def test_every_row_is_needed_and_true(pattern, place):
    assert (TESTS / place).is_file()
    assert any(row(module) == pattern and not own_test(module) for module in MODULES)
