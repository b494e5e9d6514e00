# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Counting words: text in, dictionaries out; processes pay for pickling both"
# source = "Zipf, Human Behavior and the Principle of Least Effort (1949)"
# shows = "What processes pay for sending texts and dictionaries; threads just hand them over"
# ///
"""Counts the words of a text, split among the workers: a page of 5,000 words per unit.

Text goes in and dictionaries come out, so processes pay for pickling both, threads for neither.
The text is synthetic, and the same in every run: 2,000 different words, the n-th most frequent one
about in proportion to 1/n, as Zipf's law says (G. K. Zipf, 1949). Every page has the same words,
each in an order of its own, so the counts are known whichever pages a worker gets.
"""

import random
from collections import Counter

DIFFERENT_WORDS = 2000
WORDS_PER_PAGE = 5000
WORDS_PER_LINE = 12
DIFFERENT_PAGES = 8
SEED = 1949


def words_of_a_page():
    """The words of every page, the most frequent first."""
    letters = "etaoinshrdlu"
    words = [
        letters[n % 12] + letters[n // 12 % 12] + letters[n // 144 % 12] + letters[n // 1728]
        for n in range(DIFFERENT_WORDS)
    ]
    harmonic = sum(1 / n for n in range(1, DIFFERENT_WORDS + 1))
    room = WORDS_PER_PAGE - DIFFERENT_WORDS  # every word occurs once at least
    page = []
    for n, word in enumerate(words, start=1):
        page += [word] * (1 + int(room / (n * harmonic)))
    return page + words[:1] * (WORDS_PER_PAGE - len(page))


def setup(units):
    """The pages, of which there are as many as units; a few different ones, over and over."""
    words = words_of_a_page()
    shuffle = random.Random(SEED).shuffle
    different = []
    for _ in range(min(units, DIFFERENT_PAGES)):
        shuffle(words)
        starts = range(0, WORDS_PER_PAGE, WORDS_PER_LINE)
        different.append("".join(" ".join(words[i : i + WORDS_PER_LINE]) + "\n" for i in starts))
    return [different[n % DIFFERENT_PAGES] for n in range(units)]


def split(pages, workers):
    """One text per worker, with as many pages as it gets units."""
    each, left_over = divmod(len(pages), workers)
    texts = []
    first = 0
    for worker in range(workers):
        last = first + each + (worker < left_over)
        texts.append("".join(pages[first:last]))
        first = last
    return texts


def work(text, units):
    """Count the words of the text, line by line."""
    counts = {}
    for line in text.splitlines():
        for word in line.split():
            counts[word] = counts.get(word, 0) + 1
    return counts


def check(results, units):
    """All counts together are those of one page, times the number of pages."""
    counted = Counter()
    for counts in results:
        counted.update(counts)
    expected = Counter()
    for word in words_of_a_page():
        expected[word] += units
    for word in sorted(counted.keys() | expected.keys()):
        assert counted[word] == expected[word], (
            f"'{word}' is counted {counted[word]} times in {units} pages, not {expected[word]}"
        )
