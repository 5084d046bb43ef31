// Filters that a person keeps, in this browser alone: names and links, nothing of what they find.

const MOST = 20;

export function keepFilters() {
  const holder = document.querySelector("[data-saved]");
  const list = document.querySelector("[data-links]");
  if (!holder || !list) return;
  const place = `xiaohao.filters.${document.body.dataset.person}`;
  let links = read(place);

  const draw = () => {
    list.replaceChildren(...links.map((link) => entry(link, list.dataset.remove, () => {
      links = links.filter((each) => each !== link);
      write(place, links);
      draw();
    })));
    list.hidden = links.length === 0;
    holder.hidden = location.search.length < 2 || links.some((link) => link.query === location.search);
  };

  holder.querySelector("[data-save]").addEventListener("click", () => {
    links = [{ name: nameOf(list.closest("form")), query: location.search }, ...links].slice(0, MOST);
    write(place, links);
    draw();
  });
  draw();
}

// What the form shows as chosen, in its own words.
function nameOf(form) {
  const words = [];
  for (const each of form.elements) {
    if (!each.name || !each.value || each.name === "sort") continue;
    if (each.type === "checkbox") {
      if (each.checked) words.push(each.closest("label").innerText.trim());
    } else if (each.tagName === "SELECT") {
      words.push(each.selectedOptions[0].text);
    } else {
      words.push(each.value);
    }
  }
  return words.join(" · ").slice(0, 60) || location.search.slice(1, 60);
}

function entry(link, remove, removed) {
  const item = document.createElement("li");
  const anchor = document.createElement("a");
  anchor.href = link.query;
  anchor.textContent = link.name;
  if (link.query === location.search) anchor.setAttribute("aria-current", "true");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "×";
  button.setAttribute("aria-label", `${remove} ${link.name}`);
  button.addEventListener("click", removed);
  item.append(anchor, button);
  return item;
}

function read(place) {
  try {
    const kept = JSON.parse(localStorage.getItem(place) ?? "[]");
    return kept.filter((link) => typeof link.name === "string" && /^\?[^#]*$/.test(link.query)).slice(0, MOST);
  } catch {
    return [];
  }
}

function write(place, links) {
  try {
    localStorage.setItem(place, JSON.stringify(links));
  } catch {
    // A browser that keeps nothing still filters.
  }
}
