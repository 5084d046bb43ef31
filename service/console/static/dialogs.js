// A deed's form opens in its place; where there is a script it opens as a dialog, which keeps the keyboard inside.

export function openAsDialogs(root) {
  for (const details of root.querySelectorAll("details[data-dialog]")) {
    const body = details.querySelector(".deed-body");
    const summary = details.querySelector("summary");
    const dialog = document.createElement("dialog");
    dialog.className = "deed-dialog";
    const title = body.querySelector(".deed-title");
    title.id = `title-${details.querySelector("form").action.split("/").pop()}`;
    dialog.setAttribute("aria-labelledby", title.id);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "dialog-close";
    close.textContent = "×";
    close.setAttribute("aria-label", document.body.dataset.close);
    close.addEventListener("click", () => dialog.close());
    dialog.append(close, body);
    details.after(dialog);
    summary.setAttribute("aria-haspopup", "dialog");
    const show = () => {
      if (!dialog.open) dialog.showModal();
      const first = dialog.querySelector("[aria-invalid], input:not([type=hidden]), textarea, select");
      if (first) first.focus();
    };
    summary.addEventListener("click", (event) => {
      event.preventDefault();
      show();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && !dialog.querySelector(":user-invalid")) dialog.close();
    });
    dialog.addEventListener("close", () => summary.focus());
    // What was sent and refused is open already.
    if (details.open) {
      details.open = false;
      show();
    }
  }
}
