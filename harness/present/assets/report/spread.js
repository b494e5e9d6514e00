// The spread of samples: one row for each cell, all on one axis of deviations from the cell's own median.

const ROW = 30;
/** Below this width names stand above their row instead of beside it. */
const NARROW = 560;

/** Draws the rows of `data` into `details`; series that are switched off in the chart are left out. */
function spreadChart(details, data) {
  const box = details.querySelector(".strips");
  const state = { width: 0, hidden: new Set() };

  function draw() {
    if (state.width > 0) box.replaceChildren(strips(data, state));
  }

  onWidth(box, (width) => {
    state.width = width;
    draw();
  });
  details.addEventListener("toggle", () => {
    if (details.open) {
      state.width = box.clientWidth;
      draw();
    }
  });
  return {
    hide: (hidden) => { state.hidden = hidden; draw(); },
    redraw: (width) => { state.width = width || box.clientWidth; draw(); },
  };
}

function strips(data, state) {
  const spread = data.spread;
  const cells = spread.cells.filter((cell) => !state.hidden.has(cell.series));
  const narrow = state.width < NARROW;
  const step = narrow ? ROW + 16 : ROW;
  const left = narrow ? 4 : 190;
  const right = state.width - (narrow ? 4 : 130);
  const height = cells.length * step + 44;
  const x = scale(spread.low_percent, spread.high_percent, left, right, false,
    linearTicks(spread.low_percent, spread.high_percent, Math.floor((right - left) / 80)));
  const parts = [];
  for (const tick of x.ticks) {
    parts.push(svg("line", { x1: x.at(tick), x2: x.at(tick), y1: 4, y2: height - 40, class: Math.abs(tick) < 1e-9 ? "zero" : "grid" }));
    parts.push(svg("text", { x: x.at(tick), y: height - 24, "text-anchor": anchor(x.at(tick), left, right) }, percentWords(tick)));
  }
  parts.push(svg("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, "Deviation from the cell's median"));
  cells.forEach((cell, row) => parts.push(strip(data, cell, x, row * step + step - 8, { narrow, left, width: state.width })));
  const label = `Spread of the samples of ${data.workload}`;
  return svg("svg", { width: state.width, height, viewBox: `0 0 ${state.width} ${height}`, role: "group", "aria-label": label }, ...parts);
}

/** A tick's words stay inside the picture. */
function anchor(place, left, right) {
  if (place < left + 20) return "start";
  return place > right - 20 ? "end" : "middle";
}

function percentWords(value) {
  if (Math.abs(value) < 1e-9) return "median";
  return `${value > 0 ? "+" : "−"}${tickWords(Math.abs(value))} %`;
}

/** One cell: bars above the line that shows its quantiles. */
function strip(data, cell, x, base, place) {
  const series = data.series[cell.series];
  const name = `${series.name} ×${cell.workers}`;
  const words = `${cell.median}, n=${cell.samples}`;
  const wide = (x.at(x.high) - x.at(x.low)) / data.spread.bins;
  const most = Math.max(...cell.counts.map(([, count]) => count));
  const bars = cell.counts.flatMap(([bin, count, disturbed]) => {
    const left = x.at(x.low) + bin * wide;
    const bar = (height, kind) => svg("rect",
      { x: left.toFixed(1), y: (base - 4 - height).toFixed(1), width: Math.max(wide - 1, 1).toFixed(1), height: height.toFixed(1), class: kind });
    const tall = Math.max((count / most) * 17, 1.5);
    const marked = (disturbed / count) * tall;
    return marked > 0 ? [bar(tall, "bar"), bar(marked, "bar disturbed")] : [bar(tall, "bar")];
  });
  const [low, quarter, threeQuarters, high] = cell.percentiles;
  const line = (from, to, kind) => svg("line", { x1: x.clamped(from), x2: Math.max(x.clamped(to), x.clamped(from) + 1), y1: base, y2: base, class: kind });
  const sign = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)} %`;
  const told = `${name}: median ${words}, ${cell.disturbed} disturbed; middle half ${sign(quarter)} to ${sign(threeQuarters)}, `
    + `all ${sign(cell.ends[0])} to ${sign(cell.ends[1])}`;
  const texts = place.narrow
    ? [svg("text", { x: place.left, y: base - 26, class: "name" }, name), svg("text", { x: place.width - 4, y: base - 26, "text-anchor": "end" }, words)]
    : [svg("text", { x: place.left - 14, y: base - 3, "text-anchor": "end", class: "name" }, name),
       svg("text", { x: place.width, y: base - 3, "text-anchor": "end" }, words)];
  return svg("g", { class: `row m-${series.family}`, role: "img", "aria-label": told },
    svg("title", {}, told), ...texts, ...bars, line(low, high, "most"), line(quarter, threeQuarters, "middle"));
}
