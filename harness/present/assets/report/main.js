// Puts the page to life: the theme, the charts, the tables, and what paper needs.

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

/** On paper everything is open. */
function printable() {
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
}

themeSwitch();
for (const table of document.querySelectorAll("table.cells")) sortable(table);
const cells = document.getElementById("cells");
if (cells) filterable(cells, document.getElementById("filters"));
for (const figure of document.querySelectorAll("figure.chart")) {
  const spread = figure.closest(".workload").querySelector(".strips");
  liveChart(figure, (hidden) => { if (spread) hide(spread, hidden); });
}
printable();
