"""Portraits of people who pose expressions: JAFFE, KDEF, RaFD, Yale, CMU faces and London."""

from __future__ import annotations

from mien.datasets.labels import EXPRESSION_NAMES, TWO_LETTERS
from mien.datasets.layout import Layout, Official
from mien.datasets.paths import IMAGE, Files
from mien.types import Expression

_SEVEN = tuple(expression for expression in Expression if expression is not Expression.CONTEMPT)

JAFFE = Layout(
    name="jaffe",
    title="JAFFE",
    what="10 Japanese women, seven posed expressions, frontal, grey 256 x 256",
    tree="KA.AN1.39.tiff   (person, expression AN DI FE HA NE SA SU with a number, serial number)",
    entries=Files((rf"(?P<identity>[A-Z]{{2}})\.(?P<expression>[A-Z]{{2}})\d*\.\d+{IMAGE}",)),
    expressions={code: TWO_LETTERS[code] for code in ("an", "di", "fe", "ha", "ne", "sa", "su")},
    subjects="the first two letters of the name",
    official=Official(
        images=213,
        people=10,
        names=("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM"),
        expressions={
            Expression.NEUTRAL: 30,
            Expression.HAPPINESS: 31,
            Expression.SADNESS: 31,
            Expression.SURPRISE: 30,
            Expression.FEAR: 32,
            Expression.DISGUST: 29,
            Expression.ANGER: 30,
        },
    ),
    licence="non-commercial research; no redistribution",
    ask="Zenodo, record 3451524, on request",
    reference="Lyons et al., Coding facial expressions with Gabor wavelets, FG 1998",
    unsure="the meaning of the serial number, the record's number, and the count of each expression (the sum is right)",
)

KDEF = Layout(
    name="kdef",
    title="KDEF",
    what="70 actors, seven expressions, five angles, two sessions, colour 562 x 762",
    tree="""
AF01/AF01AFFL.JPG   (session A or B, sex F or M, person 01-35, expression AF AN DI HA NE SA SU, angle FL HL S HR FR)
""",
    entries=Files(
        (rf"[AB](?P<identity>[FM]\d{{2}})(?P<expression>AF|AN|DI|HA|NE|SA|SU)(?P<part>FL|HL|S|HR|FR){IMAGE}",)
    ),
    expressions={code: TWO_LETTERS[code] for code in ("af", "an", "di", "ha", "ne", "sa", "su")},
    subjects="the sex and the two digits of the name; a person has the same in both sessions",
    parts={"fl": "full-left", "hl": "half-left", "s": "straight", "hr": "half-right", "fr": "full-right"},
    official=Official(
        images=4_900,
        people=70,
        names=tuple(f"{sex}{number:02d}" for sex in "FM" for number in range(1, 36)),
        expressions=dict.fromkeys(_SEVEN, 700),
        parts=dict.fromkeys(("full-left", "half-left", "straight", "half-right", "full-right"), 980),
    ),
    licence="non-commercial research; no redistribution",
    ask="kdef.se, Karolinska Institutet",
    reference="Lundqvist, Flykt and Öhman, The Karolinska Directed Emotional Faces, 1998",
    unsure="the folders a person, which are not read; a few files of the set are known to be misnamed and are skipped",
)

RAFD = Layout(
    name="rafd",
    title="RaFD",
    what="67 models, eight expressions, three gazes, five angles, colour 681 x 1024",
    tree="""
Rafd090_28_Caucasian_male_angry_frontal.jpg   (angle 000-180, model, group, sex, expression, gaze; 090 is frontal)
""",
    entries=Files(
        (
            r"Rafd(?P<part>\d{3})_(?P<identity>\d{2})_[A-Za-z]+_(?:male|female)_(?P<expression>[a-z]+)"
            rf"_(?:frontal|left|right){IMAGE}",
        )
    ),
    expressions={
        word: EXPRESSION_NAMES[word]
        for word in ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
    },
    subjects="the two digits after the angle",
    official=Official(
        images=8_040,
        people=67,
        expressions=dict.fromkeys(Expression, 1_005),
        parts=dict.fromkeys(("000", "045", "090", "135", "180"), 1_608),
    ),
    licence="scientific research by staff of accredited universities",
    ask="rafd.nl, Radboud University Nijmegen",
    reference="Langner et al., Presentation and validation of the Radboud Faces Database, Cognition and Emotion 2010",
    unsure="the spelling of the children's group (Kid) and the size of the images",
)

YALE = Layout(
    name="yale",
    title="Yale faces",
    what="15 people, expressions, lights and glasses, grey 320 x 243",
    tree="""
subject01.happy   (GIF, with or without a suffix; also centerlight glasses leftlight noglasses normal rightlight sad
                   sleepy surprised wink)
""",
    entries=Files((rf"(?P<identity>subject\d{{2}})\.(?P<expression>[a-z]+)(?:{IMAGE})?",)),
    expressions={
        "normal": Expression.NEUTRAL,
        "happy": Expression.HAPPINESS,
        "sad": Expression.SADNESS,
        "surprised": Expression.SURPRISE,
        **dict.fromkeys(("centerlight", "glasses", "leftlight", "noglasses", "rightlight", "sleepy", "wink")),
    },
    subjects="the two digits after 'subject'",
    official=Official(
        images=165,
        people=15,
        names=tuple(f"subject{number:02d}" for number in range(1, 16)),
        expressions=dict.fromkeys(
            (Expression.NEUTRAL, Expression.HAPPINESS, Expression.SADNESS, Expression.SURPRISE), 15
        ),
    ),
    licence="research only; not to be redistributed in a larger set",
    ask="Yale University, Computer Vision and Robotics",
    reference="Belhumeur, Hespanha and Kriegman, Eigenfaces vs. Fisherfaces, PAMI 1997",
    unsure="whether other than 'normal' photos are neutral, so those keep the identity alone; the set's own notes say "
    "that subject04.sad is a copy of subject04.normal",
)

CMU_FACES = Layout(
    name="cmu-faces",
    title="CMU faces",
    what="20 people, four poses, four expressions, with and without sunglasses, grey 128 x 120",
    tree="faces/an2i/an2i_straight_happy_open.pgm   (person, pose, expression, eyes; _2 and _4 are smaller copies)",
    entries=Files(
        (rf"(?P<identity>[^/_]+)_(?P<part>straight|left|right|up)_(?P<expression>[a-z]+)_(?:open|sunglasses){IMAGE}",),
        other=rf"[^/]+_[24](?:{IMAGE}|\.bad)",
    ),
    expressions={word: EXPRESSION_NAMES[word] for word in ("neutral", "happy", "sad", "angry")},
    subjects="the first word of the name",
    official=Official(images=624, people=20),
    licence="free for education with attribution",
    ask="UCI Machine Learning Repository, CMU Face Images",
    reference="Mitchell, Machine Learning, 1997",
    unsure="the licence, which the repository's page gives as CC BY 4.0; 624 photos are the official 640 less the 16 "
    "spoiled ones (.bad)",
)

LONDON = Layout(
    name="london",
    title="Face Research Lab London Set",
    what="102 adults, a neutral and a smiling portrait each, colour 1350 x 1350",
    tree="""
neutral_front/002_03.jpg   (person)
smiling_front/002_08.jpg
""",
    entries=Files((rf"(?P<expression>neutral|smiling)_front/(?P<identity>\d+)_\d+{IMAGE}",)),
    expressions={"neutral": Expression.NEUTRAL, "smiling": Expression.HAPPINESS},
    subjects="the number before the underscore",
    official=Official(images=204, people=102, expressions={Expression.NEUTRAL: 102, Expression.HAPPINESS: 102}),
    licence="CC BY 4.0",
    ask="figshare 5047666",
    reference="DeBruine and Jones, Face Research Lab London Set, 2017",
)
