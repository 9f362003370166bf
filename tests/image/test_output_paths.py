"""What naming promises: every output known and allowed before any work starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from limpid.errors import UnknownNameError, UsageError
from limpid.image.find import find, is_own_output
from limpid.image.formats import canonical
from limpid.image.output_paths import plan_outputs
from photo_samples import encoded, picture

LAYERS = ("transmission", "reflection")


def shot(path: Path, format: str = "JPEG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(picture(), format))
    return path


def plan(*inputs: Path, output: Path | None = None, layers: tuple[str, ...] = LAYERS, **settings: object) -> list[dict[str, str]]:
    planned = plan_outputs(find(inputs).photos, output=output, layers=layers, **settings)
    return [{layer: str(path) for layer, path in job.outputs.items()} for job in planned.jobs]


def test_beside_the_photo(tmp_path):
    photo = shot(tmp_path / "photo.jpg")
    assert plan(photo) == [{layer: str(tmp_path / f"photo.{layer}.jpg") for layer in LAYERS}]


def test_the_extension_is_kept_as_spelled(tmp_path):
    for name, format in (("a.JPEG", "JPEG"), ("b.Tif", "TIFF"), ("c.two.dots.png", "PNG")):
        photo = shot(tmp_path / name, format)
        stem, dot, extension = name.rpartition(".")
        assert plan(photo, layers=("reflection",)) == [{"reflection": str(tmp_path / f"{stem}.reflection{dot}{extension}")}]


def test_a_folder_mirrors_the_tree(tmp_path):
    shot(tmp_path / "in" / "a.jpg")
    shot(tmp_path / "in" / "deep" / "b.jpg")
    out = tmp_path / "out"
    found = [job["transmission"] for job in plan(tmp_path / "in", output=out)]
    assert found == [str(out / "a.transmission.jpg"), str(out / "deep" / "b.transmission.jpg")]
    assert not out.exists()  # planning touches nothing


def test_an_output_folder_inside_the_input_is_not_read_again(tmp_path):
    shot(tmp_path / "a.jpg")
    out = tmp_path / "out"
    first = plan(tmp_path, output=out)
    for job in first:
        for path in job.values():
            shot(Path(path))
    assert plan(tmp_path, output=out, overwrite=True) == first


def test_a_file_takes_the_primary_layer(tmp_path):
    photo = shot(tmp_path / "photo.jpg")
    assert plan(photo, output=tmp_path / "clean.png") == [{"transmission": str(tmp_path / "clean.png")}]
    with pytest.raises(UsageError, match="2 photos"):
        plan(photo, shot(tmp_path / "b.jpg"), output=tmp_path / "clean.png")
    with pytest.raises(UsageError, match="no such folder"):
        plan(photo, output=tmp_path / "missing" / "clean.png")
    with pytest.raises(UsageError, match="--format"):
        plan(photo, output=tmp_path / "clean.png", format="webp")
    with pytest.raises(UsageError, match="GIF"):
        plan(photo, output=tmp_path / "clean.gif")


def test_formats(tmp_path):
    photo = shot(tmp_path / "photo.jpg")
    assert plan(photo, format="png", layers=("reflection",)) == [{"reflection": str(tmp_path / "photo.reflection.png")}]
    assert plan(photo, format="jpeg", layers=("reflection",)) == [{"reflection": str(tmp_path / "photo.reflection.jpg")}]
    assert plan(photo, format="same") == plan(photo)
    with pytest.raises(UnknownNameError, match="png"):
        plan(photo, format="pgn")
    gif = plan_outputs(find([shot(tmp_path / "x.gif", "GIF")]).photos, output=None, layers=("reflection",)).jobs[0]
    assert gif.outputs["reflection"].name == "x.reflection.png"
    assert "PNG" in gif.notes[0]
    wrong = shot(tmp_path / "wrong.jpg", "PNG")
    assert plan(wrong, layers=("reflection",)) == [{"reflection": str(tmp_path / "wrong.reflection.png")}]
    assert [canonical(name) for name in ("JPG", ".tif", "WebP", "tiff", "avif", "Bmp")] == [
        "JPEG",
        "TIFF",
        "WEBP",
        "TIFF",
        "AVIF",
        "BMP",
    ]


def test_collisions_name_both_photos(tmp_path):
    photos = shot(tmp_path / "one" / "x.jpg"), shot(tmp_path / "two" / "x.jpg")
    with pytest.raises(UsageError, match=r"one/x\.jpg and .*two/x\.jpg"):
        plan(*photos, output=tmp_path / "out")
    assert len(plan(*photos)) == 2
    with pytest.raises(UsageError, match=r"x\.png and .*x\.webp"):
        plan(shot(tmp_path / "x.png", "PNG"), shot(tmp_path / "x.webp", "WEBP"), format="jpg")
    with pytest.raises(UsageError, match="both be written"):
        plan(shot(tmp_path / "one" / "y.jpg"), shot(tmp_path / "two" / "Y.jpg"), output=tmp_path / "out")


def test_an_input_is_never_an_output(tmp_path):
    photo = shot(tmp_path / "photo.jpg")
    other = shot(tmp_path / "photo.transmission.jpg")
    with pytest.raises(UsageError, match="also an input"):
        plan(photo, output=photo, overwrite=True)
    with pytest.raises(UsageError, match="also an input"):
        plan(photo, other, overwrite=True)
    os.symlink(photo, tmp_path / "link.jpg")
    with pytest.raises(UsageError, match="also an input"):
        plan(photo, output=tmp_path / "link.jpg", overwrite=True)
    os.link(photo, tmp_path / "hard.jpg")
    with pytest.raises(UsageError, match="also an input"):
        plan(photo, output=tmp_path / "hard.jpg", overwrite=True)


def test_what_exists_is_kept_unless_asked_for(tmp_path):
    photo = shot(tmp_path / "photo.jpg")
    existing = shot(tmp_path / "photo.transmission.jpg")
    with pytest.raises(UsageError, match="--overwrite"):
        plan(photo)
    assert len(plan(photo, overwrite=True)[0]) == 2
    assert plan(photo, skip_existing=True) == [{"reflection": str(tmp_path / "photo.reflection.jpg")}]
    shot(tmp_path / "photo.reflection.jpg")
    planned = plan_outputs(find([photo]).photos, output=None, layers=LAYERS, skip_existing=True)
    assert (planned.jobs, planned.skipped) == ((), (photo,))
    existing.unlink()
    existing.mkdir()
    with pytest.raises(UsageError, match="folder"):
        plan(photo, overwrite=True)


def test_folders_that_cannot_be_written_to(tmp_path, monkeypatch):
    photo = shot(tmp_path / "photo.jpg")
    with pytest.raises(UsageError, match="is a file"):
        plan(photo, output=photo / "below")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere, so chmod proves nothing
    with pytest.raises(UsageError, match="no permission"):
        plan(photo)
    with pytest.raises(UsageError, match="no permission"):
        plan(photo, output=tmp_path / "new" / "folder")


def test_names_at_the_limit_of_the_file_system(tmp_path):
    photos = [shot(tmp_path / ("ü" * 125 + f"{number}.jpg")) for number in range(2)]
    planned = plan_outputs(find(photos).photos, output=None, layers=LAYERS)
    paths = [path for job in planned.jobs for path in job.outputs.values()]
    assert len(set(paths)) == 4
    for path in paths:
        assert len(os.fsencode(path.name)) <= 255
        assert is_own_output(path)
        shot(path)
    assert "shortened" in planned.jobs[0].notes[0]


def test_a_pipe_needs_a_name():
    with pytest.raises(UsageError, match="standard input"):
        plan_outputs(find(["-"]).photos, output=None, layers=LAYERS)


def test_planning_needs_no_torch():
    code = "import sys, limpid.image.find, limpid.image.output_paths; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
