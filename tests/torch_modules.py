"""How to build and feed the modules of ``torch.nn``: constructor arguments, and one input description per argument."""

from dataclasses import dataclass, field
from typing import Any

IMAGE = "float[N, 4, 6, 6]"
SERIES = "float[N, 4, 8]"
VOLUME = "float[N, 4, 4, 4, 4]"
ANY = "float[N, 6]"


@dataclass(frozen=True)
class Known:
    """One module class of ``torch.nn``."""

    name: str
    inputs: dict[str, str]
    init: dict[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> str:
        return f"torch.nn:{self.name}"


def _one(names: str, text: str, **init: Any) -> list[Known]:
    return [Known(name, {"input": text}, init) for name in names.split()]


def _loss(name: str, target: str, text: str = ANY, **init: Any) -> Known:
    return Known(name, {"input": text, "target": target}, init)


KNOWN: list[Known] = [
    *_one(
        "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh Identity LeakyReLU "
        "LogSigmoid LogSoftmax Mish ReLU ReLU6 "
        "RReLU SELU SiLU Sigmoid Softmax Softmin Softplus Softshrink Softsign Tanh Tanhshrink PReLU",
        ANY,
    ),
    *_one("Threshold", ANY, threshold=0.3, value=0.1),
    *_one("GLU", ANY),
    *_one("Softmax2d", IMAGE),
    *_one("Dropout AlphaDropout FeatureAlphaDropout", ANY),
    *_one("Dropout1d", SERIES),
    *_one("Dropout2d", IMAGE),
    *_one("Dropout3d", VOLUME),
    *_one("Linear", ANY, in_features=6, out_features=4),
    Known("Bilinear", {"input1": "float[N, 3]", "input2": "float[N, 5]"},
          {"in1_features": 3, "in2_features": 5, "out_features": 2}),
    Known("Embedding", {"input": "long[N, L] in below 9"}, {"num_embeddings": 9, "embedding_dim": 4}),
    Known("EmbeddingBag", {"input": "long[N, L] in below 9"}, {"num_embeddings": 9, "embedding_dim": 4}),
    *_one("Conv1d ConvTranspose1d", SERIES, in_channels=4, out_channels=3, kernel_size=3),
    *_one("Conv2d ConvTranspose2d", IMAGE, in_channels=4, out_channels=3, kernel_size=3, padding=1),
    *_one("Conv3d ConvTranspose3d", VOLUME, in_channels=4, out_channels=2, kernel_size=3),
    *_one("MaxPool1d AvgPool1d", SERIES, kernel_size=2),
    *_one("MaxPool2d AvgPool2d", IMAGE, kernel_size=2),
    *_one("MaxPool3d AvgPool3d", VOLUME, kernel_size=2),
    *_one("LPPool1d", SERIES, norm_type=2, kernel_size=2),
    *_one("LPPool2d", IMAGE, norm_type=2, kernel_size=2),
    *_one("LPPool3d", VOLUME, norm_type=2, kernel_size=2),
    *_one("AdaptiveAvgPool1d AdaptiveMaxPool1d", SERIES, output_size=3),
    *_one("AdaptiveAvgPool2d AdaptiveMaxPool2d", IMAGE, output_size=3),
    *_one("AdaptiveAvgPool3d AdaptiveMaxPool3d", VOLUME, output_size=2),
    *_one("FractionalMaxPool2d", IMAGE, kernel_size=2, output_size=3),
    *_one("FractionalMaxPool3d", VOLUME, kernel_size=2, output_size=2),
    *_one("BatchNorm1d InstanceNorm1d", SERIES, num_features=4),
    *_one("BatchNorm2d InstanceNorm2d", IMAGE, num_features=4),
    *_one("BatchNorm3d InstanceNorm3d", VOLUME, num_features=4),
    *_one("LayerNorm", ANY, normalized_shape=6),
    Known("RMSNorm", {"x": ANY}, {"normalized_shape": 6}),
    *_one("GroupNorm", IMAGE, num_groups=2, num_channels=4),
    *_one("LocalResponseNorm", IMAGE, size=3),
    *_one("CrossMapLRN2d", IMAGE, size=3),
    *_one("ConstantPad1d", SERIES, padding=2, value=0.5),
    *_one("ConstantPad2d", IMAGE, padding=1, value=0.5),
    *_one("ConstantPad3d", VOLUME, padding=1, value=0.5),
    *_one("ZeroPad1d CircularPad1d ReflectionPad1d ReplicationPad1d", SERIES, padding=2),
    *_one("ZeroPad2d CircularPad2d ReflectionPad2d ReplicationPad2d", IMAGE, padding=1),
    *_one("ZeroPad3d CircularPad3d ReflectionPad3d ReplicationPad3d", VOLUME, padding=1),
    *_one("Flatten", IMAGE),
    *_one("Unflatten", ANY, dim=1, unflattened_size=[2, 3]),
    *_one("Unfold", IMAGE, kernel_size=2),
    *_one("Fold", "float[N, 8, 9]", output_size=[4, 4], kernel_size=2),
    *_one("PixelShuffle", IMAGE, upscale_factor=2),
    *_one("PixelUnshuffle", IMAGE, downscale_factor=2),
    *_one("ChannelShuffle", IMAGE, groups=2),
    *_one("Upsample UpsamplingNearest2d UpsamplingBilinear2d", IMAGE, scale_factor=2),
    *_one("RNN LSTM GRU", "float[L, N, 5]", input_size=5, hidden_size=4),
    *_one("RNNCell LSTMCell GRUCell", "float[N, 5]", input_size=5, hidden_size=4),
    Known("MultiheadAttention", {"query": "float[L, N, 6]", "key": "float[S, N, 6]", "value": "float[S, N, 6]"},
          {"embed_dim": 6, "num_heads": 2}),
    Known("TransformerEncoderLayer", {"src": "float[L, N, 6]"}, {"d_model": 6, "nhead": 2, "dim_feedforward": 8}),
    Known("TransformerDecoderLayer", {"tgt": "float[L, N, 6]", "memory": "float[S, N, 6]"},
          {"d_model": 6, "nhead": 2, "dim_feedforward": 8}),
    Known("Transformer", {"src": "float[L, N, 4]", "tgt": "float[S, N, 4]"},
          {"d_model": 4, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 1, "dim_feedforward": 6}),
    Known("CosineSimilarity", {"x1": ANY, "x2": ANY}),
    Known("PairwiseDistance", {"x1": ANY, "x2": ANY}),
    *[_loss(name, ANY) for name in ["L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"]],
    _loss("KLDivLoss", "float[N, 6] in (0, 1)"),
    Known("PoissonNLLLoss", {"log_input": ANY, "target": "float[N, 6] in [0, inf)"}),
    _loss("BCELoss", "float[N, 6] in [0, 1]", "float[N, 6] in (0, 1)"),
    _loss("BCEWithLogitsLoss", "float[N, 6] in [0, 1]"),
    _loss("CrossEntropyLoss", "long[N] in below 6"),
    _loss("NLLLoss", "long[N] in below 6"),
    _loss("NLLLoss2d", "long[N, 6, 6] in below 4", IMAGE),
    _loss("MultiMarginLoss", "long[N] in below 6"),
    _loss("MultiLabelMarginLoss", "long[N, 6] in below 6"),
    _loss("MultiLabelSoftMarginLoss", "float[N, 6] in [0, 1]"),
    _loss("SoftMarginLoss", "float[N, 6] in [-1, 1]"),
    _loss("HingeEmbeddingLoss", "float[N, 6] in [-1, 1]"),
    Known("GaussianNLLLoss", {"input": ANY, "target": ANY, "var": "float[N, 6] in (0.1, 2)"}),
    Known("CosineEmbeddingLoss", {"input1": ANY, "input2": ANY, "target": "long[N] in [0, 1]"}),
    Known("MarginRankingLoss", {"input1": "float[N]", "input2": "float[N]", "target": "float[N] in [-1, 1]"}),
    Known("TripletMarginLoss", {"anchor": ANY, "positive": ANY, "negative": ANY}),
    Known("TripletMarginWithDistanceLoss", {"anchor": ANY, "positive": ANY, "negative": ANY}),
    Known("AdaptiveLogSoftmaxWithLoss", {"input_": ANY, "target_": "long[N] in below 9"},
          {"in_features": 6, "n_classes": 9, "cutoffs": [3, 6]}),
    Known("LinearCrossEntropyLoss", {"input": ANY, "target": "long[N] in below 5"},
          {"in_features": 6, "num_classes": 5}),
]  # fmt: skip

# Classes of torch.nn that are no layers to be fed: what they are.
NOT_FED = {
    "Module": "the base class",
    "Container": "the base class of containers",
    "Sequential": "a container",
    "ModuleList": "a container",
    "ModuleDict": "a container",
    "ParameterList": "a container",
    "ParameterDict": "a container",
    "RNNBase": "the base class of recurrent layers",
    "RNNCellBase": "the base class of recurrent cells",
    "TransformerEncoder": "is built from a layer",
    "TransformerDecoder": "is built from a layer",
    "CTCLoss": "takes lengths that bind two other inputs together",
    "SyncBatchNorm": "needs a process group",
    "DataParallel": "wraps a module over devices",
    "MaxUnpool1d": "takes the indices of a pooling",
    "MaxUnpool2d": "takes the indices of a pooling",
    "MaxUnpool3d": "takes the indices of a pooling",
}
