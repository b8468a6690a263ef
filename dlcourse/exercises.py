"""Exercises that answer back with a sentence and, where it helps, a picture.

A chapter keeps its checks in ``<chapter>_checks.py`` next to the notebook::

    def _check(margin):
        require.agrees(margin, reference, inputs=lambda rng: (rng.normal(size=(6, 2)), ...))

    margin = Exercise("perceptron-margin", "the signed margin of each point", check=_check,
                      hints=("Which side of the line is a point on?", "Use y * (X @ w)."))

and the learner asks ``exercises.margin.check(my_margin)``. The answer is a `Card`: *not attempted*, *not yet* or
*right*. A check never raises and so never stops *Run all*.

Out of reach, and said plainly: the learner's code runs in the same process as the check. Whoever imports the check
module, or walks the stack to its globals, can read the reference there. What does fail is everything that imitates a
right answer: objects that claim to equal everything, replaced library functions, remembered examples, a changed
input, an answer that is right only once.
"""

from __future__ import annotations

import copy
import dis
import html
import inspect
import linecache
import math
import operator
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from types import CodeType, FrameType, TracebackType
from typing import Any, Literal

import numpy as np

__all__ = ["Card", "Exercise", "Hint", "Wrong", "require"]

Status = Literal["not attempted", "not yet", "right"]


class Wrong(Exception):
    """What a check raises: one sentence (expected, came, do) and, if it helps, a picture.

    `figure` is a `dlcourse.figures` scene, a Matplotlib figure, or what `show` and `picture` return.
    """

    def __init__(self, sentence: str, figure: Any = None) -> None:
        """Keep the sentence and the picture for the card."""
        super().__init__(sentence)
        self.sentence = str(sentence)
        self.figure = figure


class _NotAttempted(Exception):
    """The learner's function still has a blank in it."""


class _TimeUp(BaseException):
    """Not an Exception, so that a learner's `except Exception` in a loop does not swallow it."""


# --- the card ---------------------------------------------------------------------------------

_ICON = {
    "right": '<circle cx="8" cy="8" r="7"/><path d="M4.5 8.3l2.4 2.4 4.6-5"/>',
    "not yet": '<circle cx="8" cy="8" r="7"/><path d="M5 8h6M8.5 5.5L11 8l-2.5 2.5"/>',
    "not attempted": '<circle cx="8" cy="8" r="7" stroke-dasharray="2.5 2"/>',
    "hint": '<path d="M5 9.5a4.2 4.2 0 1 1 6 0V12H5zM6 14.5h4"/>',
}
_HEADING = {
    "right": "Right",
    "not yet": "Not yet",
    "not attempted": "Not attempted yet",
    "hint": "Hint",
}
_STYLE = """<style>
.dlc-card{--dlc-fg:var(--pst-color-text-base,var(--jp-ui-font-color1,CanvasText));--dlc-hue:#57606a;
color:var(--dlc-fg);border:1px solid color-mix(in srgb,var(--dlc-fg) 30%,transparent);border-left:5px solid var(--dlc-hue);
border-radius:6px;padding:.5rem .75rem;margin:.25rem 0;max-width:56rem;line-height:1.45;
font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:14px;overflow-wrap:anywhere}
.dlc-card p{margin:.15rem 0}.dlc-card-head{font-weight:600}
.dlc-card svg.dlc-icon{width:1.1em;height:1.1em;vertical-align:-.18em;margin-right:.45em;fill:none;stroke:currentColor;stroke-width:1.6}
.dlc-card-right{--dlc-hue:#00734f}.dlc-card-not-yet{--dlc-hue:#b64700}.dlc-card-hint{--dlc-hue:#0b62b8}
html[data-theme=dark] .bd-content div.cell_output .text_html:has(.dlc-card){background:none!important;color:inherit;padding:0}
</style>"""


def _card_html(kind: str, heading: str, text: str, figure_html: str = "") -> str:
    paragraphs = "".join(
        f"<p>{html.escape(line)}</p>" for line in text.splitlines() if line.strip()
    )
    return (
        f'{_STYLE}<div class="dlc-card dlc-card-{kind.replace(" ", "-")}" role="status">'
        f'<p class="dlc-card-head"><svg class="dlc-icon" viewBox="0 0 16 16" aria-hidden="true">'
        f"{_ICON[kind]}</svg>{html.escape(heading)}</p>{paragraphs}{figure_html}</div>"
    )


def _figure_html(figure: Any, alt: str) -> str:
    """The picture as HTML; a picture that cannot be drawn costs a sentence, never the card."""
    if figure is None:
        return ""
    try:
        return _html_of(figure if hasattr(figure, "_repr_mimebundle_") else _drawn(figure, alt))
    except Exception as error:
        return f"<p>(The picture could not be drawn: {html.escape(_message(error))})</p>"


def _drawn(figure: Any, alt: str) -> Any:
    from dlcourse import figures

    draw = figures.picture if type(figure).__module__.startswith("matplotlib") else figures.show
    return draw(figure, alt=alt)


def _html_of(drawn: Any) -> str:
    bundle = drawn._repr_mimebundle_()
    return (bundle[0] if isinstance(bundle, tuple) else bundle)["text/html"]


@dataclass(frozen=True)
class Card:
    """The answer of a check: `status`, a `text` of one or two sentences, perhaps a `figure`."""

    status: Status
    text: str
    figure: Any = field(default=None, repr=False)
    exercise: str = ""

    def __str__(self) -> str:
        """Heading and text on one line."""
        return f"{_HEADING[self.status]}: {self.text}"

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        picture = _figure_html(self.figure, alt=self.text)
        page = _card_html(self.status, _HEADING[self.status], self.text, picture)
        return {"text/plain": str(self), "text/html": page}


@dataclass(frozen=True)
class Hint:
    """One nudge out of several; the last one nearly gives the answer."""

    text: str
    number: int
    total: int

    @property
    def _heading(self) -> str:
        return f"Hint {self.number} of {self.total}" if self.number else "No hints left"

    def __str__(self) -> str:
        """Heading and text on one line."""
        return f"{self._heading}: {self.text}"

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": _card_html("hint", self._heading, self.text)}


# --- the exercise -----------------------------------------------------------------------------


class Exercise:
    """A task with a check and hints; see `check` and `hint`."""

    def __init__(
        self,
        id: str,
        task: str,
        check: Callable[[Any], str | None],
        hints: Sequence[str] = (),
        answer: Literal["function", "value"] = "function",
        *,
        time_limit: float | None = 20.0,
        repeats: int = 2,
    ) -> None:
        """Describe the exercise.

        id: kebab-case, unique in the course. task: one line. check: called with the answer; raises `Wrong`, returns
        None or a sentence of praise. hints: from a nudge to nearly the answer. answer: "function" (also a class) or
        "value". time_limit: seconds for the whole check, or None; needs a Unix main thread, elsewhere the interrupt
        button does the job. repeats: how often the check must pass in a row; 2 catches answers right only once.
        """
        if answer not in ("function", "value"):
            raise ValueError(f'answer must be "function" or "value", came {answer!r}')
        if repeats < 1:
            raise ValueError(f"repeats must be at least 1, came {repeats}")
        if isinstance(hints, str):
            raise TypeError("hints must be a tuple of sentences, came one string: add a comma")
        self.id, self.task, self.check_answer = id, _sentence(task), check
        self.hints, self.answer = tuple(hints), answer
        self.time_limit, self.repeats = time_limit, repeats
        self._hints_given = 0
        _remember_libraries()

    def check(self, answer: Any = ...) -> Card:
        """Judge `answer`. Never raises: every outcome, a fault in the answer included, is a `Card`."""
        status, text, figure = self._judge(answer)
        return Card(status, _capital(text), figure, self.id)

    def hint(self) -> Hint:
        """The next hint; after the last one a sentence that says so, then the first again."""
        total = len(self.hints)
        if self._hints_given >= total:
            self._hints_given = 0
            more = "The next call starts again." if total else "The task line says it all."
            return Hint(f"{more} The solution is folded away below the exercise.", 0, total)
        self._hints_given += 1
        return Hint(self.hints[self._hints_given - 1], self._hints_given, total)

    def _judge(self, answer: Any) -> tuple[Status, str, Any]:
        if _is_blank(answer) or (self.answer == "function" and _is_stub(answer)):
            return "not attempted", f"{self.task} Replace the ... and run the cell.", None
        if self.answer == "function" and not callable(answer):
            return "not yet", f"expected a function, came {_kind(answer)}; pass its name.", None
        try:
            _mend_libraries()
            with _time_limit(self.time_limit), _random_state_kept():
                praise, *_ = [self.check_answer(answer) for _ in range(self.repeats)]
        except Wrong as wrong:
            return "not yet", wrong.sentence, wrong.figure
        except (_NotAttempted, NotImplementedError):
            return "not attempted", f"{self.task} There is still a blank (...) in it.", None
        except _TimeUp:
            return "not yet", _too_slow(self.time_limit), None
        except BaseException as error:
            return _explain(error, answer, self.check_answer)
        return "right", praise if isinstance(praise, str) else "it passed every check.", None


def _capital(text: str) -> str:
    """Capitalise an ordinary first word; leave names such as `margin(X)` alone."""
    first = text.split(" ", 1)[0]
    return text[0].upper() + text[1:] if first.isalpha() else text


def _sentence(task: str) -> str:
    return task if task.endswith((".", "?", "!")) else task + "."


def _is_blank(answer: Any) -> bool:
    return answer is None or _has_gap(answer)


def _has_gap(value: Any) -> bool:
    """True for `...` and for a plain container that still holds one."""
    if type(value) in (tuple, list, dict):
        return any(_has_gap(part) for part in (value.values() if type(value) is dict else value))
    return value is ...


_SILENT = {"RESUME", "NOP", "CACHE", "PRECALL", "COPY_FREE_VARS", "MAKE_CELL", "NOT_TAKEN"}


def _is_stub(answer: Any) -> bool:
    """True when the body is a docstring and `...`, `pass`, `return ...` or `raise NotImplementedError`."""
    if isinstance(answer, type):
        return any(_is_stub(part) for part in vars(answer).values() if inspect.isfunction(part))
    code = getattr(answer, "__code__", None)
    if not isinstance(code, CodeType):
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SILENT]
    if any(step.argval == "NotImplementedError" for step in steps[:2]):
        return steps[-1].opname == "RAISE_VARARGS"
    constants = ("LOAD_CONST", "RETURN_CONST")
    return len(steps) <= 2 and steps[0].opname in constants and steps[0].argval in (None, ...)


def _too_slow(seconds: float | None) -> str:
    return f"it did not finish within {seconds:g} s; look for a loop that never ends, or do less work in it."


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `_TimeUp` inside the block after `seconds`, where signals allow it (Unix, main thread)."""
    in_main = threading.current_thread() is threading.main_thread()
    if seconds is None or not in_main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)  # again each 0.5 s, if someone caught it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """The cells below draw the same random numbers whether or not an exercise was attempted."""
    torch = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch:
            torch.set_rng_state(before[2])


@contextmanager
def _learners(doing: str) -> Iterator[None]:
    """Note on an exception what of the learner's was running, for a library's traceback has no line of theirs."""
    try:
        yield
    except Exception as error:
        error._of_learner = doing  # type: ignore[attr-defined]
        raise


def _explain(error: BaseException, answer: Any, check: Callable) -> tuple[Status, str, Any]:
    """A sentence for an exception: the learner's line or call if it came from there, a fault of ours if not."""
    if isinstance(error, KeyboardInterrupt):
        return "not yet", "you stopped the check; run the cell again when you are ready.", None
    what = _message(error)
    line = _line_of_learner(error.__traceback__, answer, check)
    doing = getattr(error, "_of_learner", None)
    if line is None and isinstance(doing, str):
        return "not yet", f"{doing} stopped with {what}", None
    if line is None:
        return (
            "not yet",
            f"the check itself broke ({what}). That is our fault: please report it.",
            None,
        )
    number, source = line
    where = f"line {number}" + (f" ({source})" if source else "")
    if "ellipsis" in what:
        return "not attempted", f"there is still a blank (...) in your code, see {where}.", None
    return "not yet", f"your code stopped at {where} with {what}", None


def _message(error: BaseException) -> str:
    try:
        text = str(error).strip()
    except Exception:  # a learner's own exception class may fail to print
        text = ""
    first = text.splitlines()[0][:300] if text else ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _line_of_learner(
    trace: TracebackType | None, answer: Any, check: Callable
) -> tuple[int, str] | None:
    """Number and text of the deepest line of the learner's own code in the traceback."""
    codes = _codes_of(answer)
    own = {code.co_filename for code in codes}
    ours = {__file__, getattr(getattr(check, "__code__", None), "co_filename", None)}
    inside, found = False, None
    while trace is not None:
        code = trace.tb_frame.f_code
        inside = inside or code in codes
        name = code.co_filename
        if (name in own or "ipykernel" in name) and (inside or name not in ours):
            found = trace.tb_lineno, linecache.getline(name, trace.tb_lineno).strip()
        trace = trace.tb_next
    return found


def _codes_of(answer: Any) -> list[CodeType]:
    """The code objects of a function, a partial, a class or an instance."""
    answer = getattr(answer, "func", answer)
    if not isinstance(answer, type) and not hasattr(answer, "__code__"):
        answer = type(answer)
    parts = list(vars(answer).values()) if isinstance(answer, type) else [answer]
    return [part.__code__ for part in parts if hasattr(part, "__code__")]


# --- libraries as they were -------------------------------------------------------------------
_LIBRARIES = ("math", "numpy", "numpy.linalg", "numpy.random", "torch", "torch.nn.functional")
_SELF_CHANGED = {"manual_seed"}  # torch._dynamo wraps it when it is loaded
_library_functions: dict[str, list[tuple[Any, str, Any]]] = {}


def _remember_libraries() -> None:
    """Keep the public functions of every library loaded by now, each library once."""
    for name in _LIBRARIES:
        library = sys.modules.get(name)
        if library is not None and name not in _library_functions:
            places = (library, library.Tensor) if name == "torch" else (library,)
            _library_functions[name] = [entry for place in places for entry in _functions(place)]


def _functions(place: Any) -> list[tuple[Any, str, Any]]:
    names = dir(place) if isinstance(place, type) else list(vars(place))
    public = [name for name in names if not name.startswith("_") and name not in _SELF_CHANGED]
    found = [(place, name, getattr(place, name, None)) for name in public]
    return [entry for entry in found if callable(entry[2]) and _in_place(*entry)]


def _in_place(place: Any, name: str, function: Any) -> bool:
    return getattr(place, name, None) is function


def _mend_libraries() -> None:
    """Put replaced functions back and say so, or the reference would run on them."""
    entries = [entry for found in _library_functions.values() for entry in found]
    replaced = [entry for entry in entries if not _in_place(*entry)]
    for entry in replaced:
        setattr(*entry)
    if replaced:
        place, name, _ = replaced[0]
        raise Wrong(
            f"{place.__name__}.{name}: expected the library's own, came a replacement (an = where a call was meant?). "
            "The original is back; take the replacement out and run the cell again."
        )


# --- strict conversion ------------------------------------------------------------------------
# Our own references, taken at import: a learner's `np.allclose = lambda *a: True` changes nothing here.
_array, _abs, _isfinite, _isnan, _any = np.array, np.abs, np.isfinite, np.isnan, np.any
_argmax, _unravel = np.argmax, np.unravel_index
_default_rng, _deepcopy = np.random.default_rng, copy.deepcopy

_SCALARS = {int, float, *(t for t in np.sctypeDict.values() if issubclass(t, np.number))}
_BOOLS = {bool, np.bool_}


def _kind(value: Any) -> str:
    """What a value is, in words and without asking the value itself."""
    cls = type(value)
    if cls in _SCALARS or cls in _BOOLS:
        return f"{value!r} ({cls.__name__})"
    if cls is str:
        return f"the text {value[:40]!r}"
    if cls is np.ndarray:
        return f"an array of shape {value.shape}"
    if cls in _tensor_types():
        return f"a tensor of shape {tuple(value.shape)}"
    return "None" if value is None else f"an object of type {cls.__name__}"


def _tensor_types() -> tuple[type, ...]:
    torch = sys.modules.get("torch")  # no torch loaded: nobody can hold a tensor
    return (torch.Tensor, torch.nn.Parameter) if torch else ()


def _refuse(what: str, expected: str, value: Any, do: str = "") -> Wrong:
    return Wrong(f"{what}: expected {expected}, came {_kind(value)}" + (f"; {do}." if do else "."))


def _plain(value: Any, what: str) -> np.ndarray:
    """A fresh base-class array of `value`; refuses every type that could answer for itself."""
    if _has_gap(value):
        raise _NotAttempted
    cls = type(value)
    if cls in _SCALARS or cls in _BOOLS or cls is np.ndarray:
        plain = _array(value)
    elif cls is Fraction:
        plain = _array(value.numerator / value.denominator)
    elif cls in _tensor_types():
        plain = _array(_bare_tensor(value).numpy())
    elif cls in (list, tuple):
        plain = _stacked([_plain(part, what) for part in value], value, what)
    else:
        raise _refuse(what, "numbers in an array, a tensor or a list", value)
    if plain.dtype.kind not in "biuf":
        raise Wrong(
            f"{what}: expected real numbers, came an array of {plain.dtype}; convert with .astype(float)."
        )
    return plain


def _bare_tensor(value: Any) -> Any:
    torch = sys.modules["torch"]
    return torch.Tensor.detach(value).clone().cpu()


def _stacked(parts: list[np.ndarray], value: Any, what: str) -> np.ndarray:
    if len({part.shape for part in parts}) > 1:
        raise Wrong(f"{what}: expected rows of equal length, came a ragged {type(value).__name__}.")
    return _array(parts)


def _fits(shape: tuple[int, ...], wanted: Sequence[int | None]) -> bool:
    pairs = zip(shape, wanted, strict=False)
    return len(shape) == len(wanted) and all(w is None or s == w for s, w in pairs)


def _show(shape: Sequence[int | None]) -> str:
    return (
        "("
        + ", ".join("any" if s is None else str(s) for s in shape)
        + ("," if len(shape) == 1 else "")
        + ")"
    )


class _Require:
    """The strict helpers for checks: each returns a plain copy or raises `Wrong` with a sentence."""

    @staticmethod
    def number(value: Any, what: str = "your number") -> float:
        """A finite real number as float. Refuses bool, text, NaN, infinity; a 0-d array or tensor is fine."""
        if type(value) in _BOOLS or type(value) in (list, tuple):
            raise _refuse(what, "a number", value)
        plain = _plain(value, what)
        if plain.shape != () or plain.dtype.kind == "b":
            raise _refuse(what, "a single number", value, "index or reduce it to one value")
        number = float(plain)
        if not math.isfinite(number):
            raise Wrong(f"{what}: expected a finite number, came {number}.")
        return number

    @staticmethod
    def integer(value: Any, what: str = "your number", do: str = "") -> int:
        """A whole number as int; 3.0 is accepted, 3.5 is not. do: advice for whoever gives a fraction."""
        number = _Require.number(value, what)
        if number != int(number):
            raise Wrong(f"{what}: expected a whole number, came {number:g}. {do}".rstrip())
        return operator.index(value) if type(value) is int else int(number)

    @staticmethod
    def boolean(value: Any, what: str = "your answer") -> bool:
        """True or False and nothing that merely behaves like them."""
        if type(value) not in _BOOLS:
            raise _refuse(what, "True or False", value)
        return bool(value)

    @staticmethod
    def text(value: Any, what: str = "your answer", *, among: Sequence[str] = ()) -> str:
        """A plain string, stripped and in lower case; with `among` one of these."""
        if type(value) is not str:
            raise _refuse(what, "a text in quotes", value)
        word = value.strip().lower()
        if among and word not in among:
            raise Wrong(f"{what}: expected one of {', '.join(map(repr, among))}, came {value!r}.")
        return word

    @staticmethod
    def array(
        value: Any,
        what: str = "your array",
        *,
        shape: Sequence[int | None] | None = None,
        kind: Literal["number", "integer", "bool"] = "number",
        finite: bool = True,
    ) -> np.ndarray:
        """A plain copy of an array, tensor or (nested) list: float64, int64 or bool.

        shape: None inside it means any length. finite: refuse NaN and infinities.
        """
        plain = _plain(value, what)
        if shape is not None and not _fits(plain.shape, shape):
            raise Wrong(f"{what}: expected shape {_show(shape)}, came {_show(plain.shape)}.")
        if (plain.dtype.kind == "b") != (kind == "bool") and plain.size:
            raise Wrong(f"{what}: expected {kind} entries, came {plain.dtype}.")
        if kind == "bool":
            return plain.astype(bool)
        plain = plain.astype(np.float64) if kind == "number" else _whole(plain, what)
        if finite and _any(_isfinite(plain) == False):  # noqa: E712  (elementwise)
            bad = "NaN" if _any(_isnan(plain)) else "infinity"
            raise Wrong(f"{what}: expected finite numbers, came {bad} among them.")
        return plain

    @staticmethod
    def tensor(
        value: Any,
        what: str = "your tensor",
        *,
        shape: Sequence[int | None] | None = None,
        dtype: Any = None,
        finite: bool = True,
    ) -> Any:
        """A detached CPU copy of a torch tensor (same dtype); arrays and lists are refused."""
        if type(value) not in _tensor_types():
            raise _refuse(what, "a torch tensor", value, "convert with torch.as_tensor")
        bare = _bare_tensor(value)
        if shape is not None and not _fits(tuple(bare.shape), shape):
            raise Wrong(f"{what}: expected shape {_show(shape)}, came {_show(tuple(bare.shape))}.")
        if dtype is not None and bare.dtype != dtype:
            raise Wrong(f"{what}: expected dtype {dtype}, came {bare.dtype}.")
        numbers = _array(bare.double().numpy())
        if finite and _any(_isfinite(numbers) == False):  # noqa: E712  (elementwise)
            raise Wrong(f"{what}: expected finite numbers, came NaN or infinity among them.")
        return bare

    @staticmethod
    def close(
        actual: Any,
        expected: Any,
        atol: float = 1e-6,
        rtol: float = 1e-5,
        what: str = "your answer",
        do: str = "",
        figure: Any = None,
    ) -> None:
        """Raise `Wrong` unless |actual - expected| <= atol + rtol |expected| everywhere, in equal shapes.

        do: what to look at next, said after the numbers.
        """
        reference = _plain(expected, "the reference")
        kind: Literal["bool", "number"] = "bool" if reference.dtype.kind == "b" else "number"
        wanted, scalar = reference.astype(np.float64), reference.shape == () and kind == "number"
        plain = (
            _array(_Require.number(actual, what))
            if scalar
            else _Require.array(actual, what, shape=wanted.shape, kind=kind)
        )
        came = plain.astype(np.float64)
        excess = _abs(came - wanted) - (atol + rtol * _abs(wanted))
        if not _any(~(excess <= 0)):  # not: excess > 0, which is false for NaN
            return
        at = () if scalar else tuple(int(i) for i in _unravel(_argmax(excess), excess.shape))
        place = "" if scalar else f" at index {list(at)}"
        tail = f" {do}" if do else ""
        sentence = f"{what}: expected {wanted[at]:.5g}{place}, came {came[at]:.5g}.{tail}"
        raise Wrong(sentence, figure)

    @staticmethod
    def rng() -> np.random.Generator:
        """A generator with fresh entropy: no answer can have seen the inputs drawn from it."""
        return _default_rng()

    @staticmethod
    def call(
        fn: Callable,
        *args: Any,
        may_change_input: bool = False,
        may_be_none: bool = False,
        **kwargs: Any,
    ) -> Any:
        """`fn(*args, **kwargs)` on deep copies; the value returned must not be None, unless None is an answer.

        Raises `Wrong` for a wrong number of arguments, a changed input, a missing return, a replaced library function.
        Compute what you expect after this call, so that it is nowhere on the stack while the learner's code runs.
        """
        _check_arity(fn, args, kwargs)
        given, kept = _fresh((args, kwargs)), _fresh((args, kwargs))
        with _Require.running(_calling(args, kwargs)):
            result = fn(*given[0], **given[1])
        if result is NotImplemented or _has_gap(result):
            raise _NotAttempted
        if result is None and not may_be_none:
            raise Wrong("your function returned None; is a return missing?")
        if not may_change_input and not _same(given, kept):
            raise Wrong("your function changed its input; work on a copy and return the result.")
        return result

    @staticmethod
    @contextmanager
    def running(doing: str) -> Iterator[None]:
        """A block that runs what the learner built (`doing`: "training your network"): its errors are theirs."""
        try:
            with _learners(doing):
                yield
        finally:
            _mend_libraries()

    @staticmethod
    def scores(model: Any, x: Any) -> tuple[Any, int]:
        """`model(x)` without gradients, and how many numbers it used that are neither in x nor in its weights.

        The second is what a network looks up outside its parameters and floating-point buffers: tensors kept in
        attributes, closures or integer buffers, and arrays that come back from NumPy. Constants such as `torch.zeros` do not count.
        """
        torch = sys.modules["torch"]
        weights = (*model.parameters(), *(b for b in model.buffers() if b.is_floating_point()))
        with torch.no_grad(), _watch((x, *weights)) as watch:
            return _Require.call(model, x), watch.foreign

    @staticmethod
    def agrees(
        fn: Callable,
        reference: Callable,
        inputs: Callable[[np.random.Generator], tuple],
        *,
        trials: int = 5,
        atol: float = 1e-6,
        rtol: float = 1e-5,
        what: str = "your result",
        do: str = "",
    ) -> None:
        """Compare `fn` with `reference` on fresh random inputs `inputs(rng) -> args`, the learner's call first.

        `reference` gets its own copies of the same arguments and returns a number or an array.
        """
        rng = _Require.rng()
        for _ in range(trials):
            args = inputs(rng)
            came = _Require.call(fn, *args)
            _Require.close(came, reference(*_fresh(args)), atol, rtol, what, do)


def _whole(plain: np.ndarray, what: str) -> np.ndarray:
    if plain.dtype.kind == "f" and (
        not _isfinite(plain).all() or _any(plain != plain.astype(np.int64))
    ):
        raise Wrong(f"{what}: expected whole numbers, came fractions among them.")
    return plain.astype(np.int64)


def _calling(args: tuple, kwargs: dict) -> str:
    given = ", ".join(_kind(value) for value in (*args, *kwargs.values()))
    return "calling your answer" + (f" with {given}" if given else "")


def _watch(known: Sequence[Any]) -> Any:
    """A torch mode that counts in `foreign` the numbers of tensors that are neither known nor computed from tensors."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Watch(TorchDispatchMode):
        foreign, kept, seen = 0, list(known), {t.untyped_storage().data_ptr() for t in known}

        def note(self, values: Any, counts: bool) -> None:
            for tensor in (t for t in tree_leaves(values) if type(t) in _tensor_types()):
                place = tensor.untyped_storage().data_ptr()
                if place not in self.seen:
                    self.foreign += tensor.numel() * counts
                    self.kept.append(
                        tensor
                    )  # else its memory, and so its place, could be used again
                    self.seen.add(place)

        def __torch_dispatch__(
            self, operation: Any, types: Any, args: tuple = (), kwargs: dict | None = None
        ) -> Any:
            self.note((args, kwargs), counts=True)
            result = operation(*args, **(kwargs or {}))
            self.note(result, counts=False)
            return result

    return Watch()


def _check_arity(fn: Callable, args: tuple, kwargs: dict) -> None:
    if not callable(fn):
        raise _refuse("your answer", "a function", fn, "pass its name")
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):  # some built-ins have none
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        names = ", ".join([f"{len(args)} positional"] * bool(args) + [f"{k}=…" for k in kwargs])
        name = getattr(fn, "__name__", "your function")
        raise Wrong(
            f"{name}{signature} was called with {names} arguments; let it accept them."
        ) from None


def _fresh(value: Any) -> Any:
    """A deep copy; tensors keep `requires_grad` and lose their history."""
    if type(value) in _tensor_types():
        return value.detach().clone().requires_grad_(value.requires_grad)
    if type(value) in (list, tuple):
        return type(value)(_fresh(part) for part in value)
    if type(value) is dict:
        return {key: _fresh(part) for key, part in value.items()}
    return _deepcopy(value)


def _same(a: Any, b: Any) -> bool:
    """Equal contents, for arrays, tensors, numbers, texts and containers of them; other objects count as equal."""
    if type(a) is not type(b):
        return False
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if type(a) is dict:
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if type(a) in _tensor_types():
        a, b = _array(_bare_tensor(a).numpy()), _array(_bare_tensor(b).numpy())
    if type(a) is np.ndarray:
        if a.dtype.hasobject:
            return _same(a.tolist(), b.tolist())
        return a.shape == b.shape and a.tobytes() == b.tobytes()
    if hasattr(a, "state_dict"):
        return _same(dict(a.state_dict()), dict(b.state_dict()))
    return a == b or a != a if type(a) in _SCALARS | _BOOLS | {str} else True


require = _Require()
