"""Formulas as MathML, which browsers show by themselves: no script, no font, nothing to fetch."""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

_LOGGER = logging.getLogger(__name__)
_SIZES = re.compile(r"\\([bB]igg?)(?![a-zA-Z])")


def render(formula: str, *, block: bool) -> str:
    r"""Turn TeX into MathML.

    The converter of docutils knows ``\bigl`` and ``\bigr`` but not ``\big``, which looks the same.

    Raises:
        MathError: the formula cannot be read.
    """
    return tex2mathml(_SIZES.sub(r"\\\1l", formula), as_block=block)


def visit_math(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    translator.body.append(_checked(node, block=False))
    raise nodes.SkipNode


def visit_displaymath(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own line."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(_checked(node, block=True))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _checked(node: nodes.Element, *, block: bool) -> str:
    formula = node.astext()
    try:
        return render(formula, block=block)
    except MathError as error:
        _LOGGER.warning("the formula %r cannot be shown: %s", formula, error, location=node)
        return formula
