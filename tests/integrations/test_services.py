"""The container and the service start the app as it wants to be started, with as few rights as it needs."""

import configparser
import json
import re
import shlex
import shutil
import subprocess

import pytest
import typer
import yaml

from limpid.web.connections import _DRAIN
from scripts import ROOT

DOCKERFILE = ROOT / "integrations" / "container" / "Dockerfile"
COMPOSE = yaml.safe_load((ROOT / "integrations" / "container" / "compose.yaml").read_text(encoding="utf-8"))
UNIT = ROOT / "integrations" / "systemd" / "limpid.service"


def instructions():
    """(word, rest) of every instruction, continued lines joined."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def all_of(word):
    return [rest for found, rest in instructions() if found == word]


def understood(words):
    """What the command line makes of ``limpid app WORDS``; raises for what it does not know."""
    from limpid.cli.app import app

    alone = typer.Typer()
    alone.command()(app)
    assert words[:2] == ["limpid", "app"]
    return typer.main.get_command(alone).make_context("app", list(words[2:])).params


def test_the_image_runs_as_nobody_with_the_weights_inside():
    assert len(all_of("FROM")) == 2
    for base in all_of("FROM"):
        assert re.match(r"python:3\.\d+-slim-\w+( AS \w+)?$", base)  # a version, not whatever is newest
    (user,) = all_of("USER")
    assert user.isdecimal()
    assert user != "0"
    names = [word for word, _ in instructions()]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "ADD" not in names
    assert f"useradd --system --uid {user}" in " ".join(all_of("RUN"))
    assert not re.search("apt-get|curl|wget|sudo", " ".join(all_of("RUN")))


def test_what_is_copied_is_there_and_not_left_out_by_the_ignore_file():
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().split()
    for rest in all_of("COPY"):
        *sources, _ = rest.split()
        if sources[0].startswith("--from="):
            continue
        for source in sources:
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored
    assert list((ROOT / "src/limpid/weights").glob("*.safetensors"))


def test_the_image_starts_and_checks_the_app():
    started = json.loads(all_of("ENTRYPOINT")[0])
    port = all_of("EXPOSE")[0]
    assert understood(started)["host"] == "0.0.0.0"
    assert str(understood(started)["port"]) == port
    assert any(understood(json.loads(rest))["check"] for rest in all_of("RUN") if rest.startswith("["))
    assert f":{port}/health" in all_of("HEALTHCHECK")[0]


def test_the_composition_takes_rights_away():
    (service,) = COMPOSE["services"].values()
    assert (ROOT / "integrations/container" / service["build"]["context"]).resolve() == ROOT
    assert ROOT / service["build"]["dockerfile"] == DOCKERFILE
    given = understood([*json.loads(all_of("ENTRYPOINT")[0]), *service["command"]])
    assert given["token"].startswith("${LIMPID_TOKEN:?")  # no start without one
    assert [port.rpartition(":")[0] for port in service["ports"]] == ["127.0.0.1:7860"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "network_mode", "volumes", "user"}
    assert int(service["stop_grace_period"].removesuffix("s")) > _DRAIN


def test_the_unit_starts_the_app_and_gives_it_time_to_end():
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str
    unit.read_string(UNIT.read_text(encoding="utf-8"))
    service = unit["Service"]
    first, *words = shlex.split(service["ExecStart"])
    assert first.endswith("/bin/limpid")
    assert understood(["limpid", *words])["host"] == "127.0.0.1"
    assert int(service["TimeoutStopSec"]) > _DRAIN
    assert service["DynamicUser"] == "yes"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_unit(tmp_path):
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub("ExecStart=.*", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8")), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if copy.name in line]
