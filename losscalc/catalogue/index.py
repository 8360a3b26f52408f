"""The module of every loss and activation, by all their names; `python -m tests.support.tables` writes it.

A command imports the module of its loss alone, however many losses there are.
"""

MODULES = {
    "regression": """
        l1 L1Loss l1_loss mae mean_absolute_error absolute_error
        mse MSELoss mse_loss mean_squared_error squared_error l2
        smooth-l1 SmoothL1Loss smooth_l1_loss
        huber HuberLoss huber_loss
        log-cosh log_cosh_error
    """,
    "relative": """
        mape mean_absolute_percentage_error
        smape symmetric_mean_absolute_percentage_error
        msle mean_squared_log_error mean_squared_logarithmic_error
    """,
    "roots": """
        rmse root_mean_squared_error RootMeanSquaredError
        rmsle root_mean_squared_log_error root_mean_squared_logarithmic_error
    """,
    "quantile": """
        pinball quantile mean_pinball quantile_regression MQLoss check_loss tilted_loss
    """,
    "deviance": """
        tweedie-deviance tweedie mean_tweedie_deviance tweedie_deviance_score
        poisson-deviance mean_poisson_deviance
        gamma-deviance mean_gamma_deviance gamma_nll
    """,
    "likelihood": """
        poisson-nll PoissonNLLLoss poisson_nll_loss poisson
        gaussian-nll GaussianNLLLoss gaussian_nll_loss gaussian_negative_log_likelihood normal_nll
    """,
    "binary": """
        bce BCELoss binary_cross_entropy binary_crossentropy
        bce-logits BCEWithLogitsLoss binary_cross_entropy_with_logits sigmoid_cross_entropy
            sigmoid_cross_entropy_with_logits sigmoid_binary_cross_entropy
        multilabel-soft-margin MultiLabelSoftMarginLoss multilabel_soft_margin_loss
        sigmoid-focal sigmoid_focal_loss binary_focal BinaryFocalCrossentropy
            SigmoidFocalCrossEntropy
    """,
    "overlap": """
        dice soft_dice binary_dice f1 v_net
        jaccard soft_iou soft_jaccard
        tversky focal_tversky
    """,
    "hinge": """
        soft-margin SoftMarginLoss soft_margin_loss logistic
        hinge-embedding HingeEmbeddingLoss hinge_embedding_loss
        hinge binary_hinge svm HingeLoss
        squared-hinge l2_svm l2_hinge
    """,
    "margin": """
        multi-margin MultiMarginLoss multi_margin_loss
        multilabel-margin MultiLabelMarginLoss multilabel_margin_loss
    """,
    "multiclass": """
        cross-entropy CrossEntropyLoss cross_entropy ce xent softmax_cross_entropy
            softmax_cross_entropy_with_logits softmax_cross_entropy_with_integer_labels softmax_loss
            ranking_softmax_loss SoftTargetCrossEntropy SoftCrossEntropyLoss
            LabelSmoothingCrossEntropy
    """,
    "nll": """
        nll NLLLoss nll_loss negative_log_likelihood
    """,
    "perplexity": """
        perplexity ppl
    """,
    "choice": """
        focal softmax_focal_loss CategoricalFocalCrossentropy multiclass_focal FocalLoss
        multiclass-hinge crammer_singer CategoricalHinge
    """,
    "projection": """
        linear-cross-entropy LinearCrossEntropyLoss linear_cross_entropy fused_linear_cross_entropy
    """,
    "adaptive": """
        adaptive-log-softmax AdaptiveLogSoftmaxWithLoss adaptive_softmax
    """,
    "scoring": """
        log-loss logarithmic log_loss categorical_crossentropy sparse_categorical_crossentropy
        brier brier_score quadratic_score
    """,
    "divergence": """
        kl-div KLDivLoss kl_div
        kl kullback_leibler relative_entropy kl_divergence kld
        jensen-shannon js jsd js_divergence jensen_shannon_divergence
    """,
    "gaussian": """
        kl-gaussian vae_kl kl_normal latent_loss gaussian_kl
    """,
    "distillation": """
        distillation kd_loss knowledge_distillation KnowledgeDistillationKLDivLoss
    """,
    "embedding": """
        cosine-embedding CosineEmbeddingLoss cosine_embedding_loss
        cosine-distance cosine SimSiam CosineSimilarity NegativeCosineSimilarity BYOL
        contrastive siamese pair pairwise-contrastive ContrastiveLoss
    """,
    "contrast": """
        nt-xent SimCLR normalized-temperature-scaled-cross-entropy
        clip symmetric-info-nce open-clip
        sup-con supervised-contrastive
    """,
    "infonce": """
        info-nce MultipleNegativesRankingLoss in-batch-softmax in-batch-negatives n-pairs MoCo CPC
    """,
    "mining": """
        batch-triplet batch-hard-triplet batch-hard triplet-hard TripletHardLoss batch-all-triplet
            batch-semi-hard-triplet triplet-semihard
    """,
    "triplet": """
        triplet-margin TripletMarginLoss triplet_margin_loss FaceNet triplet
        triplet-margin-with-distance TripletMarginWithDistanceLoss triplet_margin_with_distance_loss
    """,
    "ranking": """
        margin-ranking MarginRankingLoss margin_ranking_loss
        ranknet rank:pairwise PairwiseLogisticLoss
    """,
    "preference": """
        bradley-terry reward RewardTrainer BPR relativistic-GAN pairwise-logistic
        dpo DPOTrainer direct-preference-optimization cDPO ipo robust-dpo preference
    """,
    "policy": """
        ppo-clip PPO policy pg clipped-surrogate-objective
        grpo GRPOTrainer group-relative-policy-optimization dapo bnpo dr-grpo
    """,
    "ctc": """
        ctc CTCLoss ctc_loss connectionist_temporal_classification
    """,
    "survival": """
        cox CoxPH neg_partial_log_likelihood partial-likelihood DeepSurv survival:cox proportional-
            hazards
    """,
    "boxes": """
        giou generalized_box_iou_loss generalized-iou generalized-box-iou
        diou distance_box_iou_loss distance-iou distance-box-iou
        ciou complete_box_iou_loss complete-iou complete-box-iou
        iou box-iou UnitBox intersection-over-union-of-boxes IoULoss
    """,
    "activations": """
        sigmoid Sigmoid sigmoid
        log-sigmoid LogSigmoid logsigmoid
        log log
        softmax Softmax softmax
        log-softmax LogSoftmax log_softmax
    """,
}
