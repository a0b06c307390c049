"""Frames of acted video clips: CREMA-D and RAVDESS."""

from __future__ import annotations

from mien.datasets.labels import codes
from mien.datasets.layout import Layout, Official
from mien.datasets.paths import IMAGE, Files
from mien.types import Expression

_OWN_FRAMES = (
    "the frames' folders are a convention of mien, as the set has videos; frames at both ends may look neutral"
)

CREMA_D = Layout(
    name="crema-d",
    title="CREMA-D frames",
    what="91 actors speak 12 sentences in six emotions; frames that you took from the videos",
    tree="""
1001_DFA_ANG_XX/000.jpg   (actor, sentence, emotion ANG DIS FEA HAP NEU SAD, level; a folder a video, a file a frame)
""",
    entries=Files(
        (
            rf"(?P<identity>\d{{4}})_[A-Z]{{3}}_(?P<expression>[A-Z]{{3}})_(?:LO|MD|HI|XX?)/(?:[^/]*?)(?P<frame>\d+){IMAGE}",
        )
    ),
    expressions={
        "neu": Expression.NEUTRAL,
        "hap": Expression.HAPPINESS,
        "sad": Expression.SADNESS,
        "fea": Expression.FEAR,
        "dis": Expression.DISGUST,
        "ang": Expression.ANGER,
    },
    subjects="the four digits of the actor",
    official=Official(people=91, sequences=7_442, names=tuple(str(number) for number in range(1001, 1092))),
    licence="Open Database License 1.0, contents under the Database Contents License",
    ask="github.com/CheyneyComputerScience/CREMA-D",
    reference="Cao et al., CREMA-D, IEEE Transactions on Affective Computing 2014",
    unsure=_OWN_FRAMES,
)

RAVDESS = Layout(
    name="ravdess",
    title="RAVDESS frames",
    what="24 actors speak or sing two sentences in eight emotions; frames that you took from the videos",
    tree="""
Actor_01/01-01-03-01-01-01-01/000.jpg   (modality, channel, emotion, intensity, sentence, repetition, actor; a folder a
                                         video, a file a frame)
""",
    entries=Files(
        (
            r"0[12]-(?P<part>0[12])-(?P<expression>0[1-8])-0[12]-0[12]-0[12]-(?P<identity>\d{2})"
            rf"/(?:[^/]*?)(?P<frame>\d+){IMAGE}",
        )
    ),
    expressions={
        code.rjust(2, "0"): expression
        for code, expression in codes(
            Expression.NEUTRAL,
            None,  # calm
            Expression.HAPPINESS,
            Expression.SADNESS,
            Expression.ANGER,
            Expression.FEAR,
            Expression.DISGUST,
            Expression.SURPRISE,
            first=1,
        ).items()
    },
    subjects="the last number of the video's name",
    parts={"01": "speech", "02": "song"},
    official=Official(people=24, names=tuple(f"{number:02d}" for number in range(1, 25))),
    licence="CC BY-NC-SA 4.0",
    ask="Zenodo, record 1188976",
    reference="Livingstone and Russo, The Ryerson Audio-Visual Database, PLoS ONE 2018",
    unsure=_OWN_FRAMES,
)
