"""What names files and folders in a recipe is made absolute, and nothing else."""

from limpid.recipe.absolute import absolute
from limpid.recipe.load import dump, load, plain
from training_samples import recipe


def test_paths_that_are_there_become_absolute_wherever_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("train", "more", "held", "shots", "kernels", "glass"):
        (tmp_path / name).mkdir()
    (tmp_path / "start.safetensors").touch()
    blur = {"name": "motion_blur", "kernels": "kernels"}
    train = [
        {"name": "mixture", "transmission": "train, more", "reflection": ["more"], "mixtures": [{"name": "subtractive"}]},
        {"name": "degraded", "root": "train", "degradations": [blur]},
        {"name": "unpaired", "photos": "glass", "layers": {"transmission": "train", "reflection": "missing"}},
    ]
    changes = {"data": {"train": train, "validate": []}, "log": {"photos": "shots"}, "train": {"init": "start.safetensors"}}
    before = load(recipe(tmp_path / "one.yaml", changes)).recipe
    found = plain(absolute(before))
    here = str(tmp_path)
    first, second, third = found["data"]["train"]
    assert (first["transmission"], first["reflection"]) == (f"{here}/train,{here}/more", [f"{here}/more"])
    assert first["mixtures"] == [{"name": "subtractive"}]
    assert (second["root"], second["degradations"][0]["kernels"]) == (f"{here}/train", f"{here}/kernels")
    assert third["layers"] == {"transmission": f"{here}/train", "reflection": "missing"}
    assert (found["log"]["photos"], found["train"]["init"]) == (f"{here}/shots", f"{here}/start.safetensors")
    monkeypatch.chdir("/")
    assert absolute(absolute(before)) == absolute(before)
    assert "start.safetensors" in dump(before)


def test_shipped_weights_and_names_stay_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subtractive").mkdir()
    before = load(recipe(tmp_path / "one.yaml", {"train": {"init": "limpid"}}), ["PHOTOS=train", "HELD=held"]).recipe
    assert absolute(before) == before
