// Small habits of every page: "/" goes to the search field; forms marked data-submit are sent when a choice changes;
// data-copy copies the text of the element it names.
(() => {
  document.addEventListener("keydown", (event) => {
    if (
      event.key !== "/" ||
      event.ctrlKey ||
      event.metaKey ||
      event.target.closest("input, textarea, select, dialog")
    )
      return;
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
  // Links that open a dialog are buttons to a person, so the space bar presses them too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches?.("a[role=button]")) return;
    event.preventDefault();
    event.target.click();
  });
  document.addEventListener("change", (event) =>
    event.target.closest("form[data-submit]")?.requestSubmit(),
  );
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(
      document.getElementById(button.dataset.copy).textContent.trim(),
    );
    if (button.dataset.done) button.textContent = button.dataset.done;
  });
})();
