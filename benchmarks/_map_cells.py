"""The cells of the map: `two-digits` with one or two knobs turned away from a base."""

from __future__ import annotations

METHODS = (
    *("equal", "fixed", "dynamic", "dynamic-raw", "naive", "constant-input"),
    *("progress", "uncertainty", "uw-so", "gradnorm", "famo", "upgrad"),
)

CONTRASTS = (("dynamic", "equal"), ("dynamic", "fixed"), ("dynamic", "naive"), ("dynamic", "constant-input"))

Settings = dict[str, float]

BASE = "base"

CELLS: dict[str, Settings] = {
    BASE: {},
    **{f"noise {value:g}": {"noise": value} for value in (0.1, 0.25, 0.5, 0.75)},
    **{f"classes {value}": {"right_classes": value} for value in (5, 2)},
    **{f"scale {value:g}": {"right_scale": value} for value in (0.1, 10.0)},
    **{f"speed 1-{value}": {"right_speed": 1 / value} for value in (4, 16)},
    **{f"correlation {value:g}": {"correlation": value} for value in (-1.0, 1.0)},
    **{f"digits {value:g}": {"digits": value} for value in (0.1, 0.3)},
    **{f"epochs {value}": {"epochs": value} for value in (4, 36)},
    **{f"noise 0.5, scale {value:g}": {"noise": 0.5, "right_scale": value} for value in (0.1, 10.0)},
    **{f"noise 0.5, epochs {value}": {"noise": 0.5, "epochs": value} for value in (4, 36)},
    **{f"speed 1-16, scale {value:g}": {"right_speed": 1 / 16, "right_scale": value} for value in (0.1, 10.0)},
    **{f"correlation {value:g}, noise 0.5": {"correlation": value, "noise": 0.5} for value in (-1.0, 1.0)},
}
"""Each cell's name and its settings; a name is a folder too."""
