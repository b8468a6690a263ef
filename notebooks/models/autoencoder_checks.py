"""The checks of the autoencoder chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
from scipy.special import expit

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, quiver, scatter, scene


# --- 1. the floor -------------------------------------------------------------------------------
def _floor_reference(X: np.ndarray, k: int) -> float:
    """The scatter that is left without the k widest directions, per entry of X."""
    centred = X - X.mean(0)
    scatter_of = np.linalg.eigvalsh(centred.T @ centred)  # (D,), ascending
    return float(np.maximum(scatter_of, 0)[: X.shape[1] - k].sum() / X.size)


def _floor_advice(X: np.ndarray, k: int, came: float) -> str:
    wanted, total = _floor_reference(X, k), _floor_reference(X, 0)
    raw = np.linalg.svd(X, compute_uv=False)
    for value, advice in (
        ((raw[k:] ** 2).sum() / X.size, "Subtract the mean image first: the biases do."),
        (wanted * X.shape[1], "Take the mean over the entries of an image too: divide by X.size."),
        (total - wanted, "That is what k units keep; asked is what they lose."),
        (wanted**0.5, "That is the root of it; asked is the mean square itself."),
    ):
        if np.isclose(came, value, rtol=1e-4):
            return advice
    return "The biases take care of the mean; the error is a mean over points and entries."


def _floor_picture(X: np.ndarray, k: int, came: float) -> dict:
    units = np.arange(X.shape[1] + 1)
    floors = [_floor_reference(X, int(u)) for u in units]
    return scene(
        panel(
            plot(units, floors, color="c1", label="lowest error"),
            scatter([k], [came], color="c2", marker="s", size=6, label="your answer"),
            xlabel="code units k",
            ylabel="mean squared error",
        )
    )


def _check_floor(floor_of: Any) -> str:
    for sizes in ((20, 60), (4, 8)) * 4:  # more images than pixels, and fewer
        rng = require.rng()
        n, d = int(rng.integers(*sizes)), int(rng.integers(8, 12))
        X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d) * 3
        k = int(rng.integers(1, min(n, d)))
        came = require.number(require.call(floor_of, X, k), "the lowest error")
        require.close(
            came,
            _floor_reference(X, k),
            rtol=1e-4,  # a learner may work in float32
            what=f"the lowest error for {n} points, {d} numbers each, {k} code units",
            do=_floor_advice(X, k, came),
            figure=_floor_picture(X, k, came),
        )
    return "no linear code does better, on eight random sets."


floor = Exercise(
    "autoencoder-floor",
    "Return the smallest error that a linear autoencoder with k units can reach on X",
    check=_check_floor,
    hints=(
        "The best linear autoencoder is PCA. Which variances does it lose?",
        "Centre X first. The squared singular values of what is left add up to the sum of all squared entries.",
        "Sum the squares of the singular values from number k on, and divide by X.size.",
    ),
)


# --- 2. the best denoiser -----------------------------------------------------------------------
def _denoiser_reference(x: np.ndarray, clean: np.ndarray, sigma: float) -> np.ndarray:
    """x + sigma² times the gradient of the log-density, by complex steps: Tweedie's formula."""
    score, h = np.zeros(x.shape), 1e-30
    for i in range(2):
        at = x + 1j * h * np.eye(2)[i]
        z = -((at[:, None] - clean) ** 2).sum(-1) / (2 * sigma**2)  # (N, M)
        bells = np.exp(z - z.real.max(1, keepdims=True)).sum(1)
        score[:, i] = np.log(bells).imag / h
    return x + sigma**2 * score


def _denoiser_inputs(rng: np.random.Generator, sigma: float) -> tuple:
    x, clean = (rng.normal(size=(int(rng.integers(*sizes)), 2)) for sizes in ((4, 9), (3, 9)))
    x[0] = clean.max(0) + 0.5  # far from all origins
    return x, clean, sigma


def _no_number(came: np.ndarray, sigma: float) -> str:
    what = f"for sigma = {sigma}: expected numbers, came {came[~np.isfinite(came)][0]} among them."
    if sigma > 0.1:
        return f"{what} Look for a division by zero, or for a plus sign in the exponential."
    return (
        f"{what} All bells of a point underflow to zero and 0 / 0 is left: subtract the point's own "
        "smallest squared distance before you take the exponential."
    )


def _denoiser_picture(x: np.ndarray, clean: np.ndarray, came: np.ndarray) -> dict:
    moved = came - x
    return scene(
        panel(
            scatter(clean[:, 0], clean[:, 1], color="c1", size=5, label="clean"),
            scatter(x[:, 0], x[:, 1], color="c2", marker="s", label="corrupted"),
            quiver(x[:, 0], x[:, 1], moved[:, 0], moved[:, 1]),
            title="your arrows",
            xlabel="x₁",
            ylabel="x₂",
            aspect="equal",
        )
    )


def _check_denoiser(denoiser: Any) -> str:
    for sigma in (1.0, 0.5, 0.2, 0.01):
        args = _denoiser_inputs(require.rng(), sigma)
        came = require.call(denoiser, *args)
        came = require.array(
            came, f"the origins for sigma = {sigma}", shape=args[0].shape, finite=False
        )
        if not np.isfinite(came).all():
            raise Wrong(_no_number(came, sigma))
        require.close(
            came,
            _denoiser_reference(*args),
            rtol=1e-4,  # a learner may work in float32
            what=f"the mean origin for sigma = {sigma}",
            do="Weight every clean point by exp(−distance² / (2 sigma²)), and divide by the sum of the weights.",
            figure=_denoiser_picture(args[0], args[1], came),
        )
    return "it equals x + σ² times the score, also where the bells underflow."


denoiser = Exercise(
    "autoencoder-denoiser",
    "Return the mean origin of each corrupted point",
    check=_check_denoiser,
    hints=(
        "Each clean point may be the origin. How likely is it, seen from x?",
        "The weights are exp(−d²/(2σ²)), normalised to add up to 1 over the clean points: a softmax.",
        "Compute d² (N, M), subtract each row's smallest, take the exponential, and return weight @ clean / weight.sum(1).",
    ),
)


# --- 3. contraction for tanh ----------------------------------------------------------------------
def _contraction_reference(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The whole Jacobian by complex steps, one input after the other."""
    h = 1e-30
    rows = [np.tanh((x + 1j * h * e) @ W + b).imag / h for e in np.eye(len(W))]  # D of (N, H)
    return np.square(rows).sum((0, 2))


def _contraction_picture(came: np.ndarray, wanted: np.ndarray) -> dict:
    i = np.arange(len(wanted))
    return scene(
        panel(
            bar(i, wanted, color="c1", label="expected"),
            scatter(i, came, color="c2", marker="x", size=6, label="yours"),
            xlabel="point",
            ylabel="squared norm",
        )
    )


def _check_contraction(contraction: Any) -> str:
    for _ in range(5):
        rng = require.rng()
        d, h = int(rng.integers(2, 5)), int(rng.integers(2, 6))
        n = int(rng.integers(2, 8))
        args = rng.normal(size=(n, d)), rng.normal(size=(d, h)), rng.normal(size=h)
        what = f"the squared norm of the Jacobian at {n} points, {d} inputs and {h} units"
        came = require.array(require.call(contraction, *args), what, shape=(n,))
        wanted = _contraction_reference(*args)
        require.close(
            came,
            wanted,
            rtol=1e-4,  # a learner may take differences
            what=what,
            figure=_contraction_picture(came, wanted),
            do="∂z/∂x = (1 − z²) W for tanh. Square, then add over inputs and units, one number per point.",
        )
    return "it equals the whole Jacobian, squared and summed, on five random layers."


contraction = Exercise(
    "autoencoder-contraction",
    "Return the squared Frobenius norm of the Jacobian of tanh(xW + b) at each point",
    check=_check_contraction,
    hints=(
        "What is the derivative of tanh, written with its value z?",
        "∂z_j/∂x_d = (1 − z_j²) W_dj. The square of a product is the product of the squares.",
        "The sum over d needs only the column sums of W². Return (1 − z**2) ** 2 @ (W**2).sum(0).",
    ),
)


# --- 4. the copier ----------------------------------------------------------------------------------
def _copier_parts(answer: Any) -> tuple[np.ndarray, ...]:
    if type(answer) is not dict:
        raise Wrong(
            f'expected a dictionary {{"W": …, "b": …, "V": …, "c": …}}, came {type(answer).__name__}.'
        )
    if set(answer) != {"W", "b", "V", "c"}:
        keys = ", ".join(sorted(str(key) for key in answer)) or "none"
        raise Wrong(f"expected the four keys W, b, V and c, came {keys}.")
    W = require.array(answer["W"], "W", shape=(3, None))
    units = W.shape[1]
    if not 1 <= units <= 1000:
        raise Wrong(f"W: expected between one and a thousand code units, came {units}.")
    b = require.array(answer["b"], "b", shape=(units,))
    V = require.array(answer["V"], "V", shape=(units, 3))
    return W, b, V, require.array(answer["c"], "c", shape=(3,))


def _copier_advice(x: np.ndarray, y: np.ndarray) -> str:
    """Is the way out wrong (V and c), or the code itself?"""
    ones = np.c_[x, np.ones(len(x))]  # (N, 4)
    line = np.linalg.lstsq(ones, y, rcond=None)[0]  # (4, 3)
    bend, slope = np.abs(ones @ line - y).max(), np.linalg.svd(line[:3], compute_uv=False)
    if slope[-1] > 1e-3 and bend < 0.01 * slope[-1]:
        return "Your code is straight enough, so V and c can mend it: undo the slope and the half of the sigmoid."
    return "Use a shorter, straighter part of the sigmoid, and a code that keeps all three inputs."


def _copier_picture(x: np.ndarray, y: np.ndarray) -> dict:
    return scene(
        panel(
            plot([0, 1], [0, 1], color="muted", dash="4 3", label="a perfect copy"),
            scatter(x[::20, 0], y[::20, 0], color="c1", size=2, label="yours"),
            xlabel="first input",
            ylabel="first output",
        )
    )


def _check_copier(answer: Any) -> str:
    W, b, V, c = _copier_parts(answer)
    corners = np.stack(np.meshgrid(*[[0.0, 0.5, 1.0]] * 3), -1).reshape(-1, 3)
    x = np.concatenate([corners, require.rng().uniform(size=(3000, 3))])  # (3027, 3)
    with np.errstate(all="ignore"):
        y = expit(x @ W + b) @ V + c
    if not np.isfinite(y).all():
        raise Wrong(
            f"expected an output for each point, came {y[~np.isfinite(y)][0]}: the sums overflow. Use smaller weights."
        )
    off = np.abs(y - x).max(1)  # (3027,)
    i, worst = int(off.argmax()), float(off.max())
    if worst > 0.01:
        raise Wrong(
            f"the point ({', '.join(f'{v:.2f}' for v in x[i])}) becomes ({', '.join(f'{v:.4g}' for v in y[i])}): "
            f"off by {worst:.3g}, and at most 0.01 is asked. {_copier_advice(x, y)}",
            _copier_picture(x, y),
        )
    return f"no point of the cube is off by more than {worst:.2g}. It never saw any data."


copier = Exercise(
    "autoencoder-copier",
    "Give W, b, V and c of an autoencoder that copies the cube to within 0.01",
    check=_check_copier,
    hints=(
        "Near 0 the sigmoid is ½ + a/4 and bends only with a³/48. How do you keep a small?",
        "Let W be a small number t times the identity, with b = −t/2 so that the middle of the cube gives a = 0.",
        "Then z ≈ ½ + t(x − ½)/4. Undo it: V = 4/t times the identity, c = ½ − 2/t.",
    ),
    answer="value",
)
