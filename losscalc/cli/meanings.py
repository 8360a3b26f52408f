"""What options are called elsewhere: by other programs and libraries, in papers, and in daily speech."""

from types import MappingProxyType

MEANINGS = MappingProxyType(
    {
        "-i": "pred preds prediction predictions predicted y-pred ypred y-hat yhat hat score scores y-score "
        "logit logits prob probs proba probability probabilities log-prob log-probs logprobs "
        "output outputs model-output inputs input-file in x",
        "-t": "label labels y y-true ytrue y-test true truth ground-truth gt groundtruth targets target-file "
        "actual actuals answer answers class classes reference references gold t",
        "--dim": "axis dims axes",
        "--class-axis": "axis dim dims axes class-dim channel-axis channel-dim",
        "--format json": "json as-json to-json",
        "--format csv": "csv as-csv",
        "--format jsonl": "jsonl ndjson",
        "--format markdown": "markdown md",
        "--format latex": "latex tex",
        "--format": "output-format out-format fmt",
        "--output": "out save to outfile out-file output-file o write",
        "--reduction": "reduce agg aggregate aggregation average reduction-type reduce-mean",
        "--reduction sum": "sum total",
        "--reduction mean": "mean avg",
        "--reduction none": "none no-reduction per-row per-sample elementwise unreduced",
        "--precision": "round decimals dp ndigits places float-format",
        "--max-rows": "rows n-rows nrows limit head max-lines",
        "--quiet": "silent no-warnings",
        "--expect": "expected compare-to check assert equals want",
        "--explain": "why how steps working show-work verbose",
        "--gradient": "grad derivative backward",
        "--worst": "top topk top-k hardest k",
        "--stats": "describe statistics summary hist histogram",
        "--by": "group group-by groupby per-class",
        "--where": "filter query select if",
        "--key": "on join id ids join-on merge-on index-col",
        "--na": "nan missing dropna null skipna na-values nan-policy",
        "--from": "input-format in-format from-format filetype type",
        "--delimiter": "sep separator delim d field-separator",
        "--header": "names columns headers no-header",
        "--skip-rows": "skiprows skip skip-lines",
        "--threads": "jobs j n-jobs num-threads workers num-workers parallel",
        "--sample-weight": "sample-weights row-weight weights-per-row",
        "--pos-weight": "pos-weights positive-weight scale-pos-weight",
        "--weight": "weights w element-weight",
        "class-weights": "class-weight class-weights",
        "--label-smoothing": "smoothing label-smooth smooth",
        "--ignore-index": "ignore ignore-label pad pad-id padding-idx mask-index ignore-class",
        "--eps": "epsilon clipping clip-eps",
        "--margin": "m",
        "--temperature": "temp tau t",
        "--gamma": "focusing",
        "--dtype": "float32 float64 fp16 fp32 half double",
        "--plot": "figure fig chart draw",
        "--debug": "traceback trace",
        "--rtol": "tol tolerance rel-tol",
        "--atol": "abs-tol",
        "--version": "v",
    }
)
"""The words for each option, or for that of an array of some kind. The first that a command has counts."""

COMMANDS = MappingProxyType(
    {
        **dict.fromkeys(("explain", "how", "work"), "--explain"),
        **dict.fromkeys(("check", "expect", "verify", "assert"), "--expect NUMBER"),
        **dict.fromkeys(("gradient", "grad"), "--gradient"),
        "stats": "--stats",
        **dict.fromkeys(("compute", "calc", "calculate", "eval", "run", "loss"), ""),
    }
)
"""What is typed before the name of a loss, as the options that do it."""

SCORES = MappingProxyType(
    {
        **dict.fromkeys(("logit", "logits"), "logits"),
        **dict.fromkeys(("prob", "probs", "proba", "probability", "probabilities"), "probabilities"),
        **dict.fromkeys(("log-prob", "log-probs", "logprobs"), "log-probabilities"),
    }
)
"""The kinds of scores that people name an option after."""
