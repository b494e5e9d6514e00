// A chart: switches between its pictures, hides and highlights series, and shows the values that its points carry.

/** A pointer this far from a point, in pixels, is not at it. */
const NEAR = 60;

/** Puts the chart in `figure` to life; `hiddenChanged` is called when a series is switched on or off. */
function liveChart(figure, hiddenChanged) {
  const plot = figure.querySelector(".plot");
  const tip = figure.querySelector(".tip");
  const entries = [...figure.querySelectorAll(".legend button")];
  const names = entries.map((entry) => entry.querySelector(".name").textContent);
  const pictures = [...figure.querySelectorAll(".picture")];
  const hidden = new Set();
  let shown = pictures[0];
  let points = [];

  function show(picture) {
    shown = picture;
    for (const other of pictures) other.hidden = other !== picture;
    points = pointsOf(picture);
    for (const point of points) {
      const words = `${names[point.series]} ${where(point)}: ${quantity(point).toLowerCase()} ${point.words}`;
      for (const [name, value] of [["role", "img"], ["aria-label", words]]) point.node.setAttribute(name, value);
    }
    stopAt(visible()[0]);
    const largest = Math.max(...points.map((point) => point.workers));
    figure.querySelector(".at").textContent = picture.dataset.at || `at N=${largest}`;
    for (const entry of entries) {
      const own = points.filter((point) => point.series === Number(entry.dataset.series) && !point.below);
      const last = own.find((point) => picture.dataset.at || point.workers === largest);
      entry.parentElement.hidden = own.length === 0;
      entry.querySelector(".value").textContent = last ? last.words.split(" [")[0] : "–";
    }
    hideTip();
  }

  /** The tab key stops at one point of the whole chart. */
  function stopAt(stop) {
    for (const point of points) point.node.setAttribute("tabindex", point === stop ? 0 : -1);
  }

  const where = (point) => shown.dataset.at || (point.workers === 1 ? "at 1 worker" : `at ${point.workers} workers`);
  const quantity = (point) => (point.below ? "Efficiency" : shown.dataset.name);
  const visible = () => points.filter((point) => !hidden.has(point.series));

  function showTip(point) {
    const alike = visible().filter((other) => other.workers === point.workers && other.below === point.below);
    alike.sort((a, b) => middle(a).y - middle(b).y);
    const rows = alike.map((other) => html("li", { class: other.series === point.series ? "here" : null },
      entries[other.series].querySelector(".legend-key").cloneNode(true), html("span", {}, names[other.series]), html("span", {}, other.words)));
    tip.replaceChildren(html("p", {}, `${quantity(point)} ${where(point)}`), html("ul", {}, ...rows.slice(0, 14)));
    tip.hidden = false;
    const [box, place] = [plot.getBoundingClientRect(), middle(point)];
    const [x, y] = [place.x - box.left, place.y - box.top];
    const left = x > box.width / 2 ? x - tip.offsetWidth - 16 : x + 16;
    tip.style.left = `${Math.max(0, Math.min(left, box.width - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, Math.min(y - tip.offsetHeight / 2, box.height - tip.offsetHeight))}px`;
    light(point.series);
  }

  function hideTip() {
    tip.hidden = true;
    light(null);
  }

  function light(series) {
    for (const group of shown.querySelectorAll("[data-series]")) {
      group.classList.toggle("faded", series !== null && Number(group.dataset.series) !== series);
    }
  }

  function switchSeries(change) {
    change();
    for (const entry of entries) entry.setAttribute("aria-pressed", String(!hidden.has(Number(entry.dataset.series))));
    hide(plot, hidden);
    plot.classList.toggle("empty", visible().length === 0);
    stopAt(visible()[0]);
    hiddenChanged(hidden);
  }

  function near(event) {
    const distance = (point) => Math.hypot(middle(point).x - event.clientX, middle(point).y - event.clientY);
    const nearest = visible().reduce((best, point) => (best === null || distance(point) < distance(best) ? point : best), null);
    if (nearest !== null && distance(nearest) < NEAR) showTip(nearest);
    else hideTip();
  }

  plot.addEventListener("pointermove", near);
  plot.addEventListener("pointerdown", near);
  plot.addEventListener("pointerleave", hideTip);
  const focused = (event) => points.find((point) => point.node === event.target);
  plot.addEventListener("focusin", (event) => {
    if (!focused(event)) return;
    stopAt(focused(event));
    showTip(focused(event));
  });
  plot.addEventListener("focusout", hideTip);
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTip();
    const next = focused(event) && neighbour(visible(), focused(event), event.key);
    if (!next) return;
    event.preventDefault();
    next.node.focus();
  });
  for (const entry of entries) {
    const series = Number(entry.dataset.series);
    entry.addEventListener("click", () => switchSeries(() => { if (!hidden.delete(series)) hidden.add(series); }));
    entry.addEventListener("pointerenter", () => light(series));
    entry.addEventListener("pointerleave", () => light(null));
  }
  const [all, none] = figure.querySelectorAll(".legend-head button");
  all.addEventListener("click", () => switchSeries(() => hidden.clear()));
  none.addEventListener("click", () => switchSeries(() => entries.forEach((_, series) => hidden.add(series))));
  for (const input of figure.querySelectorAll(".choice input")) {
    input.addEventListener("change", () => show(pictures.find((picture) => picture.dataset.key === input.value)));
    if (input.checked) shown = pictures.find((picture) => picture.dataset.key === input.value);
  }
  for (const control of figure.querySelectorAll(".bar, .legend-head")) control.hidden = false;
  show(shown);
}

/** The points of a picture: their series, number of workers and words, and whether they are in the lower of two plots. */
function pointsOf(picture) {
  return [...picture.querySelectorAll("[data-n]")].map((node) => ({
    node,
    series: Number(node.closest("[data-series]").dataset.series),
    workers: Number(node.dataset.n),
    words: node.dataset.v,
    below: node.classList.contains("below"),
  }));
}

function middle(point) {
  const box = point.node.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Hides the groups of these series below an element. */
function hide(element, series) {
  for (const group of element.querySelectorAll("[data-series]")) group.classList.toggle("off", series.has(Number(group.dataset.series)));
}

/** The next point along the curve, or among the series at the same number of workers, by height. */
function neighbour(points, from, key) {
  const plot = points.filter((point) => point.below === from.below);
  const along = plot.filter((point) => point.series === from.series);
  const across = plot.filter((point) => point.workers === from.workers).sort((a, b) => middle(a).y - middle(b).y || a.series - b.series);
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
