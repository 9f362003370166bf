"""``limpid inspect`` and ``limpid convert``: what a file is, and the same network in a safe one."""

import json

import pytest
import torch
from safetensors import safe_open

from limpid import create_model, load
from limpid.checkpoints import file
from limpid.weights import manifest


@pytest.fixture
def published(tmp_path):
    """A training file as authors publish it."""
    torch.manual_seed(0)
    state = create_model("limpid", "tiny").state_dict()
    path = tmp_path / "theirs_060.pt"
    torch.save({"icnn": state, "opt_g": {"state": {}}, "epoch": 60, "iterations": 463920}, path)
    return path


def test_inspect_says_what_a_foreign_file_is(limpid, published):
    done = limpid("inspect", published)
    assert done.code == 0, done.err
    assert done.lines[0] == f"{published}: limpid (tiny), reflection; layers transmission, reflection"
    for text in (
        "width=8",
        "parameters  ",
        "float32",
        "sha256",
        "licence     not stated in the file",
        "layout      icnn",
        '"iterations": 463920',
    ):
        assert text in done.out


def test_inspect_as_json(limpid, published):
    row = json.loads(limpid("inspect", published, "--json").out)
    network = create_model("limpid", "tiny")
    assert row["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert (row["model"], row["size"], row["bytes"]) == ("limpid", "tiny", published.stat().st_size)
    assert row["notes"]["says"] == {"epoch": 60, "iterations": 463920}


def test_inspect_knows_the_shipped_weights(limpid):
    row = manifest.rows()["limpid"]
    out = limpid("inspect", manifest.locate("limpid")).out
    assert f"licence     {row.licence}" in out
    assert f"trained on  {row.trained_on}" in out
    assert "float16" in out


def test_inspect_of_what_is_no_weight_file(limpid, tmp_path):
    page = tmp_path / "w.pt"
    page.write_text("<html>sign in</html>")
    done = limpid("inspect", page)
    assert done.code == 1
    assert "web page" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert limpid("inspect", tmp_path / "gone.pt").code == 1


def test_convert_writes_a_file_that_says_what_it_is(limpid, published, tmp_path):
    out = tmp_path / "safe.safetensors"
    done = limpid("convert", published, out)
    assert done.code == 0, done.err
    assert f"{out}: limpid (tiny)" in done.out
    with safe_open(out, framework="pt") as opened:
        assert json.loads(opened.metadata()["limpid"])["model"] == "limpid"
    before, after = file.read(published), file.read(out)
    assert all(torch.equal(before.tensors[name], tensor) for name, tensor in after.tensors.items())
    assert after.notes["says"] == {"epoch": 60, "iterations": 463920}
    photo = torch.rand(3, 40, 50)
    assert torch.equal(load(published)(photo).transmission, load(out)(photo).transmission)


def test_convert_refuses_to_overwrite_and_other_endings(limpid, published, tmp_path):
    out = tmp_path / "safe.safetensors"
    out.write_bytes(b"mine")
    done = limpid("convert", published, out)
    assert done.code == 2
    assert "--overwrite" in done.err
    assert out.read_bytes() == b"mine"
    assert limpid("convert", published, out, "--overwrite").code == 0
    for wrong, message in (("safe.pt", "must end in .safetensors"), ("gone/safe.safetensors", "is no folder")):
        done = limpid("convert", published, tmp_path / wrong)
        assert done.code == 2
        assert message in done.err


def test_a_foreign_file_separates_a_photo(limpid, published, photo, tmp_path):
    done = limpid("separate", photo, "-m", f"theirs={published}", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("command", ["inspect", "convert"])
def test_both_commands_explain_themselves(limpid, command):
    done = limpid(command, "--help")
    assert done.code == 0
    assert "Usage" in done.out


def test_averaged_or_raw_weights_of_a_file_with_both(limpid, tmp_path, photo):
    torch.manual_seed(0)
    raw, averaged = (create_model("limpid", "tiny").state_dict() for _ in range(2))
    path = tmp_path / "both.pth"
    torch.save({"net_g": raw, "net_g_ema": averaged}, path)
    assert "takes the averaged weights (net_g_ema); --weights raw takes the raw ones (net_g)" in limpid("inspect", path).out
    for weights, state in ((None, averaged), ("raw", raw)):
        wanted = () if weights is None else ("--weights", weights)
        done = limpid("convert", path, tmp_path / f"{weights}.safetensors", *wanted)
        assert done.code == 0, done.err
        found = file.read(tmp_path / f"{weights}.safetensors").tensors
        assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
        done = limpid("separate", photo, "-m", path, "-o", tmp_path / f"{weights}", *wanted)
        assert done.code == 0, done.err
        assert f"note: both.pth takes the {weights or 'averaged'} weights" in done.err
    assert limpid("inspect", path, "--weights", "mean").code == 2


def test_settings_that_no_tensor_shows_can_be_stated(limpid, tmp_path):
    path, out = tmp_path / "w.pth", tmp_path / "w.safetensors"
    torch.save(create_model("unet", "tiny").state_dict(), path)
    assert "its activation leaves no trace" in limpid("inspect", path).out
    done = limpid("convert", path, out, "activation=leaky_relu")
    assert done.code == 0, done.err
    assert "activation=leaky_relu" in done.out
    assert "leaves no trace" not in done.out
    for wrong, message in (("activation", "KEY=VALUE"), ("width=5", "does not fit"), ("colour=1", "no setting named 'colour'")):
        done = limpid("convert", path, out, wrong, "--overwrite")
        assert done.code in (1, 2)
        assert message in done.err


def test_a_folder_of_an_experiment_opens_its_newest_generator(limpid, tmp_path, photo):
    torch.manual_seed(0)
    for step in (900, 1000):
        (tmp_path / "run/models").mkdir(parents=True, exist_ok=True)
        torch.save({"params": create_model("limpid", "tiny").state_dict()}, tmp_path / f"run/models/net_g_{step}.pth")
    assert "net_g_1000.pth: limpid (tiny)" in limpid("inspect", tmp_path / "run").out
    done = limpid("separate", photo, "-m", tmp_path / "run", "-o", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert load(tmp_path / "run").sha256 == load(tmp_path / "run/models/net_g_1000.pth").sha256


def test_the_residue_of_dsrnet_is_written(limpid, tmp_path, photo, published):
    torch.save(create_model("dsrnet", "tiny").state_dict(), tmp_path / "dsr.pth")
    words = ("separate", photo, "--layers", "T,residue", "-o", tmp_path / "out", "--backbone-weights", "none")
    done = limpid(*words, "-m", tmp_path / "dsr.pth")
    assert done.code == 0, done.err
    assert sum("residue" in path.name for path in (tmp_path / "out").iterdir()) == 1
    done = limpid(*words[:-2], "-m", published, "--overwrite")
    assert done.code != 0
    assert "learnt no residue" in done.err
