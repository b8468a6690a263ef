"""Drawing and batching for the speech chapters: spectrograms, lattices, decoders, padded tensors."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from dlcourse import data
from dlcourse.figures import imshow, panel, plot, scatter, scene, text

NOISE = {"no noise": None, "15 dB": 15.0, "0 dB": 0.0}  # signal to noise


# --- plumbing: padded tensors -------------------------------------------------------------------
class Batch:
    """A corpus as tensors: x (N, T, 24) with T even, `steps` (N,) of two frames, y (N, U), `lengths` (N,)."""

    def __init__(self, corpus: data.Corpus) -> None:
        frames = corpus.x.shape[1] // 2 * 2
        self.x = torch.from_numpy(corpus.x[:, :frames])
        self.steps = torch.from_numpy(corpus.frames // 2)
        self.targets = corpus.targets
        self.lengths = torch.tensor([len(t) for t in corpus.targets])
        texts = [torch.from_numpy(t) for t in corpus.targets]
        self.y = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
        self.labels = corpus.labels[:, :frames:2]  # (N, T / 2), the phone of every second frame

    def take(self, rows: np.ndarray) -> "Batch":
        """A part of the utterances, by their numbers."""
        part = object.__new__(Batch)
        part.x, part.steps, part.y, part.lengths = (
            tensor[torch.from_numpy(rows)] for tensor in (self.x, self.steps, self.y, self.lengths)
        )
        part.targets, part.labels = [self.targets[i] for i in rows], self.labels[rows]
        return part

    @classmethod
    def of_recordings(cls, recordings: Sequence[data.Recording]) -> "Batch":
        """Single words, labelled with the phones of the digit."""
        features = [data.log_mel(r.wave) for r in recordings]
        frames = np.array([len(f) for f in features])
        x = np.zeros((len(features), frames.max(), 24), np.float32)
        for row, feature in zip(x, features, strict=True):
            row[: len(feature)] = feature
        targets = [np.array(phone_numbers(data.DIGITS[r.word])) for r in recordings]
        nothing = np.full(x.shape[:2], -1)
        return cls(data.Corpus(x, frames, targets, nothing, np.zeros(x.shape[:2], np.float32)))

    def spell(self, i: int) -> str:
        """The phones of utterance i."""
        return " ".join(data.PHONES[k] for k in self.targets[i])

    def draw(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """n utterances at random, cut to the longest: x, steps, y, lengths."""
        rows = torch.randint(len(self.x), (n,), generator=generator)
        T, U = int(self.steps[rows].max()), int(self.lengths[rows].max())
        return self.x[rows, : 2 * T], self.steps[rows], self.y[rows, :U], self.lengths[rows]


def phone_numbers(phones: str) -> tuple[int, ...]:
    """Places in `data.PHONES` of "s iy"."""
    return tuple(data.PHONES.index(p) for p in phones.split())


def outputs(net: torch.nn.Module, batch: Batch) -> list[np.ndarray]:
    """What `net` says of each utterance, (steps, 25) in double precision, without the padding."""
    was = net.training
    net.eval()  # batch normalisation: statistics of the training
    with torch.no_grad():
        logp = net(batch.x).double().numpy()
    net.train(was)
    return [p[:n] for p, n in zip(logp, batch.steps, strict=True)]


def ctc_step(s: SimpleNamespace, batch: Batch) -> None:
    """One step of training on 16 utterances; the chapter writes it out as `step`."""
    x, n, y, m = batch.draw(16, s.generator)
    loss = F.ctc_loss(s.net(x).transpose(0, 1), y, n, m)
    s.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(s.net.parameters(), 1.0)
    s.optimizer.step()
    s.losses.append(loss.item())


def merged(symbols: np.ndarray) -> list[int]:
    """Equal neighbours merged, blank or silence (0) dropped; the chapter writes it out as `collapse`."""
    return [int(k) for k in symbols[np.diff(symbols, prepend=-1) != 0] if k]


def phone_error(net: torch.nn.Module, batch: Batch) -> float:
    """Edits per phone of the best paths, in per cent; the chapter writes it out."""
    return edit_rate([merged(p.argmax(1)) for p in outputs(net, batch)], batch)


def edit_rate(guesses: Sequence[list[int]], batch: Batch) -> float:
    """Edits per phone of the batch, in per cent."""
    wrong = sum(_edits(t.tolist(), g) for t, g in zip(batch.targets, guesses, strict=True))
    return 100 * wrong / sum(map(len, batch.targets))


def hmm(labels: np.ndarray) -> Callable[[np.ndarray], list[int]]:
    """A function from log-probabilities (steps, 25) to the most probable phones of a hidden Markov model.

    Its transitions and priors are counted on `labels` (N, T), -1 where padded; the chapter writes it out.
    """
    counts = np.ones((25, 25))
    for row in labels:
        known = row[row >= 0]
        np.add.at(counts, (known[:-1], known[1:]), 1)
    transition = np.log(counts / counts.sum(1, keepdims=True))
    prior = np.log(counts.sum(1) / counts.sum())
    return lambda logp: merged(_viterbi(logp - prior, transition))


def hmm_guesses(net: torch.nn.Module, batch: Batch, labels: np.ndarray) -> list[list[int]]:
    """What `hmm` hears in each utterance."""
    return list(map(hmm(labels), outputs(net, batch)))


def _viterbi(emission: np.ndarray, transition: np.ndarray) -> np.ndarray:
    best, back = emission[0], []
    for frame in emission[1:]:
        into = best[:, None] + transition  # (K from, K to)
        back.append(into.argmax(0))
        best = into.max(0) + frame
    states = [int(best.argmax())]
    for pointer in reversed(back):
        states.append(int(pointer[states[-1]]))
    return np.array(states[::-1])


def _edits(truth: list[int], guess: list[int]) -> int:
    row = list(range(len(guess) + 1))
    for i, a in enumerate(truth):
        new = [i + 1]
        for j, b in enumerate(guess):
            new.append(min(row[j] + (a != b), row[j + 1] + 1, new[j] + 1))
        row = new
    return row[-1]


# --- pictures -----------------------------------------------------------------------------------
def runs(labels: np.ndarray) -> list[tuple[int, int, int]]:
    """(label, start, end) of each stretch of equal labels."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    starts, ends = [0, *edges], [*edges, len(labels)]
    return [(int(labels[a]), int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def spectrogram(
    x: np.ndarray, title: str | None = None, *marks: dict, size: object = (620, 260)
) -> dict:
    """Log-mel features x (T, 24) over time in seconds."""
    extent = (0, len(x) / 100, 0, 24)
    image = imshow(x.T.astype(float), extent, (-2.5, 2.5), origin="lower", smooth=False)
    return panel(image, *marks, title=title, xlabel="time (s)", ylabel="mel band", size=size)


def spectrogram_scene(x: np.ndarray, labels: np.ndarray, phones: Sequence[str]) -> dict:
    """A spectrogram with borders and names of its phones."""
    found = runs(labels)
    lines = [v for _, start, _ in found[1:] for v in (start / 100, start / 100, np.nan)]
    heights = [0, 24, np.nan] * (len(found) - 1)
    names = [
        text((a + b) / 200, 22.4, phones[k], anchor="middle", color="#ffffff")
        for k, a, b in found
        if k
    ]
    said = f"{len(x)} frames of 10 ms; {sum(k > 0 for k, _, _ in found)} phones"
    border = plot(lines, heights, color="#ffffff", width=1.2)
    return scene(spectrogram(x, None, border, *names), text=said)


def hearing(target: Sequence[int], frames: int, evidence: float) -> np.ndarray:
    """Made-up network outputs (frames, 3): the target's symbols in turn, as sure as `evidence`."""
    scores = np.zeros((frames, 3))
    turn = np.repeat(target, 2)[: 2 * len(target)].astype(int)
    turn[1::2] = 0  # phone, blank, phone, blank
    where = np.minimum(np.arange(frames) * len(turn) // frames, len(turn) - 1)
    scores[np.arange(frames), turn[where]] = evidence
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


def lattice_scene(
    gamma: np.ndarray | None, names: Sequence[str], frames: int, paths: float
) -> dict:
    """The lattice: allowed moves as lines, occupancy as shade."""
    S = len(names)
    xs, ys = [], []
    for t in range(frames - 1):
        for s in range(S):
            hops = [s, s + 1] + (
                [s + 2] if s % 2 and s + 2 < S and names[s] != names[s + 2] else []
            )
            for to in (h for h in hops if h < S):
                xs += [t + 1, t + 2, np.nan]
                ys += [s, to, np.nan]
    shade = np.zeros((S, frames)) if gamma is None else gamma.T
    grid = panel(
        imshow(shade, (0.5, frames + 0.5, S - 0.5, -0.5), (0, 1), smooth=False),
        plot(xs, ys, color="#9aa4b2", width=0.8),
        scatter(np.tile(np.arange(1, frames + 1), S), np.repeat(np.arange(S), frames), color="#ffffff", size=2.5),
        xlabel="frame", ylabel="place in the text", yticks=dict(enumerate(names)),
        xlim=(0.5, frames + 0.5), ylim=(S - 0.5, -0.5), size=(620, 60 + 42 * S),
    )  # fmt: skip
    said = (
        f"{paths:.0f} paths collapse to this text"
        if paths
        else "no path: the text needs more frames"
    )
    return scene(grid, text=said)


def training_scene(
    losses: Sequence[float], p: np.ndarray, steps: int, heard: str, said: str
) -> dict:
    """The loss, and the probabilities p (T, 25) for one phrase."""
    k = np.arange(1, len(losses) + 1)
    curve = panel(
        plot(k[::3], np.asarray(losses)[::3], color="c2", width=1.5),
        xlabel="step", ylabel="CTC loss per phone", xlim=(0, steps), ylim=(0, 5), size=(280, 300),
    )  # fmt: skip
    names = {i: name if i else "blank" for i, name in enumerate(data.PHONES)}
    present = sorted({0, *p.argmax(1), *phone_numbers(said)})
    rows = panel(
        imshow(np.round(p[:, present].T, 2), (0, len(p) / 50, len(present) - 0.5, -0.5), (0, 1), smooth=False),
        xlabel="time (s)", yticks={i: names[k] for i, k in enumerate(present)}, size=(420, 300),
    )  # fmt: skip
    return scene(
        curve, rows, text=f"step {len(losses)}. said: {said}. heard: {heard or '(nothing)'}"
    )


def attention_scene(weights: np.ndarray, phones: Sequence[str]) -> dict:
    """Attention weights (U + 1, T) of a decoder that writes `phones` and an end."""
    names = dict(enumerate([*phones, "end"]))
    rows = panel(
        imshow(weights, (0, weights.shape[1] / 50, len(weights) - 0.5, -0.5), (0, float(weights.max())), smooth=False),
        xlabel="time (s)", ylabel="written symbol", yticks=names, size=(560, 300),
    )  # fmt: skip
    return scene(rows)


def decoding_scene(
    errors: Mapping[tuple, float],
    beams: Sequence[int],
    weights: Sequence[float],
    chosen: tuple,
    said: str,
) -> dict:
    """Word error against the weight of the language model, one line per beam."""
    marks = [
        plot(weights, [errors[b, w] for w in weights], color=c, dash=d, label=f"beam {b}")
        for b, c, d in zip(beams, ("c2", "c3", "c1"), ("6 4", "2 3", None), strict=True)
    ]
    marks.append(scatter([chosen[1]], [errors[chosen]], color="fg", size=7, marker="x"))
    top = 1.08 * max(errors.values())
    curves = panel(
        *marks, xlabel="weight λ of the language model", ylabel="word error (%)", ylim=(0, top), size=(560, 280)
    )  # fmt: skip
    return scene(curves, text=said)
