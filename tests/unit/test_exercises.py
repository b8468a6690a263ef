"""A check must be seen failing: blanks, wrong answers, fabricated answers, code that breaks or never ends."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from dlcourse.exercises import Exercise, Wrong, require


def reference(X, w):
    return X @ w


def inputs(rng):
    return rng.normal(size=(4, 2)), rng.normal(size=2)


def check_scores(answer):
    require.agrees(answer, reference, inputs, what="the scores", do="Multiply X by w.")


def scores_exercise(**options):
    return Exercise("scores", "score each point", check_scores, ("a nudge", "more"), **options)


def value_exercise(expected=3.0):
    def check(answer):
        require.close(answer, expected, what="the margin")

    return Exercise("margin", "the margin", check, answer="value")


def judge(answer, **options):
    return scores_exercise(**options).check(answer)


# --- empty answers ------------------------------------------------------------------------------


def only_a_docstring(X, w):
    """Score each point."""
    ...


def returns_a_blank(X, w):
    return ...


def says_not_implemented(X, w):
    raise NotImplementedError("yours to write")


def uses_a_blank(X, w):
    product = ...
    return product * 2


class Blank(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x): ...


@pytest.mark.parametrize(
    "answer",
    [..., None, only_a_docstring, returns_a_blank, says_not_implemented, uses_a_blank, Blank],
    ids=lambda a: getattr(a, "__name__", repr(a)),
)
def test_an_empty_answer_is_not_attempted(answer):
    card = judge(answer)
    assert card.status == "not attempted"
    assert "..." in card.text


@pytest.mark.parametrize("blank", [..., None])
def test_an_empty_value_is_not_attempted(blank):
    assert value_exercise().check(blank).status == "not attempted"
    assert value_exercise().check().status == "not attempted"


def test_an_index_with_ellipsis_is_no_blank():
    assert judge(lambda X, w: (X * w)[...].sum(1)).status == "right"


# --- right answers, in several styles ---------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        reference,
        lambda X, w: np.einsum("ij,j->i", X, w),
        lambda X, w: torch.tensor(X) @ torch.tensor(w),
        lambda X, w: [float(sum(a * b for a, b in zip(x, w, strict=True))) for x in X],
        lambda *args: args[0] @ args[1],
    ],
)
def test_a_right_answer_is_right_in_any_style(answer):
    card = judge(answer)
    assert (card.status, card.exercise) == ("right", "scores")


def test_praise_of_the_check_is_passed_on():
    card = Exercise("a", "b", lambda answer: "Well done.", answer="value").check(1)
    assert (card.status, card.text) == ("right", "Well done.")


# --- wrong answers ----------------------------------------------------------------------------------------


def no_return(X, w):
    X @ w


def changes_its_input(X, w):
    X[0] = 0.0
    return reference(X, w)


def changes_and_restores_nothing(X, w):
    w *= 1.0000001
    return reference(X, w)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda X, w: X @ w + 1, "The scores: expected"),
        (lambda X, w: (X @ w)[:-1], "expected shape (4,), came (3,)"),
        (lambda X, w: X @ w * np.nan, "finite"),
        (lambda X, w: "X @ w", "came the text"),
        (lambda X, w: X @ w > 0, "bool"),
        (no_return, "Your function returned None; is a return missing?"),
        (changes_its_input, "changed its input"),
        (changes_and_restores_nothing, "changed its input"),
        (lambda X: X, "2 positional arguments"),
        (3.0, "Expected a function, came 3.0"),
    ],
)
def test_a_wrong_answer_gets_a_sentence(answer, sentence):
    card = judge(answer)
    assert card.status == "not yet"
    assert sentence in card.text


def test_none_is_an_answer_only_where_the_check_says_so():
    assert require.call(lambda x: None, 1.0, may_be_none=True) is None
    with pytest.raises(Wrong, match="is a return missing"):
        require.call(lambda x: None, 1.0)


def test_a_number_is_told_with_what_was_expected_and_what_came():
    card = value_exercise().check(2.0)
    assert card.text == "The margin: expected 3, came 2."


# --- answers made to fool --------------------------------------------------------------------------------


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __float__(self):
        return 3.0

    def __array__(self, dtype=None, copy=None):
        return np.array(3.0)


class LyingFloat(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class LyingArray(np.ndarray):
    def __array_ufunc__(self, *args, **kwargs):
        return np.zeros(())

    def __array_function__(self, *args, **kwargs):
        return True


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.tensor(True)


LIES = [
    AlwaysEqual(),
    LyingFloat(1.0),
    np.zeros(()).view(LyingArray),
    torch.zeros(()).as_subclass(LyingTensor),
    True,
    np.True_,
    "3.0",
    float("nan"),
    float("inf"),
    [3.0],
    np.array(3.0, dtype=object),
    3 + 0j,
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: type(lie).__name__)
def test_an_object_that_lies_is_refused(lie):
    card = value_exercise().check(lie)
    assert card.status == "not yet"
    assert "xpected" in card.text


@pytest.mark.parametrize("lie", [LIES[0], LIES[2], LIES[3]], ids=["equal", "array", "tensor"])
def test_a_function_that_returns_a_lie_is_refused(lie):
    assert judge(lambda X, w: lie).status == "not yet"
    assert judge(lambda X, w: [lie] * 4).status == "not yet"


@pytest.mark.parametrize(
    "truth", [3, 3.0, np.float32(3), np.int64(3), np.array(3.0), torch.tensor(3.0)]
)
def test_honest_numbers_of_every_kind_are_accepted(truth):
    assert value_exercise().check(truth).status == "right"


def test_replaced_library_functions_do_not_help(monkeypatch):
    for name in ("allclose", "isclose", "array_equal", "abs", "any", "isfinite", "argmax"):
        monkeypatch.setattr(np, name, lambda *args, **kwargs: True)
    assert judge(lambda X, w: X @ w + 1).status == "not yet"
    assert value_exercise().check(2.0).status == "not yet"


def test_an_answer_that_is_right_once_is_not_right():
    calls = []

    def once(X, w):
        calls.append(1)
        return reference(X, w) * (len(calls) <= 5)  # the five trials of the first check

    assert judge(once, repeats=1).status == "right"
    calls.clear()
    assert judge(once).status == "not yet"


def test_remembered_examples_do_not_help():
    seen = {}

    def spy(X, w):
        seen[X.tobytes()] = X @ w
        return X @ w

    assert judge(spy).status == "right"
    assert judge(lambda X, w: seen.get(X.tobytes(), np.zeros(4))).status == "not yet"


def test_the_expected_value_is_on_no_frame_while_the_answer_runs():
    def peek(X, w):
        frame, wanted = sys._getframe(1), X @ w
        while frame is not None:
            for name, value in frame.f_locals.items():
                assert name in ("X", "w") or not (
                    type(value) is np.ndarray
                    and value.shape == wanted.shape
                    and np.allclose(value, wanted)
                ), name
            frame = frame.f_back if frame.f_code.co_name != "check" else None
        return wanted

    card = judge(peek)
    assert card.status == "right", card.text


def test_the_check_leaves_the_random_numbers_of_the_notebook_alone():
    def draws(X, w):
        np.random.rand()
        torch.rand(1)
        return X @ w

    torch.manual_seed(0), np.random.seed(0)
    expected = torch.rand(1).item(), np.random.rand()
    torch.manual_seed(0), np.random.seed(0)
    judge(draws)
    assert (torch.rand(1).item(), np.random.rand()) == expected


# --- code that breaks -------------------------------------------------------------------------------------------


def test_an_exception_is_told_with_its_line_and_without_a_traceback():
    def breaks(X, w):
        X = X * 2
        return X @ w / undefined_name  # noqa: F821

    card = judge(breaks)
    assert card.status == "not yet"
    line = breaks.__code__.co_firstlineno + 2
    assert f"line {line} (return X @ w / undefined_name" in card.text
    assert "NameError: name 'undefined_name' is not defined" in card.text
    assert "Traceback" not in card.text


def test_the_deepest_line_of_the_learner_is_named_not_the_library_s():
    def breaks(X, w):
        return np.linalg.inv(X)

    assert "np.linalg.inv(X)" in judge(breaks).text


class BrokenPrint(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RecursionError, BrokenPrint])
def test_no_exception_escapes(error):
    def breaks(X, w):
        raise error

    assert judge(breaks).status == "not yet"


def test_a_class_as_answer_is_called_and_its_line_named():
    class Net(torch.nn.Module):
        def forward(self, x):
            return x @ x

    def check(answer):
        answer()(torch.ones(2, 3))

    card = Exercise("net", "write a net", check).check(Net)
    assert "return x @ x" in card.text
    assert card.status == "not yet"


def test_a_fault_of_the_check_is_called_ours():
    card = Exercise("a", "b", lambda answer: 1 / 0, answer="value").check(1)
    assert card.status == "not yet"
    assert "That is our fault" in card.text


def test_a_library_that_fails_on_the_learners_object_is_not_our_fault():
    def check(answer):
        require.call(require.call(answer), torch.ones(2, 3))

    card = Exercise("net", "write a net", check).check(lambda: torch.nn.Linear(4, 1))
    assert "tensor of shape (2, 3)" in card.text
    assert "our fault" not in card.text


def test_training_the_learners_object_is_not_our_fault():
    def check(answer):
        with require.running("training your network"):
            torch.ones(1).backward()

    card = Exercise("net", "write a net", check).check(lambda: 1)
    assert card.text.startswith("Training your network stopped with RuntimeError")


@pytest.mark.parametrize("answer", [(1, ...), [[1, 2], [3, ...]], {"a": {"b": ...}}])
def test_an_answer_with_a_gap_is_not_attempted(answer):
    assert value_exercise().check(answer).status == "not attempted"
    assert judge(lambda X, w: answer).status == "not attempted"


@pytest.mark.parametrize(("library", "name"), [(np, "sqrt"), (torch.Tensor, "numpy")])
def test_a_replaced_function_is_named_and_put_back(library, name):
    original = getattr(library, name)
    setattr(library, name, lambda *args: 0)
    card = value_exercise().check(3)
    assert f"{library.__name__}.{name}" in card.text
    assert getattr(library, name) is original
    assert value_exercise().check(3).status == "right"


def test_scores_count_the_numbers_that_are_not_weights():
    class Net(torch.nn.Linear):
        table = torch.ones(50, 3)
        bare = True

        def forward(self, x):
            scores = super().forward(x) + torch.zeros(len(x), 2)
            return scores if self.bare else scores + (x @ self.table.T).sum(1, keepdim=True)

    net, x = Net(3, 2), torch.rand(7, 3)
    assert require.scores(net, x)[1] == 0
    net.bare = False
    assert require.scores(net, x)[1] == 150


def test_an_endless_loop_ends_with_a_sentence():
    def endless(X, w):
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    start = time.perf_counter()
    card = judge(endless, time_limit=0.2)
    assert time.perf_counter() - start < 5
    assert "did not finish within 0.2 s" in card.text


# --- require ------------------------------------------------------------------------------------------------------


def test_array_converts_to_plain_copies():
    given = np.arange(3, dtype=np.float32)
    plain = require.array(given, shape=(None,))
    plain[0] = 9
    assert plain.dtype == np.float64
    assert given[0] == 0
    assert require.array([[1, 2], [3, 4]], kind="integer").dtype == np.int64
    assert require.array([True, False], kind="bool").dtype == bool


@pytest.mark.parametrize(
    ("value", "options"),
    [
        ([1.0, 2.0], {"shape": (3,)}),
        ([[1.0], [2.0, 3.0]], {}),
        ([1.5], {"kind": "integer"}),
        ([1, 0], {"kind": "bool"}),
        ([True], {}),
        ([np.inf], {}),
        ({1.0}, {}),
        (np.ma.masked_array([1.0]), {}),
        (None, {}),
    ],
)
def test_array_refuses(value, options):
    with pytest.raises(Wrong):
        require.array(value, **options)


def test_tensor_keeps_its_dtype_and_refuses_the_rest():
    came = require.tensor(
        torch.ones(2, 3, requires_grad=True), shape=(2, None), dtype=torch.float32
    )
    assert not came.requires_grad
    for value, options in [
        (np.ones(2), {}),
        (torch.ones(2), {"shape": (3,)}),
        (torch.ones(2), {"dtype": torch.float64}),
        (torch.tensor([np.nan]), {}),
    ]:
        with pytest.raises(Wrong):
            require.tensor(value, **options)


def test_scalars():
    assert require.integer(3.0) == 3
    assert require.integer(2**60 + 1) == 2**60 + 1
    assert require.boolean(np.True_) is True
    assert require.text(" XOR ", among=("xor", "and")) == "xor"
    for call in (
        lambda: require.integer(3.5),
        lambda: require.boolean(1),
        lambda: require.text("or", among=("xor", "and")),
        lambda: require.text(3),
    ):
        with pytest.raises(Wrong):
            call()


def test_close_names_the_worst_entry_and_carries_the_figure():
    with pytest.raises(Wrong) as caught:
        require.close([1.0, 5.0, 3.5], [1.0, 2.0, 3.0], what="w", do="Check b.", figure="a scene")
    assert caught.value.sentence == "w: expected 2 at index [1], came 5. Check b."
    assert caught.value.figure == "a scene"


def test_call_gives_tensors_modules_and_lists_as_copies():
    layer, parts = torch.nn.Linear(2, 1), [torch.ones(2)]

    def spoil(layer, parts):
        layer.weight.data.zero_()
        return 1.0

    with pytest.raises(Wrong, match="changed its input"):
        require.call(spoil, layer, parts)
    assert layer.weight.abs().sum() > 0
    assert require.call(spoil, layer, parts, may_change_input=True) == 1.0


# --- hints and cards --------------------------------------------------------------------------------------------------


def test_hints_come_one_at_a_time_and_start_again():
    exercise = scores_exercise()
    told = [str(exercise.hint()) for _ in range(4)]
    assert told[0] == "Hint 1 of 2: a nudge"
    assert told[1] == "Hint 2 of 2: more"
    assert told[2].startswith("No hints left")
    assert told[3] == told[0]


def test_mistakes_of_an_author_are_refused_at_once():
    for options in ({"answer": "number"}, {"repeats": 0}, {"hints": "one string"}):
        with pytest.raises((ValueError, TypeError)):
            Exercise("a", "b", check_scores, **options)


def html_of(card):
    return card._repr_mimebundle_()["text/html"]


def test_a_card_says_its_status_in_words_and_escapes_what_the_learner_wrote():
    card = judge(lambda X, w: "<script>alert(1)</script>")
    page = html_of(card)
    assert 'role="status"' in page
    assert "Not yet" in page
    assert "<script" not in page
    assert card._repr_mimebundle_()["text/plain"] == str(card) == repr(card)


def test_a_wrong_answer_may_come_with_a_picture():
    from matplotlib.figure import Figure

    from dlcourse import figures

    scene = figures.scene(figures.panel(figures.plot([0, 1], [0, 1])))
    for figure in (scene, Figure(), figures.show(scene, alt="a line")):

        def check(answer, figure=figure):
            raise Wrong("Look at the line.", figure)

        page = html_of(Exercise("a", "b", check, answer="value").check(1))
        assert "<img" in page
        assert "alt=" in page


def test_a_picture_that_cannot_be_drawn_costs_a_sentence_only():
    def check(answer):
        raise Wrong("Look.", figure=object())

    page = html_of(Exercise("a", "b", check, answer="value").check(1))
    assert "Look." in page
    assert "could not be drawn" in page


def test_text_cards_need_neither_torch_nor_matplotlib():
    code = (
        "import sys; from dlcourse.exercises import Exercise, require\n"
        "e = Exercise('a', 'b', lambda v: require.close(v, 1.0), answer='value')\n"
        "assert e.check(1.0).status == 'right' and e.check(2.0)._repr_mimebundle_()\n"
        "assert not {'torch', 'matplotlib', 'ipywidgets'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
