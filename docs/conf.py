"""Settings of the documentation; `make docs` builds it."""

from __future__ import annotations

import sys
from pathlib import Path

import mien

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))

project = "mien"
project_copyright = "the mien developers"
version = release = mien.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "known_names", "mathml", "method_pages"]
exclude_patterns = ["_ext", "results/open-data"]  # model cards stand for themselves
nitpicky = True
nitpick_ignore = [("myst", "../benchmarks/results")]  # the model card links a folder
default_role = "py:obj"

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False
autoclass_content = "both"
autodoc_default_options = {
    "members": True,
    "exclude-members": "extra_repr, get_extra_state, set_extra_state",
}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = "mien"
html_static_path = ["_static"]
html_css_files = ["mien.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5f8b", "color-brand-content": "#1f5f8b"},
    "dark_css_variables": {"color-brand-primary": "#7fb8e0", "color-brand-content": "#7fb8e0"},
}
