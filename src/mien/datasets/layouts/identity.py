"""Sets of people without expressions: LFW, YouTube Faces, and the folders a person that networks are trained on."""

from __future__ import annotations

from pathlib import Path

from mien.datasets.layout import Layout, Official
from mien.datasets.pairs import Pair, read_lfw_pairs, read_ytf_splits
from mien.datasets.paths import IMAGE, Files, find_file
from mien.errors import DataError


def _lfw_pairs(root: Path) -> tuple[Pair, ...]:
    return read_lfw_pairs(_list(root, "pairs.txt"))


def _ytf_pairs(root: Path) -> tuple[Pair, ...]:
    return read_ytf_splits(_list(root, "splits.txt"))


def _list(root: Path, name: str) -> Path:
    path = find_file(root, name)
    if path is None:
        raise DataError(f"neither it nor the folder above holds {name}")
    return path


LFW = Layout(
    name="lfw",
    title="Labeled Faces in the Wild",
    what="press photos of 5,749 people, colour 250 x 250",
    tree="""
Aaron_Eckhart/Aaron_Eckhart_0001.jpg   (in one folder such as lfw or lfw-deepfunneled)
pairs.txt                              (for the pairs: 10 and 300; then name number number, or name number name number)
""",
    entries=Files((rf"(?P<identity>[^/]+)/(?P=identity)_\d{{4}}{IMAGE}",)),
    subjects="the folder",
    official=Official(images=13_233, people=5_749, pairs=6_000),
    pairs=_lfw_pairs,
    licence="research; the photos' rights are with the press",
    ask="vis-www.cs.umass.edu/lfw",
    reference="Huang et al., Labeled Faces in the Wild, 2007",
)

YTF = Layout(
    name="ytf",
    title="YouTube Faces",
    what="3,425 videos of 1,595 people, as frames",
    tree="""
aligned_images_DB/Aaron_Eckhart/0/aligned_detect_0.555.jpg   (person, video, frame)
or frame_images_DB/Aaron_Eckhart/0/0.555.jpg, whole frames with other people too
splits.txt                                                   (for the pairs: fold, number, name/video, name/video, same)
""",
    # The aligned frames are preferred: a whole frame may show others than the person named.
    entries=Files(
        (
            rf"(?P<identity>[^/]+)/\d+/aligned_detect_\d+\.(?P<frame>\d+){IMAGE}",
            rf"(?P<identity>[^/]+)/\d+/\d+\.(?P<frame>\d+){IMAGE}",
        )
    ),
    subjects="the folder above the video's",
    official=Official(images=621_126, people=1_595, sequences=3_425, pairs=5_000),
    pairs=_ytf_pairs,
    licence="research; the videos' rights are with their makers",
    ask="cs.tau.ac.il/~wolf/ytfaces",
    reference="Wolf, Hassner and Maoz, Face recognition in unconstrained videos with matched background similarity, "
    "CVPR 2011",
    unsure="the format of splits.txt and the names of frames, as other readers have them",
)

CASIA_WEBFACE = Layout(
    name="casia-webface",
    title="CASIA-WebFace",
    what="actors from the web, colour 250 x 250",
    tree="0000045/001.jpg   (person, photo)",
    entries=Files((rf"(?P<identity>\d{{7}})/\d+{IMAGE}",)),
    subjects="the folder",
    official=Official(images=494_414, people=10_575),
    licence="research on request; no longer given out by its makers",
    ask="the Institute of Automation, Chinese Academy of Sciences",
    reference="Yi et al., Learning face representation from scratch, 2014",
    unsure="the digits of the names; cleaned copies hold fewer photos",
)

VGGFACE2 = Layout(
    name="vggface2",
    title="VGGFace2",
    what="celebrities from the web in many poses and ages",
    tree="train/n000002/0001_01.jpg and test/n000001/0001_01.jpg   (person, photo)",
    entries=Files((rf"(?:(?P<part>train|test)/)?(?P<identity>n\d{{6}})/\d{{4}}_\d{{2}}{IMAGE}",)),
    subjects="the folder",
    official=Official(images=3_311_286, people=9_131, parts={"train": 3_141_890, "test": 169_396}),
    licence="was CC BY-NC 4.0; withdrawn by its makers",
    ask="no longer given out by the University of Oxford",
    reference="Cao et al., VGGFace2, FG 2018",
    unsure="the counts of the parts and the terms, from memory",
)

MS_CELEB = Layout(
    name="ms-celeb",
    title="MS-Celeb-1M",
    what="celebrities from the web, noisy; used in many cleaned forms",
    tree="m.01_0_d4/0-FaceId-0.jpg   (person, photo; any folder names will do)",
    entries=Files((rf"^(?P<identity>[^/]+)/(?:[^/]+/)*[^/]+{IMAGE}",)),
    subjects="the topmost folder",
    licence="withdrawn by its makers",
    ask="no longer given out by Microsoft",
    reference="Guo et al., MS-Celeb-1M, ECCV 2016",
    unsure="the names of folders and files; counts differ between cleaned forms, so none is given",
)

FOLDERS = Layout(
    name="folders",
    title="a folder a person",
    what="your own photos of people",
    tree="<person>/<photo>.jpg   (folders below a person's are read too)",
    entries=Files((rf"^(?P<identity>[^/]+)/(?:[^/]+/)*[^/]+{IMAGE}",)),
    subjects="the topmost folder",
    licence="yours",
    ask="yourself",
    reference="none",
    generic=True,
)
