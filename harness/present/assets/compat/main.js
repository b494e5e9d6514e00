// Puts the page to life: a table that can be sorted, and details that open when something links to them.

sortable(document.getElementById("all"));

function openLinked() {
  const linked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (linked instanceof HTMLDetailsElement) {
    linked.open = true;
    linked.scrollIntoView();
  }
}
addEventListener("hashchange", openLinked);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
openLinked();
