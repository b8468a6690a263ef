import builtins
import random
import signal
import threading
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dlcourse import training
from dlcourse.training import History, Stacked, accuracy, device, fit, seed_everything

torch.set_num_threads(1)


def mlp(seed=0, dropout=0.0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 3))


def problem(n=100, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)).astype(np.float32)
    return x, x[:, :3].argmax(1)


def bare_loop(model, x, y, epochs, batch_size, seed, lr):
    """What `fit` must equal, step by step."""
    x, y = torch.tensor(x), torch.tensor(y)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("batch_size", [7, 100, 1000])
def test_it_equals_a_bare_loop_step_by_step(seed, batch_size):
    x, y = problem()
    ours, bare = mlp(seed), mlp(seed)
    history = fit(ours, x, y, epochs=3, batch_size=batch_size, seed=seed, lr=0.01)
    assert history.losses == bare_loop(bare, x, y, 3, batch_size, seed, 0.01)
    for a, b in zip(ours.parameters(), bare.parameters(), strict=True):
        assert torch.equal(a, b)


def test_it_learns_and_keeps_the_record():
    x, y = problem(300)
    model = mlp()
    history = fit(model, x, y, lr=0.02, epochs=30, validation=problem(200, seed=1))
    assert history.steps == list(range(1, 151)) and len(history.losses) == 150
    assert history.column("epoch") == list(range(1, 31))
    assert history.epochs[-1]["val_accuracy"] == accuracy(model, *problem(200, seed=1)) > 0.9
    assert history.seconds > 0 and not history.interrupted
    assert "150 steps" in repr(history) and "s)" not in repr(history)
    with pytest.raises(KeyError, match="no column 'f1'; there are epoch, loss"):
        history.column("f1")


def test_an_epochs_loss_is_the_mean_over_its_samples():
    x, y = problem(10)
    frozen = torch.optim.SGD((model := mlp()).parameters(), lr=0.0)
    history = fit(model, x, y, optimizer=frozen, epochs=1, batch_size=4)
    expected = F.cross_entropy(model(torch.tensor(x)), torch.tensor(y)).item()
    assert history.epochs[0]["loss"] == pytest.approx(expected, rel=1e-5)


def test_the_global_random_state_stays_as_it_is():
    seed_everything(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    torch_model = nn.Linear(4, 3)
    seed_everything(5)
    fit(torch_model, *problem(), epochs=1, validation=problem())
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]


def test_seed_everything_repeats_all_three_generators():
    def draw():
        return random.random(), np.random.rand(), torch.rand(1).item()

    seed_everything(3)
    first = draw()
    seed_everything(3)
    assert draw() == first
    seed_everything(4)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_modes_are_restored_module_by_module():
    model = mlp(dropout=0.5)
    model[2].eval()
    fit(model, *problem(), epochs=1, validation=problem())
    assert [m.training for m in model] == [True, True, False, True]
    accuracy(model.eval(), *problem())
    assert not any(m.training for m in model.modules())


def test_accuracy_is_measured_in_eval_mode():
    model = mlp(dropout=0.9)
    values = {accuracy(model, *problem()) for _ in range(5)}
    x, y = problem()
    expected = (model.eval()(torch.tensor(x)).argmax(1).numpy() == y).mean()
    assert values == {expected}


@pytest.mark.parametrize("kind", ["loader", "dataset"])
def test_a_loader_or_data_set_instead_of_arrays(kind):
    x, y = problem()
    pairs = TensorDataset(torch.tensor(x), torch.tensor(y))
    given = DataLoader(pairs, batch_size=50) if kind == "loader" else pairs
    history = fit(mlp(), given, epochs=20, batch_size=50, lr=0.02)
    assert len(history.losses) == 40
    assert history.losses[-1] < history.losses[0] / 2


def test_regression_metrics_and_a_loss_of_ones_own():
    x, _ = problem()
    y = (x @ [1.0, -2.0, 0.5, 0.0])[:, None]
    history = fit(
        nn.Linear(4, 1), x, y, loss=F.mse_loss, lr=0.05, epochs=60, validation=(x, y),
        metrics={"worst": lambda out, target: (out - target).abs().max()},
    )  # fmt: skip
    assert set(history.epochs[0]) == {"epoch", "loss", "val_loss", "val_worst"}
    assert history.epochs[-1]["val_worst"] < 0.05


def test_read_only_and_backward_arrays_are_taken():
    x, y = problem()
    x.setflags(write=False)
    assert len(fit(mlp(), x[::-1], y[::-1], epochs=1).losses) == 2


def test_callbacks_see_and_stop():
    seen = []
    history = fit(mlp(), *problem(), epochs=9, callback=lambda m, h: len(h.epochs) == 3)
    assert len(history.epochs) == 3
    history = fit(
        mlp(), *problem(), epochs=9, on_step=lambda m, h: seen.append(h.losses[-1]) or len(seen) > 4
    )
    assert seen == history.losses and len(seen) == 5 and not history.interrupted


def test_an_interrupt_keeps_model_and_history(capsys):
    model = mlp()
    before = model[0].weight.clone()

    def stop(model, history):
        if len(history.losses) == 3:
            raise KeyboardInterrupt

    history = fit(model, *problem(), epochs=9, on_step=stop)
    assert history.interrupted and len(history.losses) == 3
    assert not torch.equal(model[0].weight, before)
    assert "Interrupted after step 3 of 18" in capsys.readouterr().out
    assert "interrupted" in repr(history)
    assert len(fit(model, *problem(), epochs=1).losses) == 2


@pytest.fixture
def interruptible():
    """A run started in the background inherits "ignore Ctrl-C", and this test would never end."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.timeout(60)
def test_a_real_interrupt_signal_ends_a_long_training(interruptible):
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    start = time.perf_counter()
    history = fit(mlp(), *problem(), epochs=10**6)
    assert history.interrupted and history.losses
    assert time.perf_counter() - start < 20


def test_a_loss_that_blows_up_is_recorded_and_named_once():
    x, y = problem()
    x[0, 0] = np.inf
    with pytest.warns(RuntimeWarning, match=r"loss was nan at step \d+: try") as caught:
        history = fit(mlp(), x, y, epochs=4)
    assert len(caught) == 1
    assert len(history.losses) == 8 and np.isnan(history.losses[-1])


X, Y = problem(10)
MISTAKES = {
    "x too narrow": ({"x": X[:, :3]}, r"batch of shape \(10, 3\) float32.*expects \(n, 4\)"),
    "x whole numbers": ({"x": (X * 99).astype(np.uint8)}, "x / 255"),
    "rows differ": ({"y": Y[:-1]}, "x has 10 rows and y has 9"),
    "no rows": ({"x": X[:0], "y": Y[:0]}, "0 rows"),
    "labels in a column": ({"y": Y[:, None]}, r"targets \(10, 1\) int64"),
    "label too large": ({"y": Y + 1}, "whole numbers below classes"),
    "silent stretching": (
        {"loss": F.mse_loss, "y": X[:, 0]},
        r"output has shape \(10, 3\) and the targets \(10,\)",
    ),
    "a scalar": ({"x": 3.0}, "single number"),
    "no targets": ({"y": None}, "pass y, or a DataLoader"),
    "batch of none": ({"batch_size": 0}, "batch_size must be 1 or more"),
    "metrics on nothing": ({"metrics": {"a": F.mse_loss}}, "pass validation"),
    "foreign optimizer": (
        {"optimizer": torch.optim.SGD(nn.Linear(1, 1).parameters())},
        "none of this model's parameters",
    ),
    "nothing to train": ({"model": nn.ReLU()}, "no parameters to train"),
    "wrong validation": ({"validation": (X, Y[:-2])}, "x has 10 rows and y has 8"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_answered_in_a_sentence(case):
    change, words = MISTAKES[case]
    with pytest.raises(ValueError, match=words):
        fit(**({"model": mlp(), "x": X, "y": Y} | change))


def test_a_column_of_targets_for_a_row_of_outputs_is_refused():
    with pytest.raises(ValueError, match=r"y\[:, None\]"):
        fit(nn.Linear(4, 1), X, X[:, 0], loss=nn.MSELoss())


def test_accuracy_refuses_what_it_cannot_compare():
    with pytest.raises(ValueError, match=r"expected \(n, classes\)"):
        accuracy(mlp(), X, X[:, 0])


def test_images_for_a_convolution_need_their_channel():
    with pytest.raises(ValueError, match=r"expects \(n, 3, height, width\)"):
        fit(nn.Conv2d(3, 2, 3), torch.rand(4, 1, 8, 8), torch.zeros(4, dtype=int))


def test_device_says_which(capsys):
    place = device()
    assert place.type in ("cpu", "cuda", "mps")
    assert capsys.readouterr().out.startswith("Computing on")
    device(quiet=True)
    assert capsys.readouterr().out == ""


def test_the_bar_shows_only_when_someone_watches(capsys, monkeypatch):
    fit(mlp(), *problem(), epochs=1)
    assert capsys.readouterr().err == ""
    fit(mlp(), *problem(), epochs=1, progress=True)
    assert "0/2" in capsys.readouterr().err
    monkeypatch.setenv("DLCOURSE_HEADLESS", "0")
    assert training._watched()
    monkeypatch.setenv("DLCOURSE_HEADLESS", "1")
    assert not training._watched()


@pytest.mark.parametrize("answers", [True, False])
def test_a_kernel_is_watched_when_its_front_end_can_be_asked(answers, monkeypatch):
    import IPython

    kernel = type("Kernel", (), {"_allow_stdin": answers})
    shell = type("Shell", (), {"kernel": kernel})
    monkeypatch.delenv("DLCOURSE_HEADLESS", raising=False)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    assert training._watched() is answers


def test_no_epochs_is_an_empty_history():
    assert repr(fit(mlp(), *problem(), epochs=0)) == repr(History()) == "History(no steps yet)"


def test_printing_happens_only_on_an_interrupt(monkeypatch):
    monkeypatch.setattr(builtins, "print", lambda *_, **__: pytest.fail("fit printed"))
    fit(mlp(), *problem(), epochs=1)


def a_net(seed, hidden=8):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 16, hidden), nn.Linear(hidden, 4)
    ).double()


def batches_of(seed, steps=20):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(steps, 16, 1, 6, 6, generator=g, dtype=torch.float64)
    return x, torch.randint(4, (steps, 16), generator=g)


@pytest.mark.parametrize("method", [torch.optim.Adam, torch.optim.SGD])
def test_stacked_networks_train_as_each_alone(method):
    seeds = range(5)
    data = [batches_of(s) for s in seeds]
    many = Stacked([a_net(s) for s in seeds])
    optimizer = method(many.parameters(), lr=0.05)
    for x, y in zip(*(torch.stack(d, 1) for d in zip(*data, strict=True)), strict=True):
        z = many(x)  # (5, 16, 4)
        optimizer.zero_grad()
        (len(seeds) * F.cross_entropy(z.flatten(0, 1), y.flatten())).backward()
        optimizer.step()
    for s in seeds:
        one = a_net(s)
        optimizer = method(one.parameters(), lr=0.05)
        for x, y in zip(*data[s], strict=True):
            optimizer.zero_grad()
            F.cross_entropy(one(x), y).backward()
            optimizer.step()
        for p, q in zip(one.parameters(), many.stacked, strict=True):
            torch.testing.assert_close(p.data, q.data[s], rtol=0, atol=1e-10)
        assert (p - a_net(s)[-1].bias).abs().max() > 1e-3  # they did move


def test_stacked_networks_have_parameters_of_their_own():
    first = a_net(0)
    many = Stacked([first, a_net(1)])
    assert [len(p) for p in many.parameters()] == [2] * 6
    with torch.no_grad():
        many.stacked[0].zero_()
    assert torch.equal(first[0].weight, a_net(0)[0].weight)


def test_stacked_networks_drop_different_units():
    many = Stacked([mlp(0, 0.5), mlp(0, 0.5)])
    a, b = many(torch.ones(2, 10, 4))
    assert not torch.equal(a, b)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (lambda: [a_net(0), a_net(0, hidden=9)], "one architecture; came 2"),
        (lambda: [nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))], "buffers"),
        (lambda: [], "came 0"),
    ],
)
def test_what_cannot_be_stacked_is_refused(models, words):
    with pytest.raises(ValueError, match=words):
        Stacked(models())


def test_stacked_networks_want_a_row_each():
    with pytest.raises(ValueError, match="a row per network, 2; came 3"):
        Stacked([a_net(0), a_net(1)])(torch.zeros(3, 4, 1, 6, 6, dtype=torch.float64))
