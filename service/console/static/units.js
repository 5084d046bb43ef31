// Names of units, while one is typed.

const WAIT = 150;
let serial = 0;

export function suggestUnits(root) {
  const address = document.body.dataset.units;
  if (!address) return;
  for (const input of root.querySelectorAll("input[data-unit]")) {
    const list = document.createElement("datalist");
    list.id = `units-${(serial += 1)}`;
    input.after(list);
    input.setAttribute("list", list.id);
    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => fill(list, address, input.value.trim()), WAIT);
    });
  }
}

async function fill(list, address, typed) {
  if (!typed) return;
  const answer = await fetch(`${address}?${new URLSearchParams({ q: typed })}`);
  if (!answer.ok || answer.redirected) return;
  const { units } = await answer.json();
  list.replaceChildren(...units.map((unit) => {
    const option = document.createElement("option");
    option.value = unit.name;
    option.label = unit.code;
    return option;
  }));
}
