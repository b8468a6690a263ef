"""A survey's claim on trial: paired seeds, an interval, a verdict that is derived and never typed.

::

    trial = Trial("c-max", measure, arms=("max", "average"), seeds=range(8), budgets={"short": 5, "long": 20})
    result = trial.run()                       # measure(arm, seed, budget) -> float
    result.verdict(better="max", condition="training is short")

The four verdicts: *holds* · *holds only if …* · *does not hold here* · *cited only*. A claim that a computation
decides goes through `exact`, one that can only be quoted through `cited`. Statements and places live in
``book/claims.yml``; the site's ledger is generated from the cards' ``application/vnd.dlcourse.claim+json``.
"""

from __future__ import annotations

import difflib
import functools
import html
import math
import os
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Claim",
    "Trial",
    "TrialResult",
    "VerdictCard",
    "cited",
    "claims",
    "exact",
    "find",
    "icon",
]

MIME = "application/vnd.dlcourse.claim+json"
HOLDS, ONLY_IF, NOT_HERE, CITED = "holds", "holds only if", "does not hold here", "cited only"


# --- the record of a claim ----------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """One record of ``book/claims.yml``; `how` says what would decide it."""

    id: str
    surveys: tuple[str, ...]
    part: str
    chapter: str
    statement: str
    testable: str
    how: str


def _book() -> Path:
    """The folder with ``claims.yml``: $DLCOURSE_BOOK, or ``book`` beside the package or above the notebook."""
    named = os.environ.get("DLCOURSE_BOOK")
    roots = [Path(__file__).resolve().parent.parent, Path.cwd(), *Path.cwd().parents]
    places = [Path(named)] if named else [root / "book" for root in roots]
    for place in places:
        if (place / "claims.yml").is_file():
            return place
    raise FileNotFoundError(
        f"expected claims.yml in {places[0]}, found none; run the notebook inside a checkout of the course "
        "or set DLCOURSE_BOOK to its book folder"
    )


@functools.cache
def _load(path: Path, stamp: int) -> dict[str, Claim]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser in C, ten times as fast
    records = yaml.load(path.read_text(encoding="utf-8"), loader)
    made = [Claim(**{**record, "surveys": tuple(record["surveys"])}) for record in records]
    return {claim.id: claim for claim in made}


def claims(path: Path | None = None) -> dict[str, Claim]:
    """All claims by id, in the order of the file (``book/claims.yml`` unless named)."""
    path = path or _book() / "claims.yml"
    return _load(path, path.stat().st_mtime_ns)


def find(id: str) -> Claim:
    """The claim with this id; LookupError with near matches otherwise."""
    known = claims()
    if id in known:
        return known[id]
    near = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see book/claims.yml for the ids"
    raise LookupError(f"expected the id of a claim, came {id!r}; {hint}")


# --- the trial ------------------------------------------------------------------------------------


class Interval(NamedTuple):
    """Mean of the paired differences and their 95 % t-interval over `n` seeds."""

    mean: float
    low: float
    high: float
    n: int


class Row(NamedTuple):
    """One measurement."""

    budget: str
    seed: int
    arm: str
    value: float


class Table(tuple[Row, ...]):
    """All measurements; shows as one line per budget and seed, one column per arm."""

    def _lines(self) -> tuple[list[str], list[list[str]]]:
        arms = list(dict.fromkeys(row.arm for row in self))
        lines: dict[tuple[str, int], list[str]] = {}
        for row in self:
            lines.setdefault((row.budget, row.seed), []).append(_say(row.value))
        return ["budget", "seed", *arms], [[b, str(s), *cells] for (b, s), cells in lines.items()]

    def __repr__(self) -> str:
        """Columns padded with spaces."""
        head, lines = self._lines()
        widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
        pad = (
            "  ".join(f"{c:>{w}}" for c, w in zip(line, widths, strict=True))
            for line in [head, *lines]
        )
        return "\n".join(pad)

    def _repr_html_(self) -> str:
        return _table_html(*self._lines())


@dataclass(frozen=True)
class Trial:
    """An experiment that can decide a claim.

    claim: id in ``book/claims.yml``. measure(arm, seed, budget) -> finite float; it must depend on nothing else, so
    that arms are paired by seed. budgets: name -> whatever `measure` understands (epochs, labels, a noise level).
    unit: of the measured number, for the card.
    """

    claim: str
    measure: Callable[[str, int, Any], float] = field(repr=False)
    arms: Sequence[str]
    seeds: Iterable[int] = range(5)
    budgets: Mapping[str, Any] = field(default_factory=lambda: {"one": None})
    unit: str = ""

    def __post_init__(self) -> None:
        """Refuse, before an hour of computing, what could not give a verdict."""
        find(self.claim)
        object.__setattr__(self, "arms", tuple(self.arms))
        object.__setattr__(self, "seeds", tuple(int(seed) for seed in self.seeds))
        object.__setattr__(self, "budgets", dict(self.budgets))
        if (
            isinstance(self.arms, str)
            or len(set(self.arms)) != len(self.arms)
            or len(self.arms) < 2
        ):
            raise ValueError(f"expected two or more different arms, came {self.arms!r}")
        if len(set(self.seeds)) != len(self.seeds) or len(self.seeds) < 3:
            raise ValueError(
                f"expected three or more different seeds, came {self.seeds}; an interval needs them"
            )
        if not self.budgets:
            raise ValueError("expected at least one budget, came none")

    def run(self, progress: bool | None = None) -> TrialResult:
        """Measure every arm with every seed at every budget. progress: None shows a bar only when someone watches."""
        cells = [(b, s, arm) for b in self.budgets for s in self.seeds for arm in self.arms]
        rows = Table(
            Row(b, s, arm, self._one(b, s, arm)) for b, s, arm in _bar(cells, self.claim, progress)
        )
        return TrialResult(self, rows)

    def _one(self, budget: str, seed: int, arm: str) -> float:
        value = float(self.measure(arm, seed, self.budgets[budget]))
        if math.isfinite(value):
            return value
        where = f"measure({arm!r}, seed={seed}, budget={budget!r})"
        raise ValueError(
            f"{where}: expected a finite number, came {value}; let a diverged run count as its worst score"
        )


def _bar(cells: list, label: str, progress: bool | None) -> Iterable:
    """A bar while someone watches; a headless run saves an output without one."""
    if progress is None:
        from dlcourse.figures.host import headless

        progress = not headless()
    if not progress:
        return cells
    from tqdm.auto import tqdm

    return tqdm(cells, desc=label, leave=False)


@dataclass(frozen=True)
class TrialResult:
    """What a trial measured; ask it for a verdict."""

    trial: Trial = field(repr=False)
    table: Table

    def values(self, arm: str, budget: str) -> np.ndarray:
        """The measurements of one arm, one per seed (n_seeds,)."""
        self._known(arm, self.trial.arms, "arm")
        self._known(budget, self.trial.budgets, "budget")
        return np.array([r.value for r in self.table if r.arm == arm and r.budget == budget])

    @property
    def differences(self) -> dict[str, np.ndarray]:
        """First arm minus second, seed by seed, for each budget (n_seeds,)."""
        first, second = self.trial.arms[:2]
        return {b: self.values(first, b) - self.values(second, b) for b in self.trial.budgets}

    def interval(
        self, budget: str, first: str | None = None, second: str | None = None
    ) -> Interval:
        """95 % t-interval of the paired difference first − second (the trial's first two arms unless named)."""
        first, second = first or self.trial.arms[0], second or self.trial.arms[1]
        return _interval(self.values(first, budget) - self.values(second, budget))

    def verdict(
        self,
        better: str,
        other: str | Sequence[str] | None = None,
        *,
        margin: float = 0.0,
        condition: str | Mapping[str, str] | None = None,
        lower_is_better: bool = False,
    ) -> VerdictCard:
        """Does `better` beat `other` by more than `margin`, in every budget?

        *holds*: the interval of the advantage lies above `margin` in every budget (and against every arm of `other`;
        None means all the rest). *holds only if*: in some budgets. *does not hold here*: in none. A negative margin
        asks for "not worse by more than". condition: words for the budgets in which it held, or a mapping budget ->
        words; the names of the budgets when left out.
        """
        others = self._others(better, other)
        sign = -1.0 if lower_is_better else 1.0
        pairs = [self._pair(b, better, rival, sign) for b in self.trial.budgets for rival in others]
        won = [pair.interval.low > margin for pair in pairs]
        question = f"Is {better} better than {' and '.join(others)}" + (
            f" by {_say(margin)}" if margin else ""
        )
        return self._judge(pairs, won, (margin,), condition, question)

    def verdict_same(
        self,
        first: str,
        second: str,
        *,
        within: float,
        condition: str | Mapping[str, str] | None = None,
    ) -> VerdictCard:
        """Are two arms equal up to ± `within`, in every budget? The interval must lie inside the band."""
        if not within > 0:
            raise ValueError(f"expected a positive width of the band, came within={within}")
        pairs = [self._pair(b, first, second, 1.0) for b in self.trial.budgets]
        won = [-within < p.interval.low and p.interval.high < within for p in pairs]
        return self._judge(
            pairs,
            won,
            (-within, within),
            condition,
            f"Are {first} and {second} equal within {_say(within)}",
        )

    def _others(self, better: str, other: str | Sequence[str] | None) -> tuple[str, ...]:
        self._known(better, self.trial.arms, "arm")
        if other is None:
            return tuple(arm for arm in self.trial.arms if arm != better)
        return (other,) if isinstance(other, str) else tuple(other)

    def _known(self, name: str, names: Iterable[str], what: str) -> None:
        if name not in names:
            raise ValueError(f"expected one of the {what}s {', '.join(names)}, came {name!r}")

    def _pair(self, budget: str, first: str, second: str, sign: float) -> Pair:
        a, b = self.values(first, budget), self.values(second, budget)
        gain = sign * (a - b)
        return Pair(
            budget, first, second, float(a.mean()), float(b.mean()), tuple(gain), _interval(gain)
        )

    def _judge(
        self,
        pairs: list[Pair],
        won: list[bool],
        lines: tuple[float, ...],
        condition: str | Mapping[str, str] | None,
        question: str,
    ) -> VerdictCard:
        kept = {
            b: all(w for p, w in zip(pairs, won, strict=True) if p.budget == b)
            for b in self.trial.budgets
        }
        names = [budget for budget, ok in kept.items() if ok]
        verdict = HOLDS if all(kept.values()) else ONLY_IF if names else NOT_HERE
        trial = self.trial
        return VerdictCard(
            find(trial.claim),
            verdict,
            _condition(names, condition) if verdict == ONLY_IF else "",
            done=f"{question}? {len(trial.seeds)} paired seeds; {_budgets(trial)}. Intervals: 95 %, paired t.",
            numbers={f"{p.label}": _say_interval(p.interval) for p in pairs},
            data={
                "seeds": list(trial.seeds),
                "budgets": {name: _plain(value) for name, value in trial.budgets.items()},
                "unit": trial.unit,
                "lines": [_round(line) for line in lines],
                "held": names,
                "numbers": [p.data for p in pairs],
            },
            picture=_dots(pairs, won, lines, trial.unit),
        )


class Pair(NamedTuple):
    """Two arms at one budget: means, paired advantages of the first, their interval."""

    budget: str
    first: str
    second: str
    mean_first: float
    mean_second: float
    gains: tuple[float, ...]
    interval: Interval

    @property
    def label(self) -> str:
        """Where this pair stands, for tables and pictures."""
        head = "" if self.budget == "one" else f"{self.budget}: "
        return f"{head}{self.first} {_say(self.mean_first)}, {self.second} {_say(self.mean_second)}"

    @property
    def data(self) -> dict[str, Any]:
        """The same for the machine-readable output, at four significant digits."""
        numbers = {
            "mean_first": self.mean_first,
            "mean_second": self.mean_second,
            "advantage": self.interval.mean,
            "low": self.interval.low,
            "high": self.interval.high,
        }
        names = {"budget": self.budget, "first": self.first, "second": self.second}
        return names | {name: _round(value) for name, value in numbers.items()}


def _interval(gains: np.ndarray) -> Interval:
    from scipy.special import stdtrit  # the quantile of Student's t without all of scipy.stats

    mean, n = float(gains.mean()), len(gains)
    half = float(stdtrit(n - 1, 0.975) * gains.std(ddof=1) / math.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def _condition(names: list[str], condition: str | Mapping[str, str] | None) -> str:
    if isinstance(condition, str):
        return condition
    words = [condition[name] for name in names if name in condition] if condition else []
    return " or ".join(dict.fromkeys(words)) or f"the budget is {' or '.join(names)}"


def _budgets(trial: Trial) -> str:
    if list(trial.budgets) == ["one"]:
        return "one budget"
    bare = lambda n, v: isinstance(v, tuple | list | dict) or str(v) in ("None", n)  # noqa: E731
    given = (n if bare(n, v) else f"{n} = {v}" for n, v in trial.budgets.items())
    return "budgets " + ("; " if "," in "".join(trial.budgets) else ", ").join(given)


# --- claims without arms ----------------------------------------------------------------------------


def exact(
    claim: str,
    holds: bool,
    numbers: Mapping[str, Any] | None = None,
    text: str = "",
    condition: str | None = None,
) -> VerdictCard:
    """A claim decided by one computation (arithmetic, enumeration, simulation, a proof by cases).

    holds: a bool that the cell computed. numbers: label -> value, shown on the card. text: what was done. condition:
    the claim holds only if this is so; ignored when `holds` is False.
    """
    if not isinstance(holds, (bool, np.bool_)):
        raise TypeError(
            f"holds: expected a computed True or False, came {holds!r}; compare the numbers themselves"
        )
    verdict = (ONLY_IF if condition else HOLDS) if holds else NOT_HERE
    plain = {label: _round(value) for label, value in (numbers or {}).items()}
    shown = {label: _say(value) for label, value in plain.items()}
    limit = condition if condition and holds else ""
    data = [
        {"label": k, "value": v} for k, v in plain.items()
    ]  # a notebook sorts the keys of a dict
    return VerdictCard(find(claim), verdict, limit, text, shown, {"numbers": data})


def cited(claim: str, source: str | Sequence[str], text: str = "") -> VerdictCard:
    """A claim that can only be quoted. source: key or keys of ``book/references.bib``, or words."""
    sources = [source] if isinstance(source, str) else list(source)
    if not sources or not all(s.strip() for s in sources):
        raise ValueError(f"{claim}: expected a source for a claim that is only cited, came none")
    return VerdictCard(find(claim), CITED, "", text, {}, {"sources": sources})


# --- the card -----------------------------------------------------------------------------------------

_ICON = {
    HOLDS: '<circle cx="8" cy="8" r="7"/><path d="M4.5 8.3l2.4 2.4 4.6-5"/>',
    ONLY_IF: '<circle cx="8" cy="8" r="7"/><path d="M8 1a7 7 0 0 1 0 14z" fill="currentColor"/>',
    NOT_HERE: '<circle cx="8" cy="8" r="7"/><path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"/>',
    CITED: '<path d="M3 12V8.5L5 4h2L6 8h1v4zM9 12V8.5L11 4h2l-1 4h1v4z" fill="currentColor" stroke="none"/>',
}


def icon(verdict: str) -> str:
    """The sign of a verdict as inline SVG, hidden from screen readers: the words stand next to it."""
    return f'<svg class="dlc-icon" viewBox="0 0 16 16" aria-hidden="true">{_ICON[verdict]}</svg>'


_STYLE = """<style>
.dlc-claim{--dlc-fg:var(--pst-color-text-base,var(--jp-ui-font-color1,CanvasText));color:var(--dlc-fg);
--dlc-line:color-mix(in srgb,var(--dlc-fg) 30%,transparent);border:1px solid var(--dlc-line);border-radius:6px;padding:.6rem .8rem;
margin:.25rem 0;max-width:56rem;line-height:1.45;font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:14px;overflow-wrap:anywhere}
.dlc-claim p{margin:.2rem 0}.dlc-claim .dlc-claim-verdict{font-weight:600;font-size:1.05em}
.dlc-claim .dlc-claim-place{opacity:.85;font-size:.92em}
.dlc-claim svg.dlc-icon{width:1.15em;height:1.15em;vertical-align:-.18em;margin-right:.45em;fill:none;stroke:currentColor;stroke-width:1.6}
.dlc-claim svg.dlc-dots{display:block;width:100%;max-width:30rem;height:auto;margin:.3rem 0;color:inherit}
.dlc-claim svg.dlc-dots text{fill:currentColor;font-size:11px;font-family:inherit}
.dlc-claim .dlc-scroll{overflow-x:auto}
.dlc-claim table{border-collapse:collapse;margin:.3rem 0;font-variant-numeric:tabular-nums;color:inherit;font-size:.95em}
.dlc-claim th,.dlc-claim td{text-align:left!important;font-weight:400;padding:.12rem .9rem .12rem 0;border-top:1px solid var(--dlc-line);background:none!important;color:inherit}
html[data-theme=dark] .bd-content div.cell_output .text_html:has(.dlc-claim){background:none!important;color:inherit;padding:0}
</style>"""


@dataclass(frozen=True)
class VerdictCard:
    """A claim, where it stands, what was done, the numbers, the verdict."""

    claim: Claim
    verdict: str
    condition: str
    done: str
    numbers: Mapping[str, str]
    data: Mapping[str, Any] = field(repr=False)
    picture: str = field(default="", repr=False)

    @property
    def words(self) -> str:
        """The verdict as a reader says it."""
        return f"{self.verdict} {self.condition}".strip()

    def __str__(self) -> str:
        """Stable plain text: what nbval compares."""
        head = f"{self.claim.id}: {self.words}"
        lines = [f"{label}: {value}" for label, value in self.numbers.items()]
        sources = self.data.get("sources", [])
        lines += [f"source: {', '.join(sources)}"] if sources else []
        return "\n".join([head, self.claim.statement, *filter(None, [self.done]), *lines])

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        data = {
            "id": self.claim.id,
            "verdict": self.verdict,
            "condition": self.condition,
            "done": self.done,
        }
        return {"text/plain": str(self), "text/html": self._html(), MIME: data | dict(self.data)}

    def _html(self) -> str:
        claim, safe = self.claim, html.escape
        sources = self.data.get("sources", [])
        parts = [
            f'{_STYLE}<section class="dlc-claim" aria-label="Verdict on {safe(claim.id)}">',
            f'<p class="dlc-claim-verdict">{icon(self.verdict)}{safe(_capital(self.words))}</p>',
            f"<p><code>{safe(claim.id)}</code> {safe(claim.statement)}</p>",
            f'<p class="dlc-claim-place">In the surveys: {safe(", ".join(claim.surveys))}</p>',
            f"<p>{safe(self.done)}</p>" if self.done else "",
            _numbers_html(self.numbers),
            self.picture,
            f"<p>Source: {safe(', '.join(sources))}</p>" if sources else "",
        ]
        return "".join(parts) + "</section>"


def _numbers_html(numbers: Mapping[str, str]) -> str:
    if not numbers:
        return ""
    rows = (
        f'<tr><th scope="row">{html.escape(k)}</th><td>{html.escape(v)}</td></tr>'
        for k, v in numbers.items()
    )
    return f'<div class="dlc-scroll" tabindex="0" role="region" aria-label="Numbers"><table>{"".join(rows)}</table></div>'


def _table_html(head: list[str], lines: list[list[str]]) -> str:
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in line)}</tr>" for line in lines
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


# --- numbers ------------------------------------------------------------------------------------------


def _round(value: Any) -> Any:
    """Floats at four significant digits, whole numbers and words as they are."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number for the card, came {number}")
    return float(f"{number:.4g}") + 0.0  # no negative zero


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, int)
        else f"{_round(value):.4g}"
    )


def _say_interval(interval: Interval) -> str:
    digits = _digits(interval)
    mean, low, high = (f"{round(v, digits) + 0.0:+.{digits}f}" for v in interval[:3])
    return f"advantage {mean}, 95 % interval {low} to {high}"


def _digits(interval: Interval) -> int:
    """Decimals so that the half width, or else the mean, shows three digits."""
    scale = max(abs(interval.high - interval.mean), abs(interval.mean) * 1e-3)
    return min(10, max(0, 2 - math.floor(math.log10(scale)))) if scale > 0 else 1


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, bool, int, float)) or value is None else str(value)


# --- the picture: one dot per seed, the interval as a bar ------------------------------------------------

_WIDTH, _LEFT, _RIGHT, _ROW = 360, 14, 14, 44
_LINE, _LETTERS = 15, 60  # height of a further line of a row's name; letters that fit into one line


def _dots(pairs: list[Pair], won: list[bool], lines: tuple[float, ...], unit: str) -> str:
    """Inline SVG in the text's own colour; the aria-label says the same in words."""
    low, high = _range(pairs, lines)
    names = [textwrap.wrap(_row_name(p, ok), _LETTERS) for p, ok in zip(pairs, won, strict=True)]
    heights = [_ROW + _LINE * (len(name) - 1) for name in names]
    bottom = sum(heights) + 8

    def x(value: float) -> str:
        return f"{_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT):.1f}"

    label = "; ".join(f"{p.label}: {_say_interval(p.interval)}" for p in pairs)
    marks = [
        f'<line x1="{x(v)}" x2="{x(v)}" y1="6" y2="{bottom}" stroke="currentColor" stroke-dasharray="4 3" stroke-opacity=".6"/>'
        for v in lines
    ]
    for row, (pair, name) in enumerate(zip(pairs, names, strict=True)):
        marks += _row(pair, name, sum(heights[:row]), x)
    marks += _axis(low, high, bottom, unit, x)
    return (
        f'<svg class="dlc-dots" viewBox="0 0 {_WIDTH} {bottom + 34}" role="img" '
        f'aria-label="{html.escape(label)}">{"".join(marks)}</svg>'
    )


def _range(pairs: list[Pair], lines: tuple[float, ...]) -> tuple[float, float]:
    values = [v for p in pairs for v in (*p.gains, p.interval.low, p.interval.high)] + [0.0, *lines]
    pad = (max(values) - min(values)) * 0.05 or 1.0
    return min(values) - pad, max(values) + pad


def _row_name(pair: Pair, ok: bool) -> str:
    budget = "" if pair.budget == "one" else pair.budget + ": "
    return f"{budget}{pair.first} against {pair.second} ({'yes' if ok else 'no'})"


def _row(pair: Pair, name: list[str], top: int, x: Callable[[float], str]) -> list[str]:
    y = top + 32 + _LINE * (len(name) - 1)
    low, mean, high = x(pair.interval.low), x(pair.interval.mean), x(pair.interval.high)
    bar = (
        f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="currentColor" stroke-width="7" stroke-opacity=".3"/>'
        f'<path d="M{mean} {y - 8}V{y + 8}" stroke="currentColor" stroke-width="2.5"/>'
    )
    dots = (
        f'<circle cx="{x(gain)}" cy="{y}" r="3.2" fill="none" stroke="currentColor" stroke-width="1.4"/>'
        for gain in pair.gains
    )
    words = [
        f'<text x="{_LEFT}" y="{top + 18 + _LINE * i}">{html.escape(line)}</text>'
        for i, line in enumerate(name)
    ]
    return [*words, bar, *dots]


def _axis(low: float, high: float, y: float, unit: str, x: Callable[[float], str]) -> Iterator[str]:
    yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" stroke="currentColor"/>'
    for tick in _ticks(low, high):
        yield f'<line x1="{x(tick)}" x2="{x(tick)}" y1="{y}" y2="{y + 4}" stroke="currentColor"/>'
        yield f'<text x="{x(tick)}" y="{y + 15}" text-anchor="middle">{_say(tick)}</text>'
    title = "advantage, one ring per seed" + (f" ({unit})" if unit else "")
    yield f'<text x="{_WIDTH / 2:.0f}" y="{y + 29}" text-anchor="middle">{html.escape(title)}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Three to five round numbers inside the range."""
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]
