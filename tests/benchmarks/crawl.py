"""Does the crawl ask as fast as the delays allow, and in how much memory? 200 hosts on loopback addresses, a few of them slow.

    python tests/benchmarks/crawl.py [--hosts 200] [--slow 5] [--articles 100] [--delay 2]

Each host has a robots.txt, a feed and so many articles. The slow ones take 30 seconds for each answer, and have one article each. The
server is a process of its own, and so is the crawl, which is `babelwire crawl`; its memory is looked at once a second, with pages that
it shares counted once.

All is told from the server's log. With R requests at a host and a delay of d seconds, the last cannot begin sooner than (R - 1) * d
after the first, and with many hosts side by side the night cannot be shorter than that of the host with the most to give. So

    of_allowed = (the longest (R - 1) * d of all hosts that are not slow) / (from the first request at any of them to the last)

which is the throughput that was reached, in requests per second over all these hosts, divided by the one that the delays allow. What
the command takes to start and to end is not in it, and is told beside it. The slow hosts are no part of it: their pace is that of their
answers. If one of them held up another host, that would be.
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from news_articles import VOICES, articles  # noqa: E402
from news_site import Behaviour, Site, catalogue_of, rules, serving, slow  # noqa: E402
from process_tree import Watched, watch  # noqa: E402
from site_server import Hit  # noqa: E402

#: Seconds that a slow host takes for each answer, and how many articles it has: with its rest between them a night's work.
SLOW_TAKES, SLOW_ARTICLES = 30.0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How one host was asked."""

    #: Times at which requests came, in seconds of the server's clock, sorted.
    times: tuple[float, ...]
    #: Seconds that were to lie between two of them.
    delay: float

    @property
    def seconds(self) -> float:
        """From the first to the last."""
        return self.times[-1] - self.times[0]

    @property
    def of_allowed(self) -> float:
        """The rate of this host alone, beside that which its delay allows."""
        return (len(self.times) - 1) * self.delay / self.seconds

    @property
    def least_gap(self) -> float:
        """The shortest time between two requests, in seconds."""
        return min(later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False))


def paces(log: Sequence[Hit], hosts: Sequence[Site], delay: float) -> list[Pace]:
    """Tell from the log how each of some hosts was asked.

    Raises:
        SystemExit: If one was asked less than twice, so that there is nothing to tell.
    """
    times: dict[str, list[float]] = defaultdict(list)
    for hit in log:
        times[hit.host].append(hit.at)
    found = [Pace(times=tuple(sorted(times[site.host])), delay=delay) for site in hosts]
    if any(len(pace.times) < 2 for pace in found):
        sys.exit("a host was asked less than twice; see what the crawl said")
    return found


def of_allowed(paces: Sequence[Pace]) -> float:
    """Give the throughput over several hosts, beside that which their delays allow."""
    allowed = max((len(pace.times) - 1) * pace.delay for pace in paces)
    return allowed / (max(pace.times[-1] for pace in paces) - min(pace.times[0] for pace in paces))


def sites(number: int, count: int, *, first: int, latest: datetime, behaviour: Behaviour | None = None) -> list[Site]:
    """Make so many sites with so many articles each, in all languages by turns."""
    languages = list(VOICES)
    made = []
    for place in range(first, first + number):
        stories = articles(languages[place % len(languages)], count, latest=latest)
        site = Site(host=f"127.0.{1 + place // 250}.{1 + place % 250}", stories=stories, robots=rules())
        if behaviour is not None:
            paths = ("/robots.txt", "/feed.rss", "/.well-known/tdmrep.json", "/ai.txt", *(one.path for one in stories))
            for path in paths:
                site.behave(path, behaviour)
        made.append(site)
    return made


def groups(hosts: int, slow_hosts: int, count: int, latest: datetime) -> tuple[list[Site], list[Site]]:
    """Make all sites, the same ones each time: those that answer at once, and those that do not."""
    ordinary = sites(hosts - slow_hosts, count, first=0, latest=latest)
    late = sites(slow_hosts, SLOW_ARTICLES, first=len(ordinary), latest=latest, behaviour=slow(head=SLOW_TAKES))
    return ordinary, late


def serve(end: Connection, hosts: int, slow_hosts: int, count: int, latest: datetime) -> None:
    """Serve all sites in this process: sends the port, and the log once it is told to stop."""
    ordinary, late = groups(hosts, slow_hosts, count, latest)
    with serving([*ordinary, *late]) as server:
        end.send(server.port)
        end.recv()
    end.send([replace(hit, headers={}) for hit in server.log])


def check(log: Sequence[Hit], hosts: Sequence[Site]) -> None:
    """Look whether each article was asked for once.

    Raises:
        SystemExit: If not; a rate is worth nothing then.
    """
    asked: dict[tuple[str, str], int] = defaultdict(int)
    for hit in log:
        asked[hit.host, hit.path] += 1
    wrong = [(site.host, story.path) for site in hosts for story in site.stories if asked[site.host, story.path] != 1]
    if wrong:
        sys.exit(f"{len(wrong)} articles were not asked for once, such as {wrong[:3]}")


def row(name: str, group: Sequence[Pace]) -> str:
    """Tell of a group of hosts."""
    requests = sum(len(pace.times) for pace in group)
    seconds = max(pace.times[-1] for pace in group) - min(pace.times[0] for pace in group)
    shares = sorted(pace.of_allowed for pace in group)
    return (
        f"{name:<9} {len(group):>5} {requests:>9} {seconds:>8.1f} {requests / seconds:>7.1f} {shares[0]:>8.3f} "
        f"{shares[len(shares) // 2]:>8.3f} {min(pace.least_gap for pace in group):>10.3f}"
    )


def crawl(catalogue: Path, folder: Path) -> Watched:
    """Crawl once.

    Raises:
        SystemExit: With the end of what it said, if it ends with anything but 0.
    """
    talk = folder / "crawl.txt"
    command: list[str | Path] = [sys.executable, "-m", "ingest", "crawl", catalogue, "--output", folder / "out"]
    ended = watch(command, cwd=ROOT, environment={"PYTHONPATH": str(ROOT)}, every=1.0, talk=talk)
    if ended.code:
        sys.exit(f"babelwire crawl ended with {ended.code}:\n{talk.read_text(errors='replace')[-2000:]}")
    return ended


def main() -> None:
    """Print how the hosts were asked, and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--slow", type=int, default=5)
    parser.add_argument("--articles", type=int, default=100)
    parser.add_argument("--delay", type=float, default=2.0)
    arguments = parser.parse_args()
    latest = datetime.now(UTC)
    ordinary, late = groups(arguments.hosts, arguments.slow, arguments.articles, latest)
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(there, arguments.hosts, arguments.slow, arguments.articles, latest)
    )
    with tempfile.TemporaryDirectory(prefix="crawl-") as name:
        server.start()
        port = here.recv()
        for site in (*ordinary, *late):
            site.base = f"http://{site.host}:{port}"
        folder = Path(name)
        each = {"max_pages": arguments.articles, "max_age_days": 365}
        catalogue = catalogue_of([*ordinary, *late], folder, delay=arguments.delay, each=each)
        try:
            ended = crawl(catalogue, folder)
        finally:
            here.send(None)
            log = here.recv()
            server.join()
        size = sum(file.stat().st_size for file in folder.glob("out/raw/**/*.warc.gz*"))
    check(log, [*ordinary, *late])
    quick = paces(log, ordinary, arguments.delay)
    print(
        "hosts     number  requests  seconds   req/s    worst   median  least gap   (worst, median: of the rate allowed)"
    )
    print(row("ordinary", quick))
    if late:
        print(row("slow", paces(log, late, arguments.delay)))
    done = max(pace.times[-1] for pace in quick) - min(pace.times[0] for pace in quick)
    print(
        f"the command took {ended.seconds:.1f} s, {ended.cpu:.1f} s of CPU; ordinary hosts were done after {done:.1f} s"
    )
    print(f"raw store: {size / 1e6:.1f} MB")
    print(f"crawl: of_allowed={of_allowed(quick):.3f} peak_mb={ended.peak:.0f}")


if __name__ == "__main__":
    main()
