// Where values lie along an axis, and which of them are marked.

/** From this ratio of largest to smallest on, values are drawn on a logarithmic axis. */
const LOG_FROM = 16;
/** With more workers than this, workers are drawn on a logarithmic axis: 1 to 4 would be a speck beside 128. */
const MOST_WORKERS_LINEAR = 8;

/** A scale: `at(value)` is a place between `from` and `to`; `ticks` are the values to mark. */
function scale(low, high, from, to, log, ticks) {
  const position = (value) => (log ? Math.log(Math.max(value, Number.MIN_VALUE)) : value);
  const [bottom, top] = [position(low), position(high)];
  const at = (value) => from + ((position(value) - bottom) / (top - bottom || 1)) * (to - from);
  const inside = (value) => Math.min(Math.max(value, low), high);
  return { at, low, high, log, ticks, clamped: (value) => at(inside(value)) };
}

/** Steps of 1, 2 or 5 times a power of ten, about `count` of them. */
function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) || rough;
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high * (1 + 1e-9); index += 1) ticks.push(index * step);
  return ticks;
}

/** Powers of two for speedups, else 1, 2 and 5 times powers of ten; every second or third where there are too many. */
function logTicks(low, high, count, powersOfTwo) {
  const ticks = [];
  const base = powersOfTwo ? 2 : 10;
  const factors = powersOfTwo ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log(low) / Math.log(base)) - 1; base ** power <= high; power += 1) {
    for (const factor of factors) {
      const value = factor * base ** power;
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push(value);
    }
  }
  const each = Math.ceil(ticks.length / Math.max(count, 1));
  return ticks.filter((_, index) => index % each === 0);
}

/** The vertical scale of a metric's values, wide enough for values, lines to compare with, and most of the intervals. */
function valueScale(metric, curves, bottom, top, logarithmic) {
  const values = curves.flatMap((curve) => curve.points).map((point) => point[1]).filter((value) => value > 0);
  const lines = metric.references.flatMap((reference) => reference.points).map((point) => point[1]);
  const smallest = Math.min(...values);
  const largest = Math.max(...values);
  // Ends of wide intervals may lie beyond: they would squeeze the rest.
  const ends = curves.flatMap((curve) => curve.points);
  const lowEnd = Math.max(Math.min(...ends.map((point) => point[2]), smallest), smallest / 1.5);
  const highEnd = Math.min(Math.max(...ends.map((point) => point[3]), largest), largest * 1.5);
  const count = Math.max(3, Math.floor(Math.abs(top - bottom) / 55));
  const log = logarithmic || (metric.key !== "efficiency" && metric.key !== "speedup" && largest / smallest > LOG_FROM);
  if (log) {
    const low = Math.min(lowEnd, ...lines) / 1.08;
    const high = Math.max(highEnd, ...lines) * 1.08;
    return scale(low, high, bottom, top, true, logTicks(low, high, count, logarithmic));
  }
  const high = Math.max(highEnd, ...lines) * 1.04;
  return scale(0, high, bottom, top, false, linearTicks(0, high, count));
}

/** The horizontal scale of numbers of workers, and those that are marked. */
function workersScale(counts, from, to) {
  const low = counts[0];
  const high = counts[counts.length - 1];
  const log = high > MOST_WORKERS_LINEAR;
  const all = scale(low, high, from, to, log, counts);
  // The largest is always marked; others where they have room, larger ones first.
  const kept = [];
  for (const count of [...counts].reverse()) {
    if (kept.every((other) => Math.abs(all.at(other) - all.at(count)) > 26)) kept.push(count);
  }
  all.ticks = kept.reverse();
  return all;
}

/** A number for an axis: as many digits as it needs. */
function tickWords(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  return trimmed(value);
}

function trimmed(value) {
  return String(Number(value.toPrecision(3)));
}
