"""Example answers for the OpenAPI, from the example photos; numbers are shortened."""

from __future__ import annotations

MODEL = "mien-s1-b9415c97bce4"

PROBABILITIES = {
    "neutral": 0.009238,
    "happiness": 0.929008,
    "sadness": 0.01188,
    "surprise": 0.009497,
    "fear": 0.012481,
    "disgust": 0.014088,
    "anger": 0.01381,
}

FACE = {
    "box": [290.82, 65.97, 485.8, 330.4],
    "score": 1.0,
    "landmarks": [[351.79, 169.34], [436.15, 168.74], [394.62, 219.14], [344.93, 252.92], [440.87, 250.17]],
    "found_by": "photo",
    "expression": "happiness",
    "probabilities": PROBABILITIES,
    "embedding": None,
    "outputs": {},
}

ANALYSIS = {"model": MODEL, "faces": [FACE]}

VERIFICATION = {
    "same": True,
    "distance": 0.714461,
    "threshold": 1.0878,
    "face_a": FACE,
    "face_b": FACE,
    "faces_in_a": 1,
    "faces_in_b": 1,
}

IDENTIFICATION = {
    "model": MODEL,
    "threshold": 1.0878,
    "faces": [
        {**FACE, "known": "Ada Lovelace", "matches": [{"name": "Ada Lovelace", "distance": 0.714461, "sample": 2}]}
    ],
}

PERSON = {
    "name": "Ada Lovelace",
    "consent": "to open the door",
    "enrolled": "2026-01-01T09:00:00Z",
    "expires": "2027-01-01T00:00:00Z",
    "expired": False,
    "samples": 2,
}

PEOPLE = {"people": [PERSON], "total": 1, "next": None}

ENROLMENT = {
    "person": PERSON,
    "photos": [
        {"photo": 1, "enrolled": True, "problems": [], "warnings": []},
        {
            "photo": 2,
            "enrolled": False,
            "problems": ["the face is 40 pixels wide, less than 64; come closer or use a larger photo"],
            "warnings": [],
        },
    ],
}

SAMPLES = {
    "name": "Ada Lovelace",
    "samples": [
        {"number": 1, "added": "2026-01-01T09:00:00Z", "source": "image 1"},
        {"number": 2, "added": "2026-01-01T09:00:00Z", "source": "image 2"},
    ],
}

REMOVAL = {"names": ["Ada Lovelace"], "samples": 2, "pending": False}

EXPORT = (
    '{"format": "mien-gallery", "version": 1, "model": "mien-s1-b9415c97bce4", "embedding_size": 128}\n'
    '{"name": "Ada Lovelace", "consent": "to open the door", "consents": ["to open the door"], '
    '"enrolled": "2026-01-01T09:00:00Z", "expires": null, '
    '"samples": [{"added": "2026-01-01T09:00:00Z", "source": "image 1", "embedding": [0.0123]}]}\n'
)

CHALLENGE = {
    "id": "k3YxJt2hQm0dT9vZ1sLw8A",
    "status": "running",
    "prompt": "neutral",
    "step": 0,
    "steps": 3,
    "progress": 0.333,
    "seconds_left": 17.2,
    "reason": None,
}

RESULT = {
    **CHALLENGE,
    "status": "accepted",
    "prompt": None,
    "step": 3,
    "progress": 0.0,
    "seconds_left": 0.0,
    "person": "Ada Lovelace",
    "issued": "2026-01-01T09:00:00Z",
    "ended": "2026-01-01T09:00:11Z",
}

_CHOICE = {
    "threshold": 0.4931,
    "threshold_interval": {"low": 0.4512, "high": 0.5204},
    "far": 0.0098,
    "far_interval": {"low": 0.0041, "high": 0.0171},
    "frr": 0.02,
    "frr_interval": {"low": 0.0, "high": 0.05},
    "genuine": 60,
    "impostors": 1225,
    "people": 20,
}

CALIBRATION = {
    "model": MODEL,
    "far_asked": 0.01,
    "chosen_on": "photos sent to the service: 20 people, 60 genuine and 1225 impostor pairs",
    "verification": _CHOICE,
    "identification": {**_CHOICE, "threshold": 0.4275, "genuine": 50, "impostors": 50},
    "warnings": [],
    "saved": True,
}

SERVICE = {
    "version": "0.1.0",
    "model": MODEL,
    "expressions": list(PROBABILITIES),
    "key_needed": True,
    "role": "enrol",
    "limits": {"body": 10_000_000, "pixels": 25_000_000, "photos": 50, "rate": 50.0},
}

PROBLEM_KIND = {
    "code": "busy",
    "status": 503,
    "title": "The service has too much to do",
    "remedy": "Wait as long as `Retry-After` says.",
}
