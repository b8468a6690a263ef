"""The training loop, once: shuffle, forward, loss, backward, step, for any torch model.

The loop itself is `_train`; all else prepares its inputs or keeps its record.
"""

import copy
import math
import os
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

Loss = Callable[[Tensor, Tensor], Tensor]
Metric = Callable[[Tensor, Tensor], float | Tensor]
Pair = tuple[Any, Any]

# losses that work element by element: a shape mismatch would be stretched, silently or nearly so
_ELEMENTWISE = (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss)
_ELEMENTWISE_MODULES = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
_TELLING = (nn.Linear, nn.Conv2d, nn.Embedding)  # layers whose attributes say what they expect


@dataclass(repr=False)
class History:
    """What happened: one loss for every step, one row for every finished epoch.

    `losses[k]` is the mean loss of the mini-batch of step k + 1, before its update.
    A row of `epochs` holds `epoch` (from 1), `loss` (mean over the epoch's samples) and, with
    validation data, `val_loss` and `val_<metric>`. `seconds` is wall time, `interrupted` whether
    someone stopped it with Ctrl-C or the interrupt button.
    """

    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def steps(self) -> list[int]:
        """Numbers of the steps, from 1: `plot(history.steps, history.losses)`."""
        return list(range(1, len(self.losses) + 1))

    def column(self, name: str) -> list[float]:
        """One entry of every epoch's row, e.g. `history.column("val_accuracy")`."""
        known = self.epochs[0] if self.epochs else {}
        if self.epochs and name not in known:
            raise KeyError(f"no column {name!r}; there are {', '.join(known)}.")
        return [row[name] for row in self.epochs]

    def __repr__(self) -> str:
        """Steps, epochs, first and last loss; no times, which differ from run to run."""
        if not self.losses:
            return "History(no steps yet)"
        last = ", ".join(f"{k} {v:.4g}" for k, v in (self.epochs or [{}])[-1].items())
        stopped = ", interrupted" if self.interrupted else ""
        return f"History({len(self.losses)} steps; last epoch: {last or 'unfinished'}{stopped})"


def fit(
    model: nn.Module,
    x: Any,
    y: Any = None,
    *,
    loss: Loss = F.cross_entropy,
    optimizer: torch.optim.Optimizer | None = None,
    lr: float = 1e-3,
    epochs: int = 10,
    batch_size: int = 64,
    seed: int = 0,
    validation: Pair | None = None,
    metrics: dict[str, Metric] | None = None,
    device: torch.device | str | None = None,
    progress: bool | None = None,
    callback: Callable[[nn.Module, History], Any] | None = None,
    on_step: Callable[[nn.Module, History], Any] | None = None,
) -> History:
    """Train `model` in place by mini-batch gradient descent and return its `History`.

    `x` (n, …) and `y` (n, …) are arrays or tensors; whole numbers in `y` are class labels, real
    numbers targets of the model's dtype. Or `x` is a Dataset or DataLoader of (input, target)
    batches and `y` is left out. `loss(output, target)` returns a scalar tensor.
    Default optimiser: Adam with rate `lr`; `lr` is ignored when an optimiser is given.
    Every epoch visits each sample once, in an order drawn from a generator of its own seeded with
    `seed`: the global random state stays as it is (a model with dropout, or a DataLoader that
    shuffles without a generator of its own, uses the global one: see `seed_everything`).
    `validation=(x, y)` is measured after every epoch, in eval mode, with `loss` and `metrics`
    (name -> function(output, target)); for class labels the default metric is accuracy.
    `device` None leaves the model where it is; data follow the model.
    `progress` None shows a bar only when a person watches.
    `callback(model, history)` is called after every epoch, `on_step` after every step; when one
    returns True, training ends. Each module's train/eval mode is restored at the end.
    Ctrl-C keeps the model and the history. A loss that is no longer finite is recorded, training
    goes on, and one warning names the step.
    Raises ValueError, in one sentence, when shapes or arguments do not fit together.
    """
    place = torch.device(device) if device is not None else _device_of(model)
    model.to(place)
    batches = _batches(x, y, model, place, batch_size, seed)
    held_out = _pair(*validation, model, place) if validation is not None else None
    if metrics and held_out is None:
        raise ValueError("metrics are measured on held-out data: pass validation=(x, y) as well.")
    optimizer = _optimizer(model, optimizer, lr)
    history = History()

    def after_epoch(row: dict[str, float]) -> Any:
        if held_out is not None:
            row |= _measure(model, *held_out, loss, metrics, batch_size)
        history.epochs.append(row)
        return callback is not None and callback(model, history)

    with _recording(model, history, epochs * len(batches), progress) as bar:
        _train(model, batches, epochs, loss, optimizer, history, bar, after_epoch, on_step)
    return history


def _train(
    model: nn.Module,
    batches: Any,
    epochs: int,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    history: History,
    bar: tqdm,
    after_epoch: Callable[[dict[str, float]], Any],
    on_step: Callable[[nn.Module, History], Any] | None,
) -> None:
    for epoch in range(1, epochs + 1):
        total, seen = 0.0, 0
        for xb, yb in batches:
            value = _step(model, xb, yb, loss, optimizer)
            history.losses.append(value)
            total, seen = total + value * len(xb), seen + len(xb)
            bar.update()
            if on_step is not None and on_step(model, history) is True:
                return
        _warn_if_not_finite(history.losses, len(batches))
        if after_epoch({"epoch": epoch, "loss": total / seen}) is True:
            return


def _step(
    model: nn.Module, xb: Tensor, yb: Tensor, loss: Loss, optimizer: torch.optim.Optimizer
) -> float:
    value = _loss(_output(model, xb), yb, loss)
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.item()


def accuracy(model: nn.Module, x: Any, y: Any, batch_size: int = 1000) -> float:
    """Share (0 to 1) of `x` (n, …) whose largest output (n, classes) is at the label `y` (n,).

    Measured in eval mode without gradients; the model's modes are restored.
    """
    x, y = _pair(x, y, model, _device_of(model))
    return _correct(_predict(model, x, batch_size), y)


def device(quiet: bool = False) -> torch.device:
    """The fastest device here, CUDA, then Apple's MPS, then the CPU; says which unless `quiet`."""
    if torch.cuda.is_available():
        chosen, name = torch.device("cuda"), f"the GPU {torch.cuda.get_device_name()}"
    elif torch.backends.mps.is_available():
        chosen, name = torch.device("mps"), "the GPU of this Mac (MPS)"
    else:
        chosen, name = torch.device("cpu"), "the CPU (PyTorch sees no GPU here)"
    if not quiet:
        print(f"Computing on {name}.")
    return chosen


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


# --- batches ------------------------------------------------------------------------------------


@dataclass
class _Shuffled:
    """Mini-batches of tensors that lie on the device whole: a permutation, cut in pieces."""

    x: Tensor
    y: Tensor
    batch_size: int
    generator: torch.Generator

    def __len__(self) -> int:
        return math.ceil(len(self.x) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.x), generator=self.generator).to(self.x.device)
        for rows in order.split(self.batch_size):
            yield self.x[rows], self.y[rows]


@dataclass
class _Loaded:
    """The mini-batches of a DataLoader, moved to the device."""

    loader: Iterable[Any]
    model: nn.Module
    place: torch.device

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for xb, yb in self.loader:
            yield _pair(xb, yb, self.model, self.place)


def _batches(
    x: Any, y: Any, model: nn.Module, place: torch.device, batch_size: int, seed: int
) -> _Shuffled | _Loaded:
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, not {batch_size}; 64 is usual.")
    generator = torch.Generator().manual_seed(seed)
    if y is not None:
        return _Shuffled(*_pair(x, y, model, place), batch_size, generator)
    if isinstance(x, DataLoader):
        return _Loaded(x, model, place)
    if isinstance(x, Dataset):
        loader = DataLoader(x, batch_size, shuffle=True, generator=generator)
        return _Loaded(loader, model, place)
    raise ValueError(f"fit got a {type(x).__name__} and no targets: pass y, or a DataLoader as x.")


def _pair(x: Any, y: Any, model: nn.Module, place: torch.device) -> tuple[Tensor, Tensor]:
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    x, y = _tensor(x, dtype, place), _tensor(y, dtype, place)
    if len(x) != len(y):
        raise ValueError(
            f"x has {len(x)} rows and y has {len(y)}: pass one target for every input."
        )
    if not len(x):
        raise ValueError("there are no samples to learn from: x has 0 rows.")
    return x, y


def _tensor(values: Any, dtype: torch.dtype, place: torch.device) -> Tensor:
    if isinstance(values, np.ndarray):
        values = np.require(values, requirements=["C", "W"])  # torch takes no other layout
    tensor = torch.as_tensor(values)
    if tensor.ndim == 0:
        raise ValueError("fit needs arrays with one row for each sample; got a single number.")
    if tensor.is_floating_point():
        return tensor.to(place, dtype)
    return tensor.to(place, torch.int64) if not tensor.is_complex() else tensor.to(place)


def _device_of(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def _optimizer(
    model: nn.Module, optimizer: torch.optim.Optimizer | None, lr: float
) -> torch.optim.Optimizer:
    own = {id(p) for p in model.parameters() if p.requires_grad}
    if not own:
        raise ValueError("the model has no parameters to train: nothing would be learned.")
    if optimizer is None:
        return torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=lr)
    if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            "the optimizer holds none of this model's parameters: "
            "make it anew with model.parameters(), after the model."
        )
    return optimizer


# --- forward, loss, and what to say when they do not fit ----------------------------------------


def _output(model: nn.Module, xb: Tensor) -> Tensor:
    try:
        return model(xb)
    except (RuntimeError, IndexError) as error:
        raise ValueError(
            f"the model could not take a batch of shape {_shape(xb)} {_type(xb)}"
            f"{_expected(model, xb)}. PyTorch says: {error}"
        ) from error


def _loss(output: Tensor, target: Tensor, loss: Loss) -> Tensor:
    if _is_elementwise(loss) and output.shape != target.shape:
        raise ValueError(
            f"the model's output has shape {_shape(output)} and the targets {_shape(target)}: "
            "this loss compares them element by element, so reshape one of them, "
            "for instance y[:, None]."
        )
    try:
        return loss(output, target)
    except (RuntimeError, IndexError, ValueError) as error:
        raise ValueError(
            f"the loss could not compare the model's output {_shape(output)} {_type(output)} with "
            f"targets {_shape(target)} {_type(target)}; cross_entropy wants (n, classes) and whole "
            f"numbers below classes, (n,). PyTorch says: {error}"
        ) from error


def _is_elementwise(loss: Loss) -> bool:
    return loss in _ELEMENTWISE or isinstance(loss, _ELEMENTWISE_MODULES)


def _expected(model: nn.Module, xb: Tensor) -> str:
    """What the first layer that cares wants, and what to do: the end of a sentence."""
    layer = next((m for m in model.modules() if isinstance(m, _TELLING)), None)
    if isinstance(layer, nn.Embedding):
        return f"; its embedding expects whole numbers below {layer.num_embeddings}"
    if not xb.is_floating_point():
        return "; it expects real numbers: convert x, for instance x / 255 for grey values"
    if isinstance(layer, nn.Linear):
        return f"; its first linear layer expects (n, {layer.in_features}): reshape x or change it"
    if isinstance(layer, nn.Conv2d):
        wanted = f"(n, {layer.in_channels}, height, width)"
        return f"; its first convolution expects {wanted}: reshape x or change it"
    return "; reshape x, or change the model"


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _warn_if_not_finite(losses: list[float], recent: int) -> None:
    """Warn after the first epoch in which a loss was not finite, and only then."""
    earlier, latest = losses[:-recent], losses[-recent:]
    bad = [k for k, value in enumerate(latest, len(earlier) + 1) if not math.isfinite(value)]
    if bad and all(map(math.isfinite, earlier)):
        warnings.warn(
            f"the loss was {losses[bad[0] - 1]} at step {bad[0]}: try a smaller learning rate, "
            "scale the inputs to about [0, 1], or clip the gradients.",
            RuntimeWarning,
            stacklevel=4,
        )


# --- measuring ----------------------------------------------------------------------------------


def _measure(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    loss: Loss,
    metrics: dict[str, Metric] | None,
    batch_size: int,
) -> dict[str, float]:
    output = _predict(model, x, max(batch_size, 1000))
    if metrics is None:
        metrics = {"accuracy": _correct} if _scores_of(output, y) else {}
    row = {"val_loss": float(_loss(output, y, loss))}
    return row | {f"val_{name}": float(metric(output, y)) for name, metric in metrics.items()}


def _predict(model: nn.Module, x: Tensor, batch_size: int) -> Tensor:
    with _modes_kept(model), torch.no_grad():
        model.eval()
        return torch.cat([_output(model, part) for part in x.split(batch_size)])


def _correct(output: Tensor, y: Tensor) -> float:
    if not _scores_of(output, y):
        raise ValueError(
            f"accuracy needs a score for every class: output {_shape(output)} and targets "
            f"{_shape(y)} {_type(y)} do not fit; expected (n, classes) and whole numbers (n,)."
        )
    return (output.argmax(1) == y).double().mean().item()


def _scores_of(output: Tensor, y: Tensor) -> bool:
    """Whether `output` (n, classes, …) holds scores for the labels `y` (n, …)."""
    return not y.is_floating_point() and output.shape[:1] + output.shape[2:] == y.shape


# --- around the loop ----------------------------------------------------------------------------


@contextmanager
def _recording(
    model: nn.Module, history: History, steps: int, progress: bool | None
) -> Iterator[tqdm]:
    """Train mode, progress bar and clock; Ctrl-C ends the training and nothing else."""
    show = _watched() if progress is None else progress
    start = time.perf_counter()
    with _modes_kept(model), tqdm(total=steps, disable=not show, unit="step", leave=False) as bar:
        model.train()
        try:
            yield bar
        except KeyboardInterrupt:
            history.interrupted = True
            print(
                f"Interrupted after step {len(history.losses)} of {steps}: the model keeps what "
                "it has learned, and the history what happened."
            )
        finally:
            history.seconds = time.perf_counter() - start


@contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def _watched() -> bool:
    """Whether a person watches: a notebook's front end, or a terminal; never a headless run."""
    if (headless := os.environ.get("DLCOURSE_HEADLESS")) is not None:
        return headless == "0"
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if kernel := getattr(shell, "kernel", None):
        # front ends let the kernel ask for input; nbclient, nbval and the book do not
        return bool(kernel._allow_stdin)
    return sys.stderr.isatty()


class Stacked(nn.Module):
    """Several networks of one architecture as one module: one optimiser step trains them all.

    The tensors of the networks are stacked along a new first axis and run through `torch.func.vmap`, so that
    `Stacked(models)(x)` takes (models, batch, …) and returns (models, batch, …). Sum the losses of the
    networks, and each gets the gradient that it would get alone; SGD and Adam then move each as alone,
    up to rounding. The random masks of dropout differ between the networks. The networks given are not changed.

    Raises ValueError when the networks differ in architecture or hold buffers, such as the running means
    of batch normalisation, or when the first axis of the input is not one row per network.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        """Copy the parameters of `models`, at least one."""
        super().__init__()
        kinds = {tuple((k, p.shape) for k, p in m.named_parameters()) for m in models}
        if len(kinds) != 1:
            raise ValueError(
                f"Stacked needs networks of one architecture; came {len(kinds)} kinds."
            )
        if any(True for _ in models[0].buffers()):
            raise ValueError(
                "Stacked cannot share buffers; build the networks without running means."
            )
        tensors, _ = stack_module_state(list(models))
        self.names, self.stacked = list(tensors), nn.ParameterList(tensors.values())
        self._one = [copy.deepcopy(models[0])]  # in a list: its parameters are not ours to train

    def forward(self, x: Tensor) -> Tensor:
        """(models, batch, …) -> (models, batch, …), each network on its own rows."""
        if len(x) != len(self.stacked[0]):
            raise ValueError(f"expected a row per network, {len(self.stacked[0])}; came {len(x)}.")
        tensors = dict(zip(self.names, self.stacked, strict=True))
        return vmap(self._alone, randomness="different")(tensors, x)

    def _alone(self, tensors: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(self._one[0], tensors, (x,))
