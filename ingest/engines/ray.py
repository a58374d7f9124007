"""Worker processes on the nodes of a Ray cluster: the same documents, limits and outcomes as ``ingest.engines.local``.

Each node has one actor, and the actor has a crew of worker processes as the local engine has: a document that loops, eats
memory or crashes ends there in the same way. Slices of documents go to the nodes that have least to do. What comes back is put
in order here, and everything across documents happens here, so that the output is byte for byte that of one machine. A slice
whose node is lost goes to another one.
"""

import logging
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from types import ModuleType
from typing import Any, Final

from ingest.engines.local import LOOK_AHEAD_BYTES, Crew, Outcome, WarmUp, Work, WorkerOptions, with_bytes, without_bytes
from ingest.versions import tool_versions
from normalize.options import DocumentOptions
from schemas.document import RawDocument, Rejected
from schemas.errors import BusyError, SetupError

#: Documents that go to a node together, at most: enough that its workers are seldom idle while the last one is waited for.
_SLICE: Final = 100

#: Slices that a node has at once: while it works on one, the next is on its way.
_SLICES_PER_NODE: Final = 2

#: Nodes that may be lost with one slice before it is given up.
_MOST_LOSSES: Final = 5

#: How often the cluster is asked for nodes that have come, and how long to wait for one where there is none, in seconds.
_LOOK_EVERY: Final = 5.0
_PATIENCE: Final = 120.0

#: How long a node is left alone whose actor was lost, in seconds: Ray takes so long to see that a node is gone.
_REST: Final = 30.0


def map_documents(
    documents: Iterable[RawDocument | Rejected],
    *,
    work: Work,
    warm_up: WarmUp,
    document_options: DocumentOptions,
    worker_options: WorkerOptions,
    address: str | None,
) -> Generator[Outcome, None, None]:
    """Give one outcome for each document, in the order of the documents.

    Args:
        documents: What to work on; read ahead by two slices for each node and about 256 MiB, not further.
        work: All steps of one document.
        warm_up: Loads what the work needs, once in each worker.
        document_options: Handed to the work.
        worker_options: What one document may ask of a worker. Each node has as many workers as Ray says it has CPUs.
        address: Of the cluster, as ``ray start`` prints it; None starts Ray on this machine alone.

    Raises:
        SetupError: If Ray is not installed, the cluster cannot be reached, a node has other versions than we, or a worker
            cannot start.
        BusyError: If no node is left.
    """
    with _connected(address, worker_options) as ray:
        cluster = _Cluster(ray, work, warm_up, document_options, worker_options)
        waiting: deque[_Slice] = deque()
        reader = iter(documents)
        size = max(1, min(_SLICE, worker_options.look_ahead // _SLICES_PER_NODE))
        while True:
            while _has_room(waiting, cluster) and (taken := list(islice(reader, size))):
                one = _Slice(taken)
                waiting.append(one)
                cluster.send(one)
            if not waiting:
                return
            yield from cluster.receive(waiting.popleft())


@dataclass(slots=True)
class _Slice:
    """Some documents on their way."""

    documents: list[RawDocument | Rejected]
    node: "_Node | None" = None
    #: Ray's promise of the outcomes.
    answer: Any = None
    losses: int = 0

    @property
    def size(self) -> int:
        return sum(len(item.content) for item in self.documents if isinstance(item, RawDocument))


def _has_room(waiting: Collection[_Slice], cluster: "_Cluster") -> bool:
    has_slot = len(waiting) < _SLICES_PER_NODE * max(1, len(cluster.nodes))
    return has_slot and sum(one.size for one in waiting) < LOOK_AHEAD_BYTES


@dataclass(slots=True, eq=False)
class _Node:
    """One node of the cluster."""

    id: str
    actor: Any
    #: Slices that it has.
    slices: int = 0


class _Cluster:
    """The nodes that work for us, as they come and go."""

    def __init__(
        self,
        ray: ModuleType,
        work: Work,
        warm_up: WarmUp,
        document_options: DocumentOptions,
        worker_options: WorkerOptions,
    ) -> None:
        self.ray = ray
        self.nodes: dict[str, _Node] = {}
        #: Nodes whose actor was lost, and when.
        self._lost: dict[str, float] = {}
        self._crew = (work, warm_up, document_options, worker_options)
        self._looked = 0.0
        self._look()

    def send(self, one: _Slice) -> None:
        """Give a slice to the node that has least to do."""
        self._look()
        until = time.monotonic() + _PATIENCE
        while not self.nodes:
            if time.monotonic() > until:
                message = "no node of the Ray cluster is left; the same command goes on when there is one"
                raise BusyError(message)
            time.sleep(1)
            self._look(now=True)
        node = min(self.nodes.values(), key=lambda node: (node.slices, node.id))
        node.slices += 1
        one.node, one.answer = node, node.actor.perform.remote(one.documents)

    def receive(self, one: _Slice) -> Iterator[Outcome]:
        """Wait for the outcomes of a slice; if its node is lost, another one does it."""
        while True:
            try:
                outcomes = self.ray.get(one.answer)
                break
            except self.ray.exceptions.RayTaskError as error:
                raise _as_ours(error) from error
            except self.ray.exceptions.RayError as error:
                self._lose(one)
                if one.losses == _MOST_LOSSES:
                    message = (
                        f"{_MOST_LOSSES} nodes of the Ray cluster were lost one after another ({error}); look after it"
                    )
                    raise BusyError(message) from error
                self.send(one)
        if one.node:
            one.node.slices -= 1
        for document, outcome in zip(one.documents, outcomes, strict=True):
            yield with_bytes(outcome, document)

    def _lose(self, one: _Slice) -> None:
        one.losses += 1
        if one.node:
            self._lost[one.node.id] = time.monotonic()
            self.nodes.pop(one.node.id, None)

    def _look(self, *, now: bool = False) -> None:
        """Take in nodes that have come, and begin anew with a node whose actor was lost but which is there."""
        if self.nodes and not now and time.monotonic() - self._looked < _LOOK_EVERY:
            return
        self._looked = time.monotonic()
        for told in self.ray.nodes():
            node, cpus = told["NodeID"], int(told["Resources"].get("CPU", 0))
            rests = self._looked - self._lost.get(node, -_REST) < _REST
            if told["Alive"] and cpus and node not in self.nodes and not rests:
                self.nodes[node] = _Node(node, self._actor_on(node, cpus))

    def _actor_on(self, node: str, cpus: int) -> Any:  # noqa: ANN401  (Ray makes its types at run time)
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

        *steps, options = self._crew
        placed = self.ray.remote(_Worker).options(
            num_cpus=cpus, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        )
        return placed.remote(*steps, replace(options, workers=cpus), tool_versions())


class _Worker:
    """What runs on a node: a crew, and the documents that are sent to it."""

    def __init__(
        self, work: Work, warm_up: WarmUp, documents: DocumentOptions, options: WorkerOptions, versions: dict[str, str]
    ) -> None:
        self._crew = Crew(work, warm_up, documents, options)
        self._versions = versions

    def perform(self, documents: list[RawDocument | Rejected]) -> list[Outcome]:
        """Work on some documents; articles go back without their bytes, which the other side has."""
        ours = tool_versions()
        if ours != self._versions:
            other = [
                f"{name} {ours.get(name)}" for name, version in self._versions.items() if ours.get(name) != version
            ]
            message = f"a node of the Ray cluster has {', '.join(other)}; install there what is installed here"
            raise SetupError(message)
        return [without_bytes(outcome) for outcome in self._crew.map(documents)]


def _as_ours(error: Any) -> Exception:  # noqa: ANN401  (Ray makes its types at run time)
    """Give what was raised on a node as if it had been raised here."""
    cause = error.cause
    return cause if isinstance(cause, SetupError) else RuntimeError(str(error))


@contextmanager
def _connected(address: str | None, options: WorkerOptions) -> Iterator[ModuleType]:
    """Connect to a cluster, or start one on this machine, and let go of it at the end.

    Raises:
        SetupError: If Ray is not installed or the cluster cannot be reached.
    """
    # Ray would tell its makers who uses it.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray  # noqa: PLC0415
    except ImportError as error:
        message = "--engine ray needs Ray; install babelwire[ray]"
        raise SetupError(message) from error
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    _check_reachable(address)
    try:
        ray.init(
            address=address or "local",
            # Only of a cluster that is started here may we say what it has.
            num_cpus=None if address else options.workers,
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unreachable(address, error) from error
    # Ray takes SIGTERM for itself.
    for each, handler in handlers.items():
        signal.signal(each, handler)
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str | None) -> None:
    """See that something answers there: Ray itself would go on trying for a long time."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise _unreachable(address, error) from error


def _unreachable(address: str | None, error: Exception) -> SetupError:
    return SetupError(f'the Ray cluster at "{address}" cannot be reached ({error}); "ray status" says what is there')
