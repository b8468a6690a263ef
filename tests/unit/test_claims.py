"""A verdict is derived from measurements; the records of the claims are complete."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats

from dlcourse import claims
from dlcourse.claims import Trial, cited, exact, find

BOOK = Path(__file__).parents[2] / "book"
SEEDS = range(6)


def measure(arm, seed, budget):
    """`max` leads by `budget`; both arms share the luck of the seed, and each has a little of its own."""
    luck = np.random.default_rng(seed).normal()
    own = np.random.default_rng([seed, arm == "max"]).normal() / 100
    return luck + own + (budget if arm == "max" else 0)


def run(budgets, arms=("max", "average"), **options):
    return Trial("c-max", measure, arms, SEEDS, budgets, unit="points", **options).run()


# --- verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budgets", "verdict"),
    [
        ({"short": 1.0, "long": 0.5}, "holds"),
        ({"short": 1.0, "long": 0.0}, "holds only if"),
        ({"short": -1.0, "long": 0.0}, "does not hold here"),
        ({"short": -1.0, "long": -0.5}, "does not hold here"),
    ],
)
def test_the_verdict_follows_from_the_intervals(budgets, verdict):
    card = run(budgets).verdict(better="max", condition="training is short")
    assert card.verdict == verdict
    assert card.condition == ("training is short" if verdict == "holds only if" else "")


def test_the_interval_is_the_paired_t_interval_of_scipy():
    result = run({"one": 0.3})
    a, b = result.values("max", "one"), result.values("average", "one")
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    came = result.interval("one")
    assert came[1:3] == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert came.mean == pytest.approx((a - b).mean())
    assert np.array_equal(result.differences["one"], a - b)


def test_pairing_by_seed_is_what_makes_the_difference_visible():
    result = run({"one": 0.3})
    unpaired = stats.ttest_ind(result.values("max", "one"), result.values("average", "one"))
    assert unpaired.confidence_interval(0.95).low < 0 < result.interval("one").low


def test_a_margin_lower_is_better_and_a_mapping_of_conditions():
    result = run({"short": 1.0, "long": 0.2})
    assert result.verdict(better="max", margin=0.5).words == "holds only if the budget is short"
    words = {"short": "labels are few", "long": "never"}
    assert result.verdict(better="max", margin=0.5, condition=words).condition == "labels are few"
    assert result.verdict(better="max", margin=2.0).verdict == "does not hold here"
    assert result.verdict(better="max", lower_is_better=True).verdict == "does not hold here"
    assert result.verdict(better="average", lower_is_better=True).verdict == "holds"


def test_equality_needs_the_interval_inside_the_band():
    result = run({"short": 0.0, "long": 0.5})
    assert (
        result.verdict_same("max", "average", within=0.1).words
        == "holds only if the budget is short"
    )
    assert result.verdict_same("max", "average", within=1.0).verdict == "holds"
    assert result.verdict_same("max", "average", within=1e-6).verdict == "does not hold here"
    with pytest.raises(ValueError, match="positive"):
        result.verdict_same("max", "average", within=0)


def test_with_three_arms_the_best_must_beat_each_of_the_named():
    def three(arm, seed, budget):
        return {"a": 2.0, "b": 1.0, "c": 3.0}[arm] + seed + measure(arm, seed, 0) / 100

    result = Trial("c-gates", three, ("a", "b", "c"), SEEDS).run()
    assert result.verdict(better="c").verdict == "holds"
    assert result.verdict(better="a", other="b").verdict == "holds"
    assert result.verdict(better="a", other=("b", "c")).verdict == "does not hold here"
    assert len(result.verdict(better="c").data["numbers"]) == 2
    assert result.interval("one", "c", "b").mean > 1


def test_no_verdict_can_be_typed():
    with pytest.raises(TypeError):
        run({"one": 1.0}).verdict("holds", verdict="holds")
    with pytest.raises(ValueError, match="expected one of the arms max, average, came 'holds'"):
        run({"one": 1.0}).verdict("holds")
    for typed in ("holds", 1, None):
        with pytest.raises(TypeError, match="computed"):
            exact("c-xor", holds=typed)


def test_exact_and_cited():
    assert exact("c-4x", np.bool_(True), {"ratio": 4.0}).words == "holds"
    assert (
        exact("c-4x", True, condition="biases are left out").words
        == "holds only if biases are left out"
    )
    assert exact("c-4x", False, condition="biases are left out").words == "does not hold here"
    assert cited("c-human", "russakovsky2015").words == "cited only"
    with pytest.raises(ValueError, match="source"):
        cited("c-human", " ")


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"arms": ("max",)},
        {"arms": ("max", "max")},
        {"seeds": (0, 1)},
        {"seeds": (0, 0, 1)},
        {"budgets": {}},
    ],
)
def test_a_trial_without_a_possible_verdict_is_refused_before_it_runs(options):
    given = {"arms": ("max", "average"), "seeds": SEEDS} | options
    with pytest.raises(ValueError, match="expected"):
        Trial("c-max", measure, **given)


def test_a_measurement_that_is_no_number_is_told_with_its_place():
    trial = Trial("c-max", lambda arm, seed, budget: float("nan"), ("max", "average"))
    with pytest.raises(ValueError, match=r"measure\('max', seed=0, budget='one'\)"):
        trial.run()


def test_an_unknown_claim_names_its_neighbours():
    with pytest.raises(LookupError, match="did you mean c-xor"):
        find("c-xr")
    with pytest.raises(LookupError):
        Trial("c-zzzzz", measure, ("max", "average"))


def test_a_missing_book_is_one_clear_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("DLCOURSE_BOOK", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="set DLCOURSE_BOOK"):
        find("c-max")


# --- the card --------------------------------------------------------------------------------------------


def bundle(card):
    return card._repr_mimebundle_()


def cards():
    result = run({"short": 1.0, "long": 0.0})
    yield result.verdict(better="max", condition="training is short")
    yield result.verdict(better="average")
    yield exact(
        "c-xor",
        True,
        {"best line": 0.75, "weights": 61706, "separable": False},
        "All lines < 360°.",
    )
    yield cited("c-human", ["russakovsky2015", "he2016"], "One annotator.")


@pytest.mark.parametrize("card", list(cards()), ids=lambda card: card.words)
def test_the_card_speaks_to_readers_machines_and_screen_readers(card):
    data = bundle(card)
    machine = data[claims.MIME]
    assert json.loads(json.dumps(machine, allow_nan=False)) == machine
    assert machine["id"] == card.claim.id
    assert f"{machine['verdict']} {machine['condition']}".strip() == card.words
    assert card.words in data["text/plain"]
    assert card.claim.statement in data["text/plain"]
    page = data["text/html"]
    assert card.words[1:] in page
    assert 'aria-label="Verdict on' in page
    assert page.count("<svg") == page.count('aria-hidden="true"') + page.count('role="img"')


def test_the_picture_has_a_ring_for_each_seed_and_budget():
    page = bundle(next(cards()))["text/html"]
    dots = page[page.index('<svg class="dlc-dots"') :]
    assert dots.count("<circle") == 2 * len(SEEDS)
    assert "95 % interval" in re.search(r'role="img" aria-label="([^"]*)"', dots)[1]


def test_a_long_name_of_a_row_takes_two_lines():
    recipe = "sigmoid, small weights, plain descent, long"
    page = bundle(run({recipe: 1.0}).verdict(better="max", other="average"))["text/html"]
    names = re.findall(r'<text x="14" y="(\d+)">([^<]*)</text>', page)
    assert [text for _, text in names] == [f"{recipe}: max against", "average (yes)"]
    assert all(len(text) <= 60 for _, text in names)
    ring = float(re.search(r'<circle cx="[\d.]+" cy="(\d+)" r="3.2"', page)[1])
    assert ring > float(names[1][0])


def test_text_from_outside_is_escaped():
    page = bundle(exact("c-xor", True, {"<b>": "<i>"}, "a < b"))["text/html"]
    assert "<b>" not in page
    assert "a &lt; b" in page


def test_the_output_is_byte_identical_and_rounded():
    first, second = (json.dumps(bundle(next(cards()))) for _ in range(2))
    assert first == second
    value = exact("c-xor", True, {"a": 1 / 3, "zero": -0.0, "n": 60965224}).data["numbers"]
    assert [n["value"] for n in value] == [0.3333, 0.0, 60965224]
    assert str(value[1]["value"]) == "0.0"
    with pytest.raises(ValueError, match="finite"):
        exact("c-xor", True, {"a": float("nan")})


def test_equal_measurements_still_make_a_card():
    result = Trial("c-max", lambda arm, seed, budget: 1.0, ("max", "average")).run()
    card = result.verdict(better="max")
    assert card.verdict == "does not hold here"
    assert "nan" not in json.dumps(bundle(card))


def test_the_table_shows_every_measurement():
    result = run({"short": 1.0, "long": 0.0})
    assert len(result.table) == 2 * 2 * len(SEEDS)
    assert repr(result.table).splitlines()[0].split() == ["budget", "seed", "max", "average"]
    assert len(repr(result.table).splitlines()) == 1 + 2 * len(SEEDS)
    assert result.table._repr_html_().count("<tr>") == 1 + 2 * len(SEEDS)


def test_a_headless_run_prints_nothing(capsys, monkeypatch):
    monkeypatch.setenv("DLCOURSE_HEADLESS", "1")
    run({"one": 1.0})
    assert capsys.readouterr() == ("", "")


# --- the data files -----------------------------------------------------------------------------------------

PARTS = ("start", "models", "applications", "parallelism", "frameworks", "hardware", "outlook")
CHAPTERS = {
    "start": "tour landscape",
    "models": "perceptron backpropagation depth optimisation regularisation convolution pooling cnn_lineage autoencoder "
    "sparse_coding boltzmann rbm rbm_family pretraining deep_belief rnn lstm_gru rnn_zoo echo_state gan gan_images vae generative_unified fusion "
    "attention spiking",
    "applications": "reading_images super_resolution detection faces retrieval captioning synthesis visual_microphone "
    "speech_hmm speech_end_to_end speech_models speech_signals language_models tagging_parsing sentiment translation "
    "question_answering recommendation alphago",
    "parallelism": "data_parallel parameter_server model_parallel scaling_limits platforms",
    "frameworks": "define_and_run mixed_and_declarative side_by_side deployment",
    "hardware": "cpu gpu fpga fpga_practice systolic diannao instruction_set compression neuromorphic in_memory fused_layers inexact",
    "outlook": "few_labels hyperparameters interpretability embedded",
}
PLACES = {f"{part}/{name}" for part, names in CHAPTERS.items() for name in names.split()}


def records(name):
    return yaml.safe_load((BOOK / name).read_text(encoding="utf-8"))


def test_all_claims_are_there_once():
    ids = [record["id"] for record in records("claims.yml")]
    assert len(ids) == len(set(ids)) == 202
    assert list(claims.claims()) == ids


@pytest.mark.parametrize("record", records("claims.yml"), ids=lambda r: r["id"])
def test_a_claim_is_complete(record):
    assert list(record) == ["id", "surveys", "part", "chapter", "statement", "testable", "how"]
    assert record["part"] in PARTS
    assert record["chapter"] in PLACES | {"book/claims"}
    assert record["chapter"].split("/")[0] in (record["part"], "book")
    assert record["testable"] in ("measured", "computed", "simulated", "cited")
    assert record["surveys"]
    assert all(re.match(r"[ABC] ", place) for place in record["surveys"])
    assert record["statement"].endswith(".")
    assert record["how"].endswith(".")


def test_all_errata_are_there_once():
    ids = [record["id"] for record in records("errata.yml")]
    assert len(ids) == len(set(ids)) == 169


@pytest.mark.parametrize("record", records("errata.yml"), ids=lambda r: r["id"])
def test_an_erratum_is_complete(record):
    assert list(record) == ["id", "where", "says", "right", "source", "confidence", "checked"]
    assert record["confidence"] in ("high", "medium-high", "medium")
    assert record["checked"] in ("measured", "reasoned", "from memory")
    assert record["checked"] != "from memory" or record["source"] or record["confidence"] != "high"
    keys = set(re.findall(r"^@\w+\{([^,]+),", (BOOK / "references.bib").read_text("utf-8"), re.M))
    assert {source for source in record["source"] if source.isalnum()} <= keys


def test_no_group_of_problems_is_empty():
    groups = records("problems.yml")
    assert [group["group"] for group in groups] == ["training", "deployment", "function", "domain"]
    for group in groups:
        assert group["problems"]
        for problem in group["problems"]:
            assert problem["name"]
            assert problem["chapters"]
            assert set(problem["chapters"]) <= PLACES


@pytest.mark.parametrize(
    ("budgets", "words"),
    [
        ({"short": 5, "long": 20.5}, "budgets short = 5, long = 20.5"),
        ({"shuffled": "shuffled", "20 nets, deep": (20, True), "bare": None}, "budgets shuffled; 20 nets, deep; bare"),
    ],
)  # fmt: skip
def test_a_card_names_its_budgets_and_shows_single_numbers(budgets, words):
    trial = Trial(
        "c-max",
        lambda arm, seed, budget: seed + (arm == "a"),
        ("a", "b"),
        range(3),
        budgets=budgets,
    )
    assert words + "." in trial.run().verdict(better="a").done
