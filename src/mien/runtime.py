"""A model file as a function from crops to answers: ONNX Runtime behind the contract."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.contract import METADATA_KEY, Contract
from mien.errors import ModelError
from mien.foreign import ForeignGraph, contract_path, read_contract
from mien.outputs import IDENTITY
from mien.quiet import onnxruntime
from mien.shipped import DEFAULT_MODEL, SHIPPED

BATCH_SIZE = 32
"""Most crops in one call of the network; bounds memory, and larger ones are no faster on a CPU."""

CPU = "CPUExecutionProvider"

Crops = NDArray[np.uint8]
Floats = NDArray[np.float32]
Answers = dict[str, Floats]
"""Of a model's outputs by name, each ``(N, width)``."""

LENGTH_TOLERANCE = 1e-3
"""How far the length of a normalised embedding may be from 1."""


class Model:
    """A network with its contract; one instance may be shared by threads.

    Args:
        source: path of a model file, the name of a shipped one (`SHIPPED`), or None for `DEFAULT_MODEL`.
        threads: threads within an operation; None leaves it to ONNX Runtime (all cores).
        providers: ONNX Runtime's execution providers by falling preference; None means the CPU.

    Attributes:
        path: the model file.
        contract: what the file promises; checked against its graph. A file that was made elsewhere has it beside
            itself, see `mien.foreign`.
        providers: the execution providers in use.

    Raises:
        ModelError: the file is missing or damaged, its graph does not keep its contract, or a provider is not there.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        self.path = resolve(source)
        self._session = open_session(self.path, threads, providers)
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        self.contract, self._foreign = _contract(self._session, self.path)
        if self._foreign is None:
            _check_graph(self._session, self.contract, self.path)
        else:
            _check_foreign(self._session, self.contract, self._foreign, self.path)
        batch = self._session.get_inputs()[0].shape[0]
        self._most: int | None = batch if isinstance(batch, int) else None

    def __repr__(self) -> str:
        return f"Model({self.contract.model_id!r}, path={str(self.path)!r})"

    def run(self, crops: Crops, *, batch_size: int = BATCH_SIZE) -> Answers:
        """Answer for aligned crops, a micro-batch at a time.

        Args:
            crops: ``uint8 (N, S, S, 3)`` RGB, S the contract's crop size; N may be 0.
            batch_size: most crops in one call of the network.

        Returns:
            The outputs that the contract names, by name, each float32 ``(N, width)``.

        Raises:
            ModelError: the crops have another form, or the network fails on them or breaks its contract.
        """
        size = self.contract.crop_size
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise ModelError(
                f"crops of {crops.dtype} {crops.shape} do not fit {self.contract.model_id}; "
                f"give uint8 (N, {size}, {size}, 3)"
            )
        step = min(batch_size, self._most or batch_size)
        parts = [self._call(crops[start : start + step]) for start in range(0, len(crops), step)]
        return {
            output.name: np.concatenate(
                [np.empty((0, output.width), np.float32), *(part[output.name] for part in parts)]
            )
            for output in self.contract.outputs
        }

    def _call(self, crops: Crops) -> Answers:
        names = [output.name for output in self.contract.outputs]
        try:
            if self._foreign is None:
                values = self._session.run(names, {"crops": crops})
            else:
                fed = {self._foreign.input: self._foreign.feed(crops)}
                values = [self._foreign.read(self._session.run([self._foreign.output], fed)[0])]
        except Exception as error:
            raise ModelError(
                f"{self.path} fails on {len(crops)} crops ({_brief(error)}); export the model again"
            ) from error
        answers = dict(zip(names, values, strict=True))
        for output in self.contract.outputs:
            expected = (len(crops), output.width)
            if answers[output.name].shape != expected:
                raise ModelError(
                    f"{self.path} returned {output.name} {answers[output.name].shape} where its contract promises "
                    f"{expected}; export the model again"
                )
        if self.contract.normalized and not _of_length_1(answers[IDENTITY]):
            raise ModelError(
                f"{self.path} returned an embedding whose length is not 1, against its contract; export the model again"
            )
        return answers


def resolve(source: str | os.PathLike[str] | None = None) -> Path:
    """Find the file of a model given by path, by shipped name, or by None for the default.

    Raises:
        ModelError: there is no such file.
    """
    given = DEFAULT_MODEL if source is None else os.fspath(source)
    if given in SHIPPED:
        path = Path(str(resources.files("mien") / "pretrained" / SHIPPED[given]))
        if not path.is_file():
            raise ModelError(f"the shipped model {given} is missing ({path}); install mien again")
        return path
    path = Path(given)
    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        raise ModelError(f"model {given} {what}; give the path of an ONNX file or one of {', '.join(SHIPPED)}")
    return path


def open_session(path: Path, threads: int | None, providers: Sequence[str] | None) -> Any:
    """ONNX Runtime's session of a file; see `Model` for the arguments.

    Raises:
        ModelError: the file cannot be loaded, or a provider is not there.
    """
    wanted = list(providers or (CPU,))
    missing = sorted(set(wanted) - set(onnxruntime.get_available_providers()))
    if missing:
        raise ModelError(
            f"this ONNX Runtime has no {', '.join(missing)}; "
            f"choose from {', '.join(onnxruntime.get_available_providers())} or install a build that has it"
        )
    if threads is not None and threads < 1:
        raise ModelError(f"threads is {threads}; give at least 1, or None for all cores")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    # A waiting thread would spin while the detector's sessions, or another process, want its core: with spinning, a
    # photo took two to three times as long on two busy cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:
        raise ModelError(
            f"{path} cannot be loaded as an ONNX model ({_brief(error)}); it may be damaged, get or export it again"
        ) from error


def _contract(session: Any, path: Path) -> tuple[Contract, ForeignGraph | None]:
    """The contract inside the file, or the one beside it with what it says of the graph."""
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        adopted = read_contract(path)
        if adopted is None:
            raise ModelError(
                f"{path} has no contract of mien in its metadata, and no {contract_path(path).name} lies beside it; "
                "use a model written by `mien export`, or make this one usable by `mien adopt`"
            )
        return adopted
    try:
        return Contract.from_json(text), None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _check_graph(session: Any, contract: Contract, path: Path) -> None:
    """Compare what the graph declares with what the contract promises; unnamed dimensions are taken on trust."""
    size, promised = contract.crop_size, {output.name: output.width for output in contract.outputs}
    inputs = [(node.name, node.type) for node in session.get_inputs()]
    outputs = {node.name: node for node in session.get_outputs()}
    if inputs != [("crops", "tensor(uint8)")]:
        raise ModelError(f"{path} takes {inputs} where a uint8 input named crops is expected; export the model again")
    batch, *shape = session.get_inputs()[0].shape
    if isinstance(batch, int) or not _agree(shape, [size, size, 3]):
        raise ModelError(
            f"{path} takes crops {[batch, *shape]} where its contract promises [N, {size}, {size}, 3]; "
            "export the model again"
        )
    if not promised:
        raise ModelError(f"{path} promises no output; export the model with a branch")
    for name in sorted(outputs.keys() ^ promised.keys()):
        raise ModelError(
            f"{path} {'lacks' if name in promised else 'has'} the output {name}, against its contract; "
            "export the model again"
        )
    for name, width in promised.items():
        if outputs[name].type != "tensor(float)" or not _agree(outputs[name].shape[1:], [width]):
            raise ModelError(
                f"{path} returns {name} {outputs[name].type} {outputs[name].shape} where its contract promises "
                f"float32 [N, {width}]; export the model again"
            )


def _check_foreign(session: Any, contract: Contract, graph: ForeignGraph, path: Path) -> None:
    """Compare a graph that was made elsewhere with the contract beside it."""
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    size, beside = contract.crop_size, contract_path(path).name
    if list(inputs) != [graph.input] or graph.output not in outputs:
        raise ModelError(
            f"{path} has inputs {list(inputs)} and outputs {list(outputs)} where {beside} names {graph.input} and "
            f"{graph.output}; correct it, or write it again with `mien adopt`"
        )
    taken, given = inputs[graph.input], outputs[graph.output]
    batch, *shape = taken.shape
    if taken.type != "tensor(float)" or not _agree(shape, [3, size, size]) or (isinstance(batch, int) and batch != 1):
        raise ModelError(
            f"{path} takes {taken.type} {taken.shape} where {beside} promises float32 [N, 3, {size}, {size}]; "
            "N may be free or 1"
        )
    if given.type != "tensor(float)" or not _agree(given.shape[1:], [contract.embedding_size]):
        raise ModelError(
            f"{path} returns {given.type} {given.shape} where {beside} promises float32 [N, {contract.embedding_size}]"
        )


def _of_length_1(embeddings: Floats) -> bool:
    return bool(np.allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=0, atol=LENGTH_TOLERANCE))


def _agree(declared: Sequence[int | str | None], expected: Sequence[int]) -> bool:
    return len(declared) == len(expected) and all(
        not isinstance(size, int) or size == wanted for size, wanted in zip(declared, expected, strict=True)
    )


def _brief(error: Exception) -> str:
    """First line of a dependency's message, without its codes."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split(" : ")[-1].strip()[:200].rstrip(".")
