"""Oulu-CASIA NIR&VIS (Zhao et al., 2011): sequences from neutral to peak, by two cameras in three lights."""

from __future__ import annotations

from itertools import product

from mien.datasets.labels import EXPRESSION_NAMES
from mien.datasets.layout import Frames, Layout, Official
from mien.datasets.paths import IMAGE, Files
from mien.types import Expression

_TAIL = (
    r"/(?P<part2>Strong|Weak|Dark)/(?P<identity>P\d{3})"
    rf"/(?P<expression>Anger|Disgust|Fear|Happiness|Sadness|Surprise)/(?P<frame>\d+){IMAGE}"
)
_PARTS = tuple(f"{camera}-{light}" for camera, light in product(("vl", "ni"), ("strong", "weak", "dark")))
_SIX = (
    Expression.HAPPINESS,
    Expression.SADNESS,
    Expression.SURPRISE,
    Expression.FEAR,
    Expression.DISGUST,
    Expression.ANGER,
)

OULU_CASIA = Layout(
    name="oulu-casia",
    title="Oulu-CASIA NIR&VIS",
    what="six posed expressions from neutral to peak, visible (vl) and infrared (ni) camera, three lights, 320 x 240",
    tree="""
OriginalImg/VL/Strong/P001/Anger/000.jpeg    (camera VL or NI; light Strong, Weak or Dark; person; expression; frame)
or PreProcessImg/VL_Acropped/Strong/P001/Anger/000.jpeg, the cropped images; names above the camera may differ
""",
    # The uncropped images are preferred: they can be aligned like the photos that a network will see.
    entries=Files((f"(?P<part>VL|NI){_TAIL}", f"(?P<part>VL|NI)_Acropped{_TAIL}")),
    expressions={word: EXPRESSION_NAMES[word] for word in (expression.value for expression in _SIX)},
    subjects="the folder P and three digits",
    # The first frame as neutral, the last three as the expression: comments in the official code of Ming et al., 2019,
    # which takes the part vl-strong and trains on the six expressions without neutral (1,440 frames).
    frames=Frames(neutral=1, peak=3),
    official=Official(
        images=len(_PARTS) * 1_920,
        people=80,
        sequences=len(_PARTS) * 480,
        names=tuple(f"P{number:03d}" for number in range(1, 81)),
        expressions={
            Expression.NEUTRAL: len(_PARTS) * 480,
            **{expression: len(_PARTS) * 240 for expression in _SIX},
        },
        parts=dict.fromkeys(_PARTS, 1_920),
    ),
    licence="signed licence, academic research only",
    ask="the Center for Machine Vision and Signal Analysis, University of Oulu",
    reference="Zhao et al., Facial expression recognition from near-infrared videos, Image and Vision Computing 2011",
    unsure="the names of the folders above the camera differ between releases and are not checked",
)
