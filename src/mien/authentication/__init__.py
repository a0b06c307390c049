"""Authentication by expression: the same person, and the expression that was asked for (FaceLiveNet, Ming et al. 2018).

A challenge asks for random expressions after a neutral face, once, for a short time; a pure state machine follows the
frames; the client learns little, the audit more.

    policy = Policy.recommended(mien.contract)
    state, attempts = begin("ada", policy, mien.contract, now, attempts)      # store both
    state = advance(state, observe(now, mien.analyze(frame), references))     # for each frame; store it
    result_of(state, now)                                                     # for the client
    audit_of(state).to_json()                                                 # for the log

**What it does not stop**: a replayed or synthetic video that shows all the expressions asked, two good photos
swapped in front of the camera, masks and make-up, deepfakes driven live, a likeness good enough for the identity
threshold (twins), and a dishonest client that pushes frames of its choice instead of its camera's. Its measured
rates are in ``docs/authentication.md``. Where more is at stake, use it beside other factors.

Storing a state: `ChallengeStore` does it in a file beside the gallery. Another store must hand each state to one worker
at a time, and never an old one again (compare and swap on what was read), or one challenge could be answered twice.
"""

from __future__ import annotations

from mien.authentication.attempts import Attempts, begin
from mien.authentication.audit import AuditRecord, audit_of
from mien.authentication.challenge import Challenge
from mien.authentication.challenge_store import ChallengeStore
from mien.authentication.machine import advance, end
from mien.authentication.observation import Observation, SeenFace, observe
from mien.authentication.policy import Policy
from mien.authentication.policy_file import read_policy_fields
from mien.authentication.result import Reason, Result, Status, result_of
from mien.authentication.state import Outcome, State
from mien.authentication.store import Store
from mien.authentication.watch import watch

__all__ = [
    "Attempts",
    "AuditRecord",
    "Challenge",
    "ChallengeStore",
    "Observation",
    "Outcome",
    "Policy",
    "Reason",
    "Result",
    "SeenFace",
    "State",
    "Status",
    "Store",
    "advance",
    "audit_of",
    "begin",
    "end",
    "observe",
    "read_policy_fields",
    "result_of",
    "watch",
]
