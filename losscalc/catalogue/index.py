"""The module of every loss and activation, by all their names; `python -m tests.support.tables` writes it.

A command imports the module of its loss alone, however many losses there are.
"""

MODULES = {
    "regression": """
        l1 L1Loss l1_loss
        mse MSELoss mse_loss
        smooth-l1 SmoothL1Loss smooth_l1_loss
        huber HuberLoss huber_loss
        log-cosh
    """,
    "likelihood": """
        poisson-nll PoissonNLLLoss poisson_nll_loss
        gaussian-nll GaussianNLLLoss gaussian_nll_loss
    """,
    "binary": """
        bce BCELoss binary_cross_entropy
        bce-logits BCEWithLogitsLoss binary_cross_entropy_with_logits
        multilabel-soft-margin MultiLabelSoftMarginLoss multilabel_soft_margin_loss
        sigmoid-focal sigmoid_focal_loss
    """,
    "margin": """
        soft-margin SoftMarginLoss soft_margin_loss
        hinge-embedding HingeEmbeddingLoss hinge_embedding_loss
        multi-margin MultiMarginLoss multi_margin_loss
        multilabel-margin MultiLabelMarginLoss multilabel_margin_loss
    """,
    "multiclass": """
        cross-entropy CrossEntropyLoss cross_entropy
        nll NLLLoss nll_loss
    """,
    "projection": """
        linear-cross-entropy LinearCrossEntropyLoss linear_cross_entropy
    """,
    "adaptive": """
        adaptive-log-softmax AdaptiveLogSoftmaxWithLoss
    """,
    "scoring": """
        log-loss
    """,
    "divergence": """
        kl-div KLDivLoss kl_div
    """,
    "embedding": """
        cosine-embedding CosineEmbeddingLoss cosine_embedding_loss
        margin-ranking MarginRankingLoss margin_ranking_loss
    """,
    "triplet": """
        triplet-margin TripletMarginLoss triplet_margin_loss
        triplet-margin-with-distance TripletMarginWithDistanceLoss triplet_margin_with_distance_loss
    """,
    "ctc": """
        ctc CTCLoss ctc_loss
    """,
    "boxes": """
        giou generalized_box_iou_loss
        diou distance_box_iou_loss
        ciou complete_box_iou_loss
    """,
    "activations": """
        sigmoid Sigmoid sigmoid
        log-sigmoid LogSigmoid logsigmoid
        log log
        softmax Softmax softmax
        log-softmax LogSoftmax log_softmax
    """,
}
