// Puts the page to life: the theme, the charts, the tables, and what paper needs.

/** Width of a page's text on A4 paper with its margins, in pixels of 1/96 inch. */
const PAPER = 686;
const THEME_KEY = "ftbench-report-theme";

function themeSwitch() {
  let stored = "auto";
  try {
    stored = localStorage.getItem(THEME_KEY) || "auto";
  } catch {
    // A browser that keeps nothing for files follows the system's setting.
  }
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  const themes = ["auto", "light", "dark"];
  const sign = { auto: "◐", light: "☀", dark: "☾" };
  const words = html("span", { class: "words" });
  const mark = html("span", { "aria-hidden": "true" });
  const button = html("button", { type: "button" }, mark, " ", words);
  const show = (theme) => {
    apply(theme);
    mark.textContent = sign[theme];
    words.textContent = theme;
    button.setAttribute("aria-label", `Colours: ${theme}`);
    button.dataset.chosen = theme;
  };
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(button.dataset.chosen) + 1) % themes.length];
    show(next);
    try {
      localStorage.setItem(THEME_KEY, next);
    } catch {
      // As above.
    }
  });
  show(themes.includes(stored) ? stored : "auto");
  document.getElementById("theme").append(button);
}

function drawAll() {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const drawn = [];
  const spreads = new Map();
  for (const details of document.querySelectorAll("details.spread")) {
    const spread = spreadChart(details, charts[Number(details.dataset.chart)]);
    spreads.set(details.dataset.chart, spread);
    drawn.push(spread);
  }
  for (const figure of document.querySelectorAll("figure.chart")) {
    const number = figure.dataset.chart;
    const hide = (hidden) => spreads.has(number) && spreads.get(number).hide(hidden);
    drawn.push(scalingChart(figure, charts[Number(number)], number, hide));
  }
  return drawn;
}

/** On paper everything is open, and charts have the paper's width. */
function printable(drawn) {
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
    for (const chart of drawn) chart.redraw(PAPER);
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    for (const chart of drawn) chart.redraw();
  });
}

themeSwitch();
for (const table of document.querySelectorAll("table.cells")) sortable(table);
const cells = document.getElementById("cells");
if (cells) filterable(cells, document.getElementById("filters"));
printable(drawAll());
