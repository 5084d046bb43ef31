// Every page works without this. It adds dialogs, kept filters, suggestions of units, and the live tick.

import { openAsDialogs } from "./dialogs.js";
import { keepFilters } from "./filters.js";
import { followTicks } from "./ticks.js";
import { suggestUnits } from "./units.js";

export function enliven(root) {
  openAsDialogs(root);
  suggestUnits(root);
  for (const form of root.querySelectorAll("form[data-once]")) {
    // The service does the work of a form once, however often it is sent; this only spares the wait for the second.
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
}

enliven(document);
keepFilters();
followTicks(enliven);
// A page that comes back from the browser's memory may send its forms again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
