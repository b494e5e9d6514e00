# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Simulation of a queue: dataclasses, a heap of events, method calls"
# source = "Lindley (1952), The theory of queues with a single server"
# shows = "Dataclasses, a heap and bound methods: thousands of objects, each used by one worker"
# ///
"""A counter where 80 customers queue up, event by event: one day per unit.

A discrete-event simulation: arrivals and departures lie in a heap, in order of time, and each one
changes the state and makes the next. Times are whole seconds. The check does without events: a
customer's wait follows from the one before, W' = max(0, W + service - gap), by D. V. Lindley's "The
theory of queues with a single server" (1952).
"""

import heapq
from collections import deque
from dataclasses import dataclass, field

CUSTOMERS = 80


def gap_s(number):
    """Synthetic time from the arrival of one customer to that of the next, in seconds."""
    return 30 + number * number * 31 % 61


def service_s(number):
    """Synthetic time for which a customer is served, in seconds."""
    return 20 + number * 47 % 67


@dataclass(order=True)
class Event:
    """Something that happens at a time; of two at the same time, the one planned first."""

    time_s: int
    order: int
    happens: object = field(compare=False)
    customer: "Customer" = field(compare=False)


@dataclass
class Customer:
    """One who waits, is served and leaves."""

    number: int
    arrival_s: int
    waited_s: int = 0


@dataclass
class Counter:
    """The counter, those who queue, and what is still to happen."""

    events: list = field(default_factory=list)
    queue: deque = field(default_factory=deque)
    served: list = field(default_factory=list)
    busy: bool = False
    planned: int = 0

    def plan(self, time_s, happens, customer):
        """Let something happen at a time."""
        self.planned += 1
        heapq.heappush(self.events, Event(time_s, self.planned, happens, customer))

    def arrive(self, now_s, customer):
        """A customer comes in; the next one is on the way."""
        self.queue.append(customer)
        following = customer.number + 1
        if following < CUSTOMERS:
            arrival_s = now_s + gap_s(customer.number)
            self.plan(arrival_s, self.arrive, Customer(following, arrival_s))
        self.serve_next(now_s)

    def leave(self, now_s, customer):
        """A customer has been served."""
        self.served.append(customer)
        self.busy = False
        self.serve_next(now_s)

    def serve_next(self, now_s):
        """Serve the first customer in the queue, unless another one is being served."""
        if self.queue and not self.busy:
            self.busy = True
            customer = self.queue.popleft()
            customer.waited_s = now_s - customer.arrival_s
            self.plan(now_s + service_s(customer.number), self.leave, customer)

    def run(self):
        """Let everything happen that is planned; returns the time of the last event."""
        now_s = 0
        while self.events:
            event = heapq.heappop(self.events)
            now_s = event.time_s
            event.happens(now_s, event.customer)
        return now_s


def day():
    """One day at the counter: customers served, seconds waited by all, the last one's leaving."""
    counter = Counter()
    counter.plan(0, counter.arrive, Customer(0, 0))
    end_s = counter.run()
    return len(counter.served), sum([customer.waited_s for customer in counter.served]), end_s


def work(data, units):
    """Simulate the day afresh once per unit; returns what came of each."""
    return [day() for _ in range(units)]


def expected_day():
    """The same figures by Lindley's recursion."""
    wait_s = total_s = arrival_s = end_s = 0
    for number in range(CUSTOMERS):
        total_s += wait_s
        end_s = arrival_s + wait_s + service_s(number)
        wait_s = max(0, wait_s + service_s(number) - gap_s(number))
        arrival_s += gap_s(number)
    return CUSTOMERS, total_s, end_s


def check(results, units):
    """Every day went as the recursion says."""
    expected = expected_day()
    days = [each for share in results for each in share]
    assert len(days) == units, f"{len(days)} days, not {units}"
    for each in days:
        assert each == expected, f"customers, seconds waited and end {each}, not {expected}"
