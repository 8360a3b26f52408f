"""The search for losses by a word, as people type it who know what a loss is for, not what it is called."""

import pytest

from losscalc import losses
from losscalc.errors import UsageError
from losscalc.insight.search import SYNONYMS, search


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("iou", ["jaccard", "giou", "diou", "ciou", "iou"]),
        ("RL", ["ppo-clip", "grpo"]),
        ("GANs", ["mse", "bce", "bce-logits", "hinge", "bradley-terry"]),
        ("bounding boxes", ["giou", "diou", "ciou", "iou"]),
        ("RLHF", ["bradley-terry", "dpo"]),
        ("knowledge distillation", ["distillation"]),
        ("counts", ["tweedie-deviance", "poisson-deviance", "poisson-nll"]),
        ("asr", ["ctc"]),
        ("torchmetrics hinge", ["hinge", "squared-hinge", "multiclass-hinge"]),
        ("ordinal", ["l1", "mse", "bce-logits"]),
        ("noisy labels", ["l1", "cross-entropy", "jensen-shannon"]),
        ("super-resolution", ["l1", "mse", "huber"]),
        ("Diffusion", ["mse", "smooth-l1", "huber"]),
        ("depth estimation", ["l1", "smooth-l1", "huber"]),
        ("anomaly detection", ["l1", "mse", "bce"]),
        ("autoencoders", ["l1", "mse", "bce", "kl-gaussian"]),
        ("onnx", ["cross-entropy", "nll"]),
    ],
)
def test_words(word: str, found: list[str]) -> None:
    """Two letters in the middle of a word find nothing: overlap has nothing to do with RL."""
    assert [cls.name for cls in search(word) if cls.name in found] == found
    assert len(search(word)) == len(found)


@pytest.mark.parametrize(
    ("phrase", "use"),
    [
        ("instance segmentation", "segmentation"),
        ("image classification", "classification"),
        ("time series forecasting", "forecast"),
        ("recommendation systems", "recommendation"),
        ("language modelling", "language model"),
        ("language modeling", "language model"),
        ("tumour", "segmentation"),
        ("stock price prediction", "forecast"),
        ("churn prediction", "binary"),
        ("click through rate", "binary"),
        ("sentiment analysis", "one class of several"),
        ("image captioning", "language model"),
        ("image-to-image translation", "restoration"),
        ("siamese networks", "metric learning"),
    ],
)
def test_a_phrase_finds_what_is_done(phrase: str, use: str) -> None:
    """It stands last, or before a word that says little; of pictures or of texts makes no difference."""
    assert {name for name, cls in losses().items() if use in cls.uses} <= {cls.name for cls in search(phrase)}


def test_letters_within_a_word_find_nothing() -> None:
    """Trainer has nothing to do with rain."""
    with pytest.raises(UsageError):
        search("rain")


def test_llm_leads_to_language_models() -> None:
    """And not to nll, whose letters are close."""
    assert {"cross-entropy", "perplexity", "dpo"} < {cls.name for cls in search("LLM")}


@pytest.mark.parametrize("use", SYNONYMS)
def test_synonyms_are_of_uses(use: str) -> None:
    """Each other word leads to all losses with that use."""
    own = {name for name, cls in losses().items() if use in cls.uses}
    assert own
    for word in SYNONYMS[use]:
        assert own <= {cls.name for cls in search(word)}


@pytest.mark.parametrize("word", ["hard negatives", "multi modal nonsense", "kernel"])
def test_what_nothing_has_gets_no_guess(word: str) -> None:
    """Letters that agree by chance say nothing."""
    with pytest.raises(UsageError) as caught:
        search(word)
    assert caught.value.hint == "losscalc list shows all"
