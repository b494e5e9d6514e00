// Tables of cells: sorted by their headings, filtered by words and choices.

/** Makes every heading a button that sorts: ascending, descending, and back to the order of the plan. */
function sortable(table) {
  const body = table.tBodies[0];
  const planned = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = html("button", { type: "button" }, ...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[heading.getAttribute("aria-sort")];
      const order = next === undefined ? "ascending" : next;
      for (const other of headings) other.removeAttribute("aria-sort");
      if (order !== null) heading.setAttribute("aria-sort", order);
      body.append(...(order === null ? planned : sorted(planned, column, order)));
    });
  });
}

/** By number where there is one, else by words in which numbers count as such; what is not known comes last. */
function sorted(rows, column, order) {
  const words = new Intl.Collator(undefined, { numeric: true });
  const sign = order === "ascending" ? 1 : -1;
  const numeric = rows.some((row) => row.cells[column].dataset.v !== undefined);
  return [...rows].sort((a, b) => {
    const [left, right] = [a.cells[column], b.cells[column]];
    if (!numeric) return sign * words.compare(left.textContent, right.textContent);
    const known = [left, right].map((cell) => cell.dataset.v !== undefined);
    if (!known[0] || !known[1]) return Number(known[1]) - Number(known[0]);
    return sign * (Number(left.dataset.v) - Number(right.dataset.v));
  });
}

/** A search field and a choice for each of interpreter, model and status, above the table of all cells. */
function filterable(table, form) {
  const rows = [...table.tBodies[0].rows];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const search = html("input", { type: "search", placeholder: "fib 3.13t", autocomplete: "off", spellcheck: "false" });
  const output = html("output", { "aria-live": "polite" });
  const choices = ["interpreter", "model", "status"].map((key) => {
    const values = [...new Set(rows.map((row) => row.dataset[key]))];
    const select = html("select", { name: key }, html("option", { value: "" }, "all"), ...values.map((value) => html("option", {}, value)));
    return { key, select, several: values.length > 1 };
  });

  function filter() {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const chosen = choices.every(({ key, select }) => select.value === "" || row.dataset[key] === select.value);
      row.hidden = !(chosen && wanted.every((word) => texts.get(row).includes(word)));
      count += row.hidden ? 0 : 1;
    }
    output.textContent = `${count} of ${rows.length} cells`;
  }

  form.append(html("label", {}, "Search", search));
  for (const { key, select, several } of choices) {
    if (several) form.append(html("label", {}, key[0].toUpperCase() + key.slice(1), select));
  }
  form.append(output);
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}
