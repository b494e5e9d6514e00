# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "PageRank of a small graph: private dictionaries, lists and floats"
# source = "Brin and Page (1998); Langville and Meyer (2006)"
# shows = "Dictionaries of its own for each worker: what their locks cost without contention"
# ///
"""PageRank of a graph of 40 pages and 114 links: ten iterations per unit.

S. Brin and L. Page, "The anatomy of a large-scale hypertextual Web search engine", Computer
Networks 30 (1998), 107-117, with a surfer who follows a link with probability 0.85. A page without
links hands its rank to all pages alike (A. Langville and C. Meyer, Google's PageRank and Beyond,
2006, chapter 4). Each worker builds a graph of its own; every unit starts from equal ranks.
"""

PAGES = 40
ITERATIONS = 10
FOLLOWED = 0.85

# The highest ranked page, and the sum of page number times rank: what exact fractions and the whole
# matrix give (tests/test_cpu_workloads.py).
EXPECTED_PAGE = 1
EXPECTED_CHECKSUM = 17.16519576777467
TOLERANCE = 1e-9


def graph(pages):
    """Synthetic links of every page but two: page -> pages that it links to."""
    links = {
        page: [page * page % pages, 7 * page % pages, (page + 1) % pages] for page in range(pages)
    }
    links[pages // 2] = []
    links[pages // 3] = []
    return links


def pagerank(links, iterations, followed):
    """Ranks of all pages, from equal ones, by as many iterations."""
    count = len(links)
    ranks = dict.fromkeys(links, 1.0 / count)
    for _ in range(iterations):
        stuck = sum([ranks[page] for page, targets in links.items() if not targets])
        base = (1.0 - followed + followed * stuck) / count
        gained = dict.fromkeys(links, base)
        for page, targets in links.items():
            if targets:
                part = followed * ranks[page] / len(targets)
                for target in targets:
                    gained[target] += part
        ranks = gained
    return ranks


def work(data, units):
    """Rank the pages afresh once per unit; returns the highest page and the checksum of each."""
    links = graph(PAGES)
    found = []
    for _ in range(units):
        ranks = pagerank(links, ITERATIONS, FOLLOWED)
        checksum = sum([page * rank for page, rank in ranks.items()])
        found.append((max(ranks, key=ranks.get), checksum))
    return found


def check(results, units):
    """Every unit found the ranks that are known."""
    found = [each for share in results for each in share]
    assert len(found) == units, f"{len(found)} times ranked, not {units}"
    for page, checksum in found:
        assert page == EXPECTED_PAGE, f"page {page} ranks highest, not {EXPECTED_PAGE}"
        assert abs(checksum - EXPECTED_CHECKSUM) < TOLERANCE, (
            f"checksum {checksum!r} of ranks, not {EXPECTED_CHECKSUM}"
        )
