// The live tick: when something happens in one's scope, boards draw themselves anew and other pages say so.

const PATIENCE = 800;

export function followTicks(enliven) {
  const address = document.body.dataset.ticks;
  const live = document.getElementById("live");
  if (!address || !live) return;
  let source = null;
  let waiting = 0;

  const told = (event) => {
    const main = document.getElementById("main");
    const { items } = JSON.parse(event.data);
    if (main.dataset.item && !items.includes(main.dataset.item)) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => (main.dataset.live === "swap" ? swap(enliven) : tell(main)), PATIENCE);
  };

  const open = () => {
    source = new EventSource(address);
    source.addEventListener("open", () => { live.hidden = false; });
    source.addEventListener("error", () => { live.hidden = true; });
    source.addEventListener("tick", told);
  };

  // A browser keeps six connections to a site at most: tabs that nobody looks at hold none.
  let slept = false;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
      live.hidden = true;
      slept = true;
    } else if (!source) {
      open();
      if (slept && document.getElementById("main").dataset.live === "swap") swap(enliven);
      slept = false;
    }
  });
  if (!document.hidden) open();
}

function tell(main) {
  if (!main.dataset.live) return;
  document.getElementById("news").hidden = false;
}

// The same page again, and its content in the place of the old. Never under the hands of somebody who types.
async function swap(enliven) {
  const main = document.getElementById("main");
  if (document.querySelector("dialog[open]") || main.querySelector("input:focus, textarea:focus")) {
    document.getElementById("news").hidden = false;
    return;
  }
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("main");
  if (!fresh) return;
  const focused = document.activeElement?.getAttribute("href");
  main.replaceChildren(...fresh.childNodes);
  main.dataset.drawn = String(Number(main.dataset.drawn ?? 0) + 1);
  if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  enliven(main);
}
