"""The checks of the autoencoder chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
import torch
from scipy.special import expit
from sklearn.decomposition import PCA

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, quiver, scatter, scene


# --- 1. the floor -------------------------------------------------------------------------------
def _floor_reference(X: np.ndarray, k: int) -> float:
    """The error of scikit-learn's PCA on the images that it was fitted to."""
    pca = PCA(k, svd_solver="full").fit(X)
    return float(((pca.inverse_transform(pca.transform(X)) - X) ** 2).mean())


def _floor_picture(X: np.ndarray, k: int, came: float) -> dict:
    units = np.arange(1, X.shape[1])
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
    for _ in range(8):
        rng = require.rng()
        n, d = int(rng.integers(20, 60)), int(rng.integers(5, 10))
        X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d) * 3
        k = int(rng.integers(1, d))
        came = require.number(require.call(floor_of, X, k), "the lowest error")
        require.close(
            came,
            _floor_reference(X, k),
            what=f"the lowest error for {n} points, {d} numbers each, {k} code units",
            do="The biases take care of the mean; the error is a mean over points and entries.",
            figure=_floor_picture(X, k, came),
        )
    return "it equals the error of scikit-learn's PCA on eight random sets."


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
    """x + sigma² times the gradient of the log-density, by autograd: Tweedie's formula."""
    at, m = torch.tensor(x, requires_grad=True), torch.tensor(clean)
    log = torch.logsumexp(-((at[:, None] - m) ** 2).sum(-1) / (2 * sigma**2), 1)
    return x + sigma**2 * torch.autograd.grad(log.sum(), at)[0].numpy()


def _denoiser_inputs(rng: np.random.Generator, sigma: float) -> tuple:
    return rng.normal(size=(int(rng.integers(4, 9)), 2)), rng.normal(size=(6, 2)), sigma


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
            xlim=(-3, 3),
            ylim=(-3, 3),
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
            raise Wrong(
                f"for sigma = {sigma} some origins are not numbers: every bell underflowed to zero and you "
                "divided 0 by 0. Subtract the smallest squared distance before taking the exponential."
            )
        require.close(
            came,
            _denoiser_reference(*args),
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
    """The whole Jacobian by autograd, point by point."""
    weights, bias = torch.tensor(W), torch.tensor(b)
    jacobian = torch.autograd.functional.jacobian
    each = [jacobian(lambda p: torch.tanh(p @ weights + bias), p) for p in torch.tensor(x)]
    return torch.stack(each).square().sum((1, 2)).numpy()


def _check_contraction(contraction: Any) -> str:
    for _ in range(5):
        rng = require.rng()
        d, h = int(rng.integers(2, 5)), int(rng.integers(2, 6))
        args = rng.normal(size=(5, d)), rng.normal(size=(d, h)), rng.normal(size=h)
        came = require.call(contraction, *args)
        require.close(
            came,
            _contraction_reference(*args),
            rtol=1e-4,  # a learner may take differences
            what="the squared norm of the Jacobian",
            do="∂z/∂x = (1 − z²) W for tanh. Square, then add over inputs and units, one number per point.",
        )
    return "it equals autograd's Jacobian on five random layers."


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
    if type(answer) is not dict or set(answer) != {"W", "b", "V", "c"}:
        raise Wrong('expected a dictionary with the four keys "W", "b", "V" and "c".')
    W = require.array(answer["W"], "W", shape=(3, None))
    units = W.shape[1]
    if not 1 <= units <= 1000:
        raise Wrong(f"W: expected between one and a thousand code units, came {units}.")
    b = require.array(answer["b"], "b", shape=(units,))
    V = require.array(answer["V"], "V", shape=(units, 3))
    return W, b, V, require.array(answer["c"], "c", shape=(3,))


def _check_copier(answer: Any) -> str:
    W, b, V, c = _copier_parts(answer)
    corners = np.stack(np.meshgrid(*[[0.0, 0.5, 1.0]] * 3), -1).reshape(-1, 3)
    x = np.concatenate([corners, require.rng().uniform(size=(3000, 3))])  # (3027, 3)
    y = expit(x @ W + b) @ V + c
    worst = float(np.abs(y - x).max())
    if worst > 0.01:
        i = int(np.abs(y - x).max(1).argmax())
        show = np.argsort(x[:, 0])
        raise Wrong(
            f"the point ({', '.join(f'{v:.2f}' for v in x[i])}) becomes ({', '.join(f'{v:.2f}' for v in y[i])}): "
            f"off by {worst:.3g}, and at most 0.01 is asked. Use a shorter, straighter part of the sigmoid.",
            scene(
                panel(
                    plot([0, 1], [0, 1], color="muted", dash="4 3", label="a perfect copy"),
                    scatter(x[show, 0][::20], y[show, 0][::20], color="c1", size=2, label="yours"),
                    xlabel="first input",
                    ylabel="first output",
                )
            ),
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
