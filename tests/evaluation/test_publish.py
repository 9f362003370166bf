"""A folder that a model hub takes."""

import json

import pytest
import yaml

from limpid import load
from limpid.checkpoints import file
from limpid.errors import UsageError
from limpid.evaluation.publish import publish
from limpid.evaluation.publish_options import PublishOptions
from limpid.files import sha256
from limpid.weights import manifest


def report(folder, weights):
    """What an evaluation of two images leaves, one of them failed on the second model."""
    folder.mkdir()
    score = {"set": "kodak24", "item": "1", "model": "mine", "conditions": {"noise": 25.0}, "error": ""}
    scores = [
        {**score, "values": {"psnr": 30.0, "ssim": None}},
        {**score, "item": "2", "values": {"psnr": 32.0, "ssim": 0.9}},
        {**score, "item": "3", "values": {}, "error": "gone"},
        {**score, "model": "input", "values": {"psnr": 1.0}},
    ]
    data = {
        "protocol": "restoration",
        "models": [{"label": "input", "weights": ""}, {"label": "mine", "weights": weights}],
        "metrics": [{"name": "psnr", "title": "PSNR"}, {"name": "ssim", "title": "SSIM"}],
        "scores": scores,
    }
    (folder / "results.json").write_text(json.dumps(data))
    return folder


def head(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])


def test_a_shipped_network_is_published_with_its_scores(tmp_path):
    weights = manifest.rows()["limpid_denoise"].sha256
    options = PublishOptions(
        weights="limpid_denoise", folder=tmp_path / "mine", report=report(tmp_path / "report", weights), tags=("photos",)
    )
    paths = publish(options)
    assert sorted(path.name for path in paths) == ["README.md", "config.json", "model.safetensors"]
    config = json.loads((tmp_path / "mine/config.json").read_text())
    assert (config["model"], config["licence"]) == ("nafnet", "Apache-2.0")
    assert config["sha256"] == sha256(tmp_path / "mine/model.safetensors")
    card = head(tmp_path / "mine")
    assert card["license"] == "apache-2.0"
    assert (card["library_name"], card["pipeline_tag"]) == ("limpid", "image-to-image")
    assert {"denoising", "nafnet", "photos"} <= set(card["tags"])
    (results,) = card["model-index"][0]["results"]
    assert results["dataset"]["name"] == "kodak24 noise 25.0"
    assert [(metric["type"], metric["value"]) for metric in results["metrics"]] == [("psnr", 31.0), ("ssim", 0.9)]
    text = (tmp_path / "mine/README.md").read_text(encoding="utf-8")
    assert "| kodak24 noise 25.0 | PSNR | 31.0000 | 2 |" in text
    assert "limpid denoise photo.jpg -m hf-hub:OWNER/mine" in text
    assert load(tmp_path / "mine/model.safetensors", device="cpu").model == "nafnet"


def test_the_hub_reads_the_card(tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    weights = manifest.rows()["limpid_denoise"].sha256
    publish(PublishOptions(weights="limpid_denoise", folder=tmp_path / "mine", report=report(tmp_path / "report", weights)))
    data = hub.ModelCard.load(tmp_path / "mine/README.md").data
    assert data.license == "apache-2.0"
    assert [(result.metric_type, result.metric_value) for result in data.eval_results] == [("psnr", 31.0), ("ssim", 0.9)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "a/b"}, "no name for a hub"),
        ({"report": "gone"}, "No such file"),
        ({"report": "other"}, "no scores of these weights"),
        ({"report": "foreign"}, "no report of limpid evaluate"),
    ],
)
def test_what_cannot_be_published_leaves_nothing(tmp_path, monkeypatch, more, said):
    monkeypatch.chdir(tmp_path)
    report(tmp_path / "other", "0" * 64)
    (tmp_path / "foreign").write_text("[]")
    given = {key: tmp_path / value if key == "report" else value for key, value in more.items()}
    with pytest.raises(UsageError, match=said):
        publish(PublishOptions(weights="limpid_denoise", folder=tmp_path / "mine", **given))
    assert not (tmp_path / "mine").exists()


def test_nothing_is_overwritten_and_nobody_has_to_guess(tmp_path):
    publish(PublishOptions(weights="limpid_deblur", folder=tmp_path / "mine"))
    with pytest.raises(UsageError, match="add --overwrite"):
        publish(PublishOptions(weights="limpid_deblur", folder=tmp_path / "mine"))
    publish(PublishOptions(weights="limpid_deblur", folder=tmp_path / "mine", overwrite=True, licence="CC-BY-4.0", data="ours"))
    assert head(tmp_path / "mine")["license"] == "cc-by-4.0"
    bare = tmp_path / "bare.safetensors"
    found = file.read(tmp_path / "mine/model.safetensors")
    file.save(bare, file.Checkpoint(model=found.model, settings=found.settings, tensors=found.tensors, notes={}))
    for stated, flag in (({}, "--licence"), ({"licence": "mit"}, "--data")):
        with pytest.raises(UsageError, match=flag):
            publish(PublishOptions(weights=str(bare), folder=tmp_path / "other", **stated))
