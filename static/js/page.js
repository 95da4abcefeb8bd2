// Small habits of every page: forms marked data-submit are sent when a choice changes;
// data-copy copies the text of the element it names, whole where data-whole stands behind what is shown;
// arrows move in a list marked data-arrows.
(() => {
  // Links that open a dialog are buttons to a person, so the space bar presses them too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches?.("a[role=button]")) return;
    event.preventDefault();
    event.target.click();
  });
  document.addEventListener("change", (event) =>
    event.target.form?.matches("[data-submit]") && event.target.form.requestSubmit(),
  );
  // Up and down move between the links of a list.
  document.addEventListener("keydown", (event) => {
    const step = (event.key === "ArrowDown") - (event.key === "ArrowUp");
    const list = step !== 0 && event.target.closest("[data-arrows]");
    if (!list) return;
    const links = [...list.querySelectorAll("a")];
    links[(links.indexOf(event.target) + step + links.length) % links.length].focus();
    event.preventDefault();
  });
  // What is shortened to be read is copied whole.
  const whole = (fragment) => {
    for (const one of fragment.querySelectorAll("[data-whole]")) one.textContent = one.dataset.whole;
    return fragment.textContent.trim();
  };
  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const part = selection.getRangeAt(0).cloneContents();
    if (!part.querySelector("[data-whole]")) return;
    event.clipboardData.setData("text/plain", whole(part));
    event.preventDefault();
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || button.dataset.copied) return;
    const element = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(whole(element.cloneNode(true)));
    } catch {
      // Without https there is no clipboard to write to.
      getSelection().selectAllChildren(element);
      document.execCommand("copy");
    }
    if (!button.dataset.done) return;
    const before = [...button.childNodes];
    const status = button.nextElementSibling?.matches("[role=status]") && button.nextElementSibling;
    button.dataset.copied = "true";
    button.replaceChildren(button.dataset.done);
    if (status) status.textContent = button.dataset.done;
    setTimeout(() => {
      delete button.dataset.copied;
      button.replaceChildren(...before);
      if (status) status.textContent = "";
    }, 2000);
  });
})();
