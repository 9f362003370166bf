"""Schedules against PyTorch's own, and a run that follows one."""

import csv

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    LinearLR,
    MultiStepLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from limpid.recipe.load import load
from limpid.training.options import TrainOptions
from limpid.training.schedules import Plateau, cosine, linear, oscillating, restarting, steps_down
from limpid.training.trainer import run_recipe
from training_samples import recipe


def optimiser():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def rates(schedule, steps):
    """The rate of each step, as PyTorch sets it."""
    found = []
    for _ in range(steps):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("warmup", [1, 2, 4])
@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_the_warm_up_and_the_half_cosine_are_pytorchs(warmup, floor):
    total, theirs = 20, optimiser()
    upwards = LinearLR(theirs, start_factor=1 / warmup, total_iters=max(1, warmup - 1))  # the last warm step has the full rate
    downwards = CosineAnnealingLR(theirs, T_max=total - warmup, eta_min=floor)
    expected = rates(SequentialLR(theirs, [upwards, downwards], milestones=[warmup]), total)
    assert [cosine(step, total, warmup=warmup, floor=floor) for step in range(total)] == pytest.approx(expected, abs=1e-6)


def test_the_warm_up_begins_above_zero_and_ends_at_the_full_rate():
    assert [cosine(step, 100, warmup=4, floor=0.0) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert cosine(0, 10, warmup=0, floor=0.0) == 1.0


def test_the_end_is_the_floor_and_stays_there():
    assert [cosine(step, 10, warmup=2, floor=0.1) for step in (6, 10, 11)] == pytest.approx([0.55, 0.1, 0.1])


def test_oscillation_is_pytorchs_annealing_stepped_past_its_end():
    expected = rates(CosineAnnealingLR(optimiser(), T_max=7, eta_min=0.2), 30)
    assert [oscillating(step, half_period=7, floor=0.2) for step in range(30)] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("growth", [1, 2])
def test_restarts_are_pytorchs(growth):
    expected = rates(CosineAnnealingWarmRestarts(optimiser(), T_0=5, T_mult=growth, eta_min=0.1), 40)
    assert [restarting(step, period=5, growth=growth, floor=0.1) for step in range(40)] == pytest.approx(expected, abs=1e-6)


def test_steps_are_pytorchs():
    expected = rates(StepLR(optimiser(), step_size=3, gamma=0.5), 12)
    assert [steps_down(epoch, every=3, at=(), factor=0.5) for epoch in range(12)] == pytest.approx(expected)
    expected = rates(MultiStepLR(optimiser(), milestones=[2, 7], gamma=0.1), 12)
    assert [steps_down(epoch, every=None, at=(2, 7), factor=0.1) for epoch in range(12)] == pytest.approx(expected)


@pytest.mark.parametrize("steady", [0, 4])
@pytest.mark.parametrize("floor", [0.0, 0.2])
def test_the_straight_way_down_is_pytorchs(steady, floor):
    down = LinearLR(optimiser(), start_factor=1.0, end_factor=floor, total_iters=10 - steady)
    expected = [1.0] * steady + rates(down, 10 - steady)
    assert [linear(step, 10, warmup=0, steady=steady, floor=floor) for step in range(10)] == pytest.approx(expected, abs=1e-6)
    assert linear(10, 10, warmup=0, steady=steady, floor=floor) == pytest.approx(floor)
    assert [linear(step, 10, warmup=2, steady=0, floor=0) for step in (0, 1, 2, 6)] == pytest.approx([0.5, 1, 1, 0.5])


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"name": "step", "every": 1, "factor": 0.5}, [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]),
        ({"name": "linear", "steady": 1}, [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]),
        ({"name": "restarts", "period": 2, "growth": 2}, [restarting(step, period=2, growth=2, floor=0) for step in range(8)]),
    ],
)
def test_a_run_takes_these_rates_too(tmp_path, given, schedule, expected):
    changes = {"schedule": schedule, "optimiser": {"name": "adamw", "rate": 1e-3}, "log": {"every": 1}}
    run_recipe(load(recipe(tmp_path / "sample.yaml", changes), given), tmp_path / "run", TrainOptions(quiet=True))
    with (tmp_path / "run/metrics.csv").open() as file:
        assert [float(row["lr"]) for row in csv.DictReader(file)] == pytest.approx([1e-3 * factor for factor in expected])


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_a_plateau_lasts_as_long_as_pytorchs(patience):
    scores = [1.0, 2.0, 2.0, 1.5, 2.0, 3.0, 3.0, 2.9, 2.9, 2.9, 2.9, 4.0]
    theirs, ours = optimiser(), Plateau(factor=0.5, patience=patience)
    schedule = ReduceLROnPlateau(theirs, mode="max", factor=0.5, patience=patience, threshold=0.0)
    for score in scores:
        schedule.step(score)
        ours.after(score)
        assert ours.value == theirs.param_groups[0]["lr"], score
    assert ours.value < 1


def test_a_run_takes_the_rates_of_its_schedule(tmp_path, given):
    changes = {"schedule": {"name": "cosine", "warmup": 3, "floor": 0.1}, "optimiser": {"name": "adamw", "rate": 1e-3}}
    run_recipe(load(recipe(tmp_path / "sample.yaml", changes), given), tmp_path / "run", TrainOptions(quiet=True))
    with (tmp_path / "run/metrics.csv").open() as file:
        found = [float(row["lr"]) for row in csv.DictReader(file)]
    assert found == pytest.approx([1e-3 * cosine(step, 8, warmup=3, floor=0.1) for step in range(8)], rel=1e-4)
