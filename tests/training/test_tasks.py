"""What a task asks of the network, against PyTorch's own soft targets."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mien.datasets import UNLABELLED
from mien.training.recipe import ExpressionRecipe
from mien.training.tasks import Batch, ExpressionTask

PHOTOS, CLASSES = 24, 7


class _Branch(nn.Module):
    """A linear branch that remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(PHOTOS, CLASSES)
        self.seen = torch.empty(0)

    def forward(self, shared):
        self.seen = shared.mean(dim=(2, 3))
        return self.linear(self.seen)


def _batch(unlabelled=0, shares=None, weights=None):
    """Photos whose features tell them apart: photo i has channel i alone."""
    features = torch.eye(PHOTOS)[:, :, None, None].expand(-1, -1, 2, 3)
    shares = F.one_hot(torch.arange(PHOTOS) % CLASSES, CLASSES).float() if shares is None else shares.clone()
    shares[:unlabelled] = 0
    weights = torch.ones(PHOTOS, CLASSES) if weights is None else weights
    pixels = torch.arange(PHOTOS)[:, None, None, None].expand(-1, 3, 4, 4)
    return Batch(pixels, features, torch.full((PHOTOS,), UNLABELLED), shares, weights)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("mixup", [0.0, 0.2, 1.0])
def test_mixtures_of_faces_are_taught_the_same_mixture_of_labels(mixup, smoothing):
    torch.manual_seed(1)
    batch, branch = _batch(unlabelled=4), _Branch()
    task = ExpressionTask(ExpressionRecipe(mixup=mixup, label_smoothing=smoothing))
    loss = task.loss(branch, batch.stem, batch)
    shares = branch.seen  # how much of each photo is in each mixture
    assert torch.allclose(shares.sum(dim=1), torch.ones(PHOTOS - 4))
    assert ((shares > 0).sum(dim=1) <= 2).all()
    assert ((shares > 0).sum(dim=1) == 2).any() == (mixup > 0)
    assert (shares[:, :4] == 0).all()  # the unlabelled ones are in none
    targets = shares[:, 4:] @ F.one_hot(batch.expression[4:], CLASSES).float()
    expected = F.cross_entropy(branch.linear(shares), targets, label_smoothing=smoothing)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_shares_of_votes_are_the_targets(mixup, smoothing):
    torch.manual_seed(4)
    votes = torch.rand(PHOTOS, CLASSES).softmax(dim=1)
    batch, branch = _batch(unlabelled=2, shares=votes), _Branch()
    task = ExpressionTask(ExpressionRecipe(mixup=mixup, label_smoothing=smoothing))
    loss = task.loss(branch, batch.stem, batch)
    targets = (1 - smoothing) * branch.seen[:, 2:] @ votes[2:] + smoothing / CLASSES
    expected = -(targets * branch.linear(branch.seen).log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(loss, expected)
    assert batch.expression.tolist() == [UNLABELLED] * 2 + votes[2:].argmax(dim=1).tolist()


def test_weights_of_classes_are_those_of_pytorch():
    """Whose weighted loss of single labels divides by the sum of the weights."""
    torch.manual_seed(5)
    by_class = torch.rand(CLASSES) + 0.5
    batch, branch = _batch(weights=by_class.expand(PHOTOS, -1)), _Branch()
    loss = ExpressionTask(ExpressionRecipe()).loss(branch, batch.stem, batch)
    expected = F.cross_entropy(branch.linear(branch.seen), batch.expression, by_class)
    torch.testing.assert_close(loss, expected * by_class[batch.expression].sum() / PHOTOS)


@pytest.mark.parametrize("mixup", [0.0, 0.5])
def test_a_teacher_has_its_share_of_the_targets(mixup):
    torch.manual_seed(2)
    opinions = torch.rand(PHOTOS, CLASSES).softmax(dim=1)
    batch, branch = _batch(unlabelled=3), _Branch()
    recipe = ExpressionRecipe(mixup=mixup, taught=0.75)
    loss = ExpressionTask(recipe, lambda pixels: opinions[pixels[:, 0, 0, 0]]).loss(branch, batch.stem, batch)
    targets = 0.25 * F.one_hot(batch.expression[3:], CLASSES) + 0.75 * opinions[3:]
    expected = F.cross_entropy(branch.linear(branch.seen), branch.seen[:, 3:] @ targets)
    torch.testing.assert_close(loss, expected)


def test_nothing_is_asked_where_nothing_is_labelled():
    batch = _batch(unlabelled=PHOTOS)
    assert ExpressionTask(ExpressionRecipe(mixup=0.5)).loss(_Branch(), batch.stem, batch) is None


def test_a_single_face_is_normalised_by_the_running_statistics():
    torch.manual_seed(3)
    branch = nn.Sequential(
        nn.Conv2d(PHOTOS, CLASSES, 1), nn.BatchNorm2d(CLASSES), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    branch[1].running_mean.uniform_()
    statistics = branch[1].running_mean.clone()
    batch = _batch(unlabelled=PHOTOS - 1)
    loss = ExpressionTask(ExpressionRecipe()).loss(branch, batch.stem, batch)
    loss.backward()
    expected = F.cross_entropy(branch.eval()(batch.stem[-1:]), batch.expression[-1:])
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(branch[1].running_mean, statistics)


def test_a_single_face_leaves_the_branch_in_training():
    branch = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(PHOTOS * 6), nn.Linear(PHOTOS * 6, CLASSES))
    batch = _batch(unlabelled=PHOTOS - 1)
    ExpressionTask(ExpressionRecipe()).loss(branch, batch.stem, batch)
    assert branch[1].training
