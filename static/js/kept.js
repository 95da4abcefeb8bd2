// What a person holds is kept when a part of the page is drawn anew: the focus goes to what took its place, and what
// was unfolded stays so. HTMX itself finds what has an id again; here is what it can't.
(() => {
  const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const place = (element) => element?.closest("[id]")?.id;
  const label = (element) =>
    element.getAttribute("aria-label") || element.textContent.trim().replace(/\s+/g, " ") || element.name || "";
  const isThere = (element) => element && !element.disabled && element.checkVisibility({ visibilityProperty: true });
  let held = null;

  function unfolded(part) {
    return [...part.querySelectorAll("details[open] > summary")].map(label);
  }

  function hold(part) {
    const element = document.activeElement;
    const opened = unfolded(part);
    const isHeld = element !== document.body && part.contains(element);
    if (!isHeld && !opened.length) return;
    held = {
      opened,
      part: part.id || place(part.parentElement),
      id: isHeld && element.id,
      label: isHeld && label(element),
      tag: isHeld && element.tagName,
      group: isHeld && element.closest("nav")?.getAttribute("aria-label"),
      isHeld,
    };
  }

  // The same thing, then what the answer says is next, then its neighbours, then the part as a whole.
  function successor({ part, id, label: name, tag, group }) {
    const region = document.getElementById(part) || document.getElementById("content");
    const all = [...region.querySelectorAll(FOCUSABLE)].filter(isThere);
    const same = id && document.getElementById(id);
    const inGroup = group && all.filter((one) => one.closest("nav")?.getAttribute("aria-label") === group);
    return (
      (isThere(same) && same) ||
      all.find((one) => one.tagName === tag && label(one) === name) ||
      all.find((one) => "focus" in one.dataset) ||
      inGroup?.[0] ||
      all.find((one) => one.tabIndex >= 0) ||
      document.getElementById("content")
    );
  }

  function restore() {
    if (!held) return;
    const was = held;
    held = null;
    const region = document.getElementById(was.part);
    for (const summary of region?.querySelectorAll("details:not([open]) > summary") || []) {
      if (was.opened.includes(label(summary))) summary.parentElement.open = true;
    }
    if (was.isHeld && document.activeElement === document.body) successor(was)?.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.shouldSwap) hold(event.detail.target);
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => hold(event.detail.target));
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("htmx:afterRequest", restore);
})();
