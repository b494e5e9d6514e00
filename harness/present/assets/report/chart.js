// The scaling chart: curves over workers, or a place for each series where there is one number of workers only.

const ROOM = { left: 50, right: 14, top: 30, bottom: 42 };
/** A pointer this far from a point, in pixels, is not at it. */
const NEAR = 60;

const MARKERS = [
  () => svg("circle", { r: 4, class: "marker" }),
  () => svg("rect", { x: -3.8, y: -3.8, width: 7.6, height: 7.6, class: "marker" }),
  () => svg("path", { d: "M0 -5L4.8 3.6H-4.8Z", class: "marker" }),
  () => svg("path", { d: "M0 -5.2L5.2 0L0 5.2L-5.2 0Z", class: "marker" }),
];

function seriesClass(series) {
  return `series m-${series.family} gil-${series.gil || "none"}`;
}

/** A short piece of a series' line with its marker. */
function swatch(series) {
  const marker = svg("g", { transform: "translate(17 7)" }, MARKERS[series.marker]());
  const line = svg("path", { d: "M1 7H33", class: "line" });
  return svg("svg", { width: 34, height: 14, "aria-hidden": "true", class: seriesClass(series) }, line, marker);
}

/** Draws the chart of `data` into `figure`; `hiddenChanged` is called when a series is switched. */
function scalingChart(figure, data, number, hiddenChanged) {
  const state = { metric: data.metrics[0], hidden: new Set(), light: null, width: 0, focus: null };
  const plot = html("div", { class: "plot" });
  const tip = html("div", { class: "tip", role: "tooltip", hidden: true });
  const legend = html("div", { class: "legend-box" });
  const choices = data.metrics.map((metric) => [metric.key, metric.name]);
  const bar = html("div", { class: "bar" });
  if (choices.length > 1) {
    bar.append(choice(`metric-${number}`, "What the chart shows", choices, state.metric.key, (key) => {
      state.metric = data.metrics.find((metric) => metric.key === key);
      state.focus = null;
      draw();
      drawLegend();
    }));
  }
  figure.prepend(bar, html("div", { class: "body" }, plot, legend));

  const shown = () => state.metric.values.filter((curve) => !state.hidden.has(curve.series));

  function draw() {
    const hadFocus = plot.contains(document.activeElement);
    tip.hidden = true;
    const counts = [...new Set(state.metric.values.flatMap((curve) => curve.points.map((point) => point[0])))];
    counts.sort((a, b) => a - b);
    const drawn = counts.length > 1 ? drawCurves(data, state, shown(), counts) : drawPlaces(data, state, shown());
    plot.replaceChildren(drawn.picture, tip);
    follow(plot, drawn.points, state, showTip, hideTip);
    if (hadFocus) {
      const again = drawn.points.find((point) => sameSpot(point, state.focus)) || drawn.points[0];
      if (again) again.node.focus();
    }
    highlight();
  }

  function showTip(point) {
    const alike = shown()
      .flatMap((curve) => curve.points.filter((other) => other[0] === point.workers).map((other) => [curve.series, other]))
      .sort((a, b) => b[1][1] - a[1][1]);
    const rows = alike.map(([series, other]) =>
      html("li", { class: `m-${data.series[series].family}${series === point.series ? " here" : ""}` },
        html("span", { class: "swatch" }), html("span", {}, data.series[series].name), html("span", {}, other[4])));
    const workers = point.workers === 1 ? "1 worker" : `${point.workers} workers`;
    tip.replaceChildren(html("p", {}, `${state.metric.name} at ${workers}`), html("ul", {}, ...rows.slice(0, 14)));
    tip.hidden = false;
    const leftwards = point.x > plot.clientWidth / 2;
    const room = plot.clientWidth - tip.offsetWidth;
    const left = leftwards ? point.x - tip.offsetWidth - 16 : point.x + 16;
    tip.style.left = `${Math.max(0, Math.min(left, room))}px`;
    tip.style.top = `${Math.max(0, Math.min(point.y - tip.offsetHeight / 2, plot.clientHeight - tip.offsetHeight))}px`;
    light(point.series);
  }

  function hideTip() {
    tip.hidden = true;
    light(null);
  }

  function light(series) {
    if (state.light === series) return;
    state.light = series;
    highlight();
  }

  function highlight() {
    for (const node of plot.querySelectorAll("g.series")) {
      node.classList.toggle("faded", state.light !== null && Number(node.dataset.series) !== state.light);
    }
  }

  function switchSeries(change) {
    change();
    draw();
    drawLegend();
    hiddenChanged(state.hidden);
  }

  function drawLegend() {
    const pressed = legend.contains(document.activeElement) ? document.activeElement.dataset.button : undefined;
    const of = state.metric.values.map((curve) => curve.series);
    const largest = Math.max(...state.metric.values.flatMap((curve) => curve.points.map((point) => point[0])));
    const head = html("div", { class: "legend-head" }, html("span", {}, `at N=${largest}`));
    if (of.length > 2) {
      const button = (words, change) => {
        const node = html("button", { type: "button", "data-button": words }, words);
        node.addEventListener("click", () => switchSeries(change));
        return node;
      };
      head.prepend(html("span", {}, button("all", () => state.hidden.clear()), " · ",
        button("none", () => of.forEach((series) => state.hidden.add(series)))));
    }
    const entries = state.metric.values.map((curve) => legendEntry(curve, largest));
    legend.replaceChildren(head, html("ul", { class: "legend", "aria-label": "Series" }, ...entries));
    // The buttons are new ones, and the keyboard goes on from the one that was pressed.
    const again = [...legend.querySelectorAll("button")].find((button) => button.dataset.button === pressed);
    if (again) again.focus();
  }

  function legendEntry(curve, largest) {
    const series = data.series[curve.series];
    const last = curve.points.find((point) => point[0] === largest);
    const button = html("button",
      { type: "button", "aria-pressed": String(!state.hidden.has(curve.series)), "data-button": curve.series },
      swatch(series), html("span", { class: "name" }, series.name),
      html("span", { class: "value" }, last ? last[4].split(" [")[0] : "–"));
    button.addEventListener("click", () => switchSeries(() => {
      if (!state.hidden.delete(curve.series)) state.hidden.add(curve.series);
    }));
    button.addEventListener("pointerenter", () => light(curve.series));
    button.addEventListener("pointerleave", () => light(null));
    return html("li", {}, button);
  }

  drawLegend();
  onWidth(plot, (width) => {
    state.width = width;
    draw();
  });
  return { redraw: (width) => { state.width = width || plot.clientWidth; draw(); } };
}

function sameSpot(point, spot) {
  return spot !== null && point.series === spot.series && point.workers === spot.workers;
}

/** What a reader hears of a point. */
function pointWords(data, state, curve, value) {
  const workers = value[0] === 1 ? "1 worker" : `${value[0]} workers`;
  return `${data.series[curve.series].name}, ${workers}: ${state.metric.name.toLowerCase()} ${value[4]}`;
}

function picture(data, state, height, ...children) {
  const label = `${state.metric.name} of ${data.workload}. Arrow keys move between points.`;
  const many = state.metric.values.length - state.hidden.size > 4;
  return svg("svg", { class: many ? "many" : null, width: state.width, height, viewBox: `0 0 ${state.width} ${height}`, role: "group", "aria-label": label }, ...children);
}

/** A point of the picture that can be focused: only one of them is in the order of the tab key. */
function pointNode(data, state, curve, value, x, y) {
  const node = svg("g",
    { class: "point", role: "img", tabindex: -1, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`, "aria-label": pointWords(data, state, curve, value) },
    MARKERS[data.series[curve.series].marker]());
  return { node, x, y, series: curve.series, workers: value[0] };
}

function path(points) {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function drawCurves(data, state, curves, counts) {
  const height = state.width < 520 ? 320 : 420;
  const [bottom, top] = [height - ROOM.bottom, ROOM.top];
  const x = workersScale(counts, ROOM.left, state.width - ROOM.right - 6);
  const doublings = state.metric.key === "speedup" && x.log;
  const all = curves.length ? curves : state.metric.values;
  const y = valueScale(state.metric, all, bottom, top, doublings);
  const parts = [...axes(state, x, y, bottom)];
  const labels = [];
  for (const reference of state.metric.references) {
    const corners = reference.points.map(([workers, value]) => [x.at(workers), y.clamped(value)]);
    const kind = reference.measured ? "reference measured" : "reference reckoned";
    parts.push(svg("path", { d: path(corners), class: kind }, svg("title", {}, reference.name)));
    const [endX, endY] = corners[corners.length - 1];
    // Beside the end of the line, the ceiling's below it, so that the two do not meet.
    const below = reference.measured ? 15 : -6;
    labels.push(svg("text", { x: endX - 8, y: endY + below, "text-anchor": "end", class: "label" }, reference.name));
  }
  const points = [];
  for (const curve of curves) {
    const series = data.series[curve.series];
    const group = svg("g", { class: seriesClass(series), "data-series": curve.series });
    const line = curve.points.map((value) => [x.at(value[0]), y.clamped(value[1])]);
    if (line.length > 1) {
      const upper = curve.points.map((value) => [x.at(value[0]), y.clamped(value[3])]);
      const lower = curve.points.map((value) => [x.at(value[0]), y.clamped(value[2])]).reverse();
      group.append(svg("path", { d: `${path([...upper, ...lower])}Z`, class: "band" }), svg("path", { d: path(line), class: "line" }));
    }
    if (curve.fit) group.append(svg("path", { d: path(curve.fit.map(([n, value]) => [x.at(n), y.clamped(value)])), class: "fit" }));
    curve.points.forEach((value, index) => {
      const [px, py] = line[index];
      group.append(whisker(px, y.clamped(value[2]), px, y.clamped(value[3])));
      const point = pointNode(data, state, curve, value, px, py);
      group.append(point.node);
      points.push(point);
    });
    parts.push(group);
  }
  if (!curves.length) parts.push(nothing(state, height));
  return { picture: picture(data, state, height, ...parts, ...labels), points };
}

function nothing(state, height) {
  return svg("text", { x: state.width / 2, y: height / 2, "text-anchor": "middle", class: "title" }, "Every series is switched off.");
}

function whisker(x1, y1, x2, y2) {
  return svg("line", { x1: x1.toFixed(1), y1: y1.toFixed(1), x2: x2.toFixed(1), y2: y2.toFixed(1), class: "whisker" });
}

function axes(state, x, y, bottom) {
  const parts = [svg("text", { x: 0, y: 12, class: "title" }, state.metric.axis)];
  for (const tick of y.ticks) {
    const place = y.at(tick);
    parts.push(svg("line", { x1: ROOM.left, x2: state.width - ROOM.right, y1: place, y2: place, class: "grid" }));
    parts.push(svg("text", { x: ROOM.left - 8, y: place + 4, "text-anchor": "end" }, `${tickWords(tick)}${state.metric.suffix}`));
  }
  parts.push(svg("line", { x1: ROOM.left, x2: state.width - ROOM.right, y1: bottom, y2: bottom, class: "axis" }));
  for (const tick of x.ticks) {
    parts.push(svg("text", { x: x.at(tick), y: bottom + 18, "text-anchor": "middle" }, String(tick)));
  }
  parts.push(svg("text", { x: (ROOM.left + state.width - ROOM.right) / 2, y: bottom + 37, "text-anchor": "middle", class: "title" }, "Workers"));
  return parts;
}

/** One number of workers: a row for each series, its value along the row. */
function drawPlaces(data, state, curves) {
  const step = 30;
  const height = ROOM.top + Math.max(curves.length, 1) * step + 26;
  const names = Math.min(170, state.width * 0.42);
  const values = curves.flatMap((curve) => curve.points);
  const high = Math.max(...values.map((value) => Math.min(value[3], value[1] * 1.5)), 0) * 1.05 || 1;
  const x = scale(0, high, names, state.width - 14, false, linearTicks(0, high, Math.floor((state.width - names) / 70)));
  const parts = [svg("text", { x: 0, y: 12, class: "title" }, state.metric.axis)];
  for (const tick of x.ticks) {
    parts.push(svg("line", { x1: x.at(tick), x2: x.at(tick), y1: ROOM.top - 8, y2: height - 22, class: "grid" }));
    parts.push(svg("text", { x: x.at(tick), y: height - 6, "text-anchor": "middle" }, tickWords(tick)));
  }
  const points = [];
  curves.forEach((curve, row) => {
    const value = curve.points[0];
    const y = ROOM.top + row * step + step / 2;
    const group = svg("g", { class: seriesClass(data.series[curve.series]), "data-series": curve.series });
    const point = pointNode(data, state, curve, value, x.clamped(value[1]), y);
    group.append(whisker(x.clamped(value[2]), y, x.clamped(value[3]), y), point.node);
    points.push(point);
    parts.push(svg("text", { x: names - 12, y: y + 4, "text-anchor": "end", class: "title" }, data.series[curve.series].name), group);
  });
  if (!curves.length) parts.push(nothing(state, height));
  return { picture: picture(data, state, height, ...parts), points };
}

/** Shows the point that the pointer is near or the keyboard is at. */
function follow(plot, points, state, show, hide) {
  const drawn = plot.firstChild;
  const near = (event) => {
    const box = drawn.getBoundingClientRect();
    const distance = (point) => Math.hypot(point.x - (event.clientX - box.left), point.y - (event.clientY - box.top));
    const nearest = points.reduce((best, point) => (best === null || distance(point) < distance(best) ? point : best), null);
    if (nearest !== null && distance(nearest) < NEAR) show(nearest);
    else hide();
  };
  drawn.addEventListener("pointermove", near);
  drawn.addEventListener("pointerdown", near);
  drawn.addEventListener("pointerleave", hide);
  const first = points.find((point) => sameSpot(point, state.focus)) || points[0];
  if (first) first.node.setAttribute("tabindex", 0);
  for (const point of points) {
    point.node.addEventListener("focus", () => {
      for (const other of points) other.node.setAttribute("tabindex", other === point ? 0 : -1);
      state.focus = { series: point.series, workers: point.workers };
      show(point);
    });
    point.node.addEventListener("blur", hide);
    point.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
      const next = neighbour(points, point, event.key);
      if (next === null) return;
      event.preventDefault();
      next.node.focus();
    });
  }
}

/** The next point along the curve, or among the series at the same number of workers, by height. */
function neighbour(points, from, key) {
  const along = points.filter((point) => point.series === from.series);
  const across = points.filter((point) => point.workers === from.workers).sort((a, b) => a.y - b.y || a.series - b.series);
  const step = (list, by) => list[list.indexOf(from) + by] || null;
  switch (key) {
    case "ArrowRight": return step(along, 1);
    case "ArrowLeft": return step(along, -1);
    case "ArrowDown": return step(across, 1);
    case "ArrowUp": return step(across, -1);
    case "Home": return along[0];
    case "End": return along[along.length - 1];
    default: return null;
  }
}
