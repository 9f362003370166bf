"""Which photos become which files, checked before anything starts."""

from dataclasses import asdict
from json import dumps

import pytest

from limpid.errors import UsageError
from limpid.runtime.options import DecomposeOptions, PhotoOptions
from limpid.scale.photo_rows import PhotoRow, plan_rows
from pictures import picture


def options(*photos, output, **more):
    return PhotoOptions(photos=tuple(map(str, photos)), output=str(output), engine="ray", **more)


def test_folders_are_mirrored(tmp_path):
    picture(tmp_path / "in/a.jpg")
    picture(tmp_path / "in/deep/b.png")
    picture(tmp_path / "in/a.transmission.jpg")
    (tmp_path / "in/c.nef").write_bytes(b"x")
    planned = plan_rows(options(tmp_path / "in", output=tmp_path / "out"), "reflection")
    assert [(row.source, row.folder) for row in planned.rows] == [
        (str(tmp_path / "in/a.jpg"), str(tmp_path / "out")),
        (str(tmp_path / "in/deep/b.png"), str(tmp_path / "out/deep")),
    ]
    assert list(planned.unread.values()) == ["raw"]
    assert PhotoRow.from_json(dumps(asdict(planned.rows[0]))) == planned.rows[0]


def test_addresses_are_mirrored_and_done_ones_left_out(memory):
    for name in ("in/a.jpg", "in/deep/b.PNG", "in/b.reflection.jpg", "in/notes.txt"):
        memory.pipe_file(f"/{name}", b"x")
    planned = plan_rows(options("memory://in", output="memory://out"), "reflection", done={"memory:///in/a.jpg"})
    assert [(row.source, row.folder) for row in planned.rows] == [("memory:///in/deep/b.PNG", "memory://out/deep")]
    assert planned.skipped == ("memory:///in/a.jpg",)
    with pytest.raises(UsageError, match="no photo there"):
        plan_rows(options("memory://in/notes.txt", output="memory://out"), "reflection")


def test_what_exists_is_refused_kept_or_replaced(tmp_path):
    for name in "abc":
        picture(tmp_path / f"in/{name}.jpg")
    for name in ("a.transmission.jpg", "a.reflection.jpg", "b.transmission.jpg"):
        picture(tmp_path / "out" / name)
    here = {"output": tmp_path / "out"}
    with pytest.raises(UsageError, match=r"a.transmission.jpg: it exists"):
        plan_rows(options(tmp_path / "in", **here), "reflection")
    kept = plan_rows(options(tmp_path / "in", **here, skip_existing=True), "reflection")
    assert kept.skipped == (str(tmp_path / "in/a.jpg"),)
    assert [row.keep for row in kept.rows] == [("b.transmission.jpg",), ()]
    for more in ({"overwrite": True}, {"resume": True}):
        assert [row.keep for row in plan_rows(options(tmp_path / "in", **here, **more), "reflection").rows] == [(), (), ()]


def test_collisions_are_refused(tmp_path):
    picture(tmp_path / "in/a.jpg")
    picture(tmp_path / "in/a.png")
    with pytest.raises(UsageError, match="would both be written"):
        plan_rows(options(tmp_path / "in", output=tmp_path / "out", format="png"), "reflection")
    assert [row.alone for row in plan_rows(options(tmp_path / "in", output=tmp_path / "out"), "reflection").rows] == [False] * 2
    named = [picture(tmp_path / "in" / name) for name in ("b.jpg", "b.transmission.jpg")]
    with pytest.raises(UsageError, match="also an input"):
        plan_rows(options(*named, output=tmp_path / "in"), "reflection")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"output": None}, "needs -o FOLDER"),
        ({"output": "x.png"}, "needs -o FOLDER"),
        ({"photos": ("-",)}, "no pipe"),
        ({"jobs": 2}, "--jobs is for one machine"),
        ({"compare": True}, "--compare is for one machine"),
        ({"resume": True, "overwrite": True}, "leave out --overwrite"),
    ],
)
def test_what_makes_no_sense_with_workers_is_refused(more, said):
    wanted = {"photos": ("x.jpg",), "output": "out", "engine": "ray", **more}
    with pytest.raises(UsageError, match=said):
        plan_rows(DecomposeOptions(**wanted), "intrinsic")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(UsageError, match="it is a file"):
        plan_rows(options(picture(tmp_path / "a.jpg"), output=tmp_path / "out"), "reflection")


@pytest.mark.parametrize("more", [{"workers": 2}, {"threads": 1}, {"address": "auto"}, {"resume": True}])
def test_options_of_ray_need_ray(more):
    with pytest.raises(UsageError, match="for --engine ray"):
        PhotoOptions(photos=("x.jpg",), **more)
