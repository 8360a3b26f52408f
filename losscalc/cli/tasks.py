"""What losses are for, and those that are for it; `python -m tests.support.tables` writes the names.

The first screen tells it, which needs no loss, and no NumPy.
"""

TASKS = {
    "regression": """
        l1 mse smooth-l1 huber log-cosh mape smape msle rmse rmsle pinball tweedie-deviance
        poisson-deviance gamma-deviance poisson-nll gaussian-nll
    """,
    "binary": """
        bce bce-logits sigmoid-focal soft-margin hinge squared-hinge log-loss brier
    """,
    "classification": """
        cross-entropy nll focal multiclass-hinge linear-cross-entropy adaptive-log-softmax
        distillation
    """,
    "segmentation": """
        bce-logits sigmoid-focal dice jaccard tversky cross-entropy focal
    """,
    "boxes": """
        smooth-l1 giou diou ciou iou
    """,
    "embeddings": """
        cosine-embedding cosine-distance contrastive nt-xent clip sup-con info-nce batch-triplet
        triplet-margin triplet-margin-with-distance
    """,
    "ranking": """
        margin-ranking ranknet bradley-terry
    """,
    "language model": """
        cross-entropy nll perplexity linear-cross-entropy adaptive-log-softmax distillation dpo
        ppo-clip grpo
    """,
}
