// Making elements. Text goes in as text, never as markup, so names from workloads and machines start nothing.

/** An HTML element with attributes and children; strings become text. */
function html(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}
