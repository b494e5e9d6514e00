// Making elements. Text goes in as text, never as markup, so names from workloads and machines start nothing.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element with attributes and children; strings become text. */
function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Radio buttons for one choice among few. `choices` are pairs of value and words; `chosen` is called with a value. */
function choice(name, legend, choices, first, chosen) {
  const set = html("fieldset", { class: "choice" }, html("legend", {}, legend));
  for (const [value, words] of choices) {
    const input = html("input", { type: "radio", name, value, checked: value === first });
    input.addEventListener("change", () => chosen(value));
    set.append(html("label", {}, input, html("span", {}, words)));
  }
  return set;
}

/** Calls `changed` with an element's width now and whenever it changes by a pixel. */
function onWidth(element, changed) {
  let known = 0;
  const look = () => {
    const width = Math.floor(element.clientWidth);
    if (width > 0 && width !== known) {
      known = width;
      changed(width);
    }
  };
  new ResizeObserver(look).observe(element);
  look();
}
