// The page that follows a story. It adds the pieces that its server sends, in their order, and moves among them; what
// they say was escaped by the server, and the page's policy would run no script in them.
"use strict";
{
  const A_LADDER = 100; // rungs; a browser lays out a ladder at a time
  const KEPT = 10000; // pieces; a story that goes on all day must not fill a browser
  const root = document.documentElement;
  const story = document.getElementById("story");
  const state = document.getElementById("state");
  const said = document.getElementById("said");
  const emptyLadder = document.getElementById("ladder").content.firstElementChild;
  const token = document.body.dataset.token;
  let room = story; // where pieces go: the last heading's section
  let here = null; // the piece that was gone to; none while following
  let isFollowing = true;
  let isConnected = true;
  let isWaiting = false;
  let isOver = false;
  let count = 0;

  function show() {
    const now = !isFollowing ? "held" : isOver ? "over" : !isConnected ? "lost" : isWaiting ? "waiting" : "following";
    root.className = now;
    const trouble = isOver ? state.dataset.over : isConnected ? "" : state.dataset.lost;
    state.textContent = now === "held" && trouble ? `${state.dataset.held}; ${trouble}` : state.dataset[now];
  }

  // Whoever listens is told acts, what failed and sums; the rest is there to be read.
  function say(piece) {
    if (piece.matches(".act, .question, .check.failed, .sum")) said.textContent = piece.textContent;
  }

  function add(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    for (const piece of [...box.content.children]) {
      if (piece.matches("h2")) {
        room = story.appendChild(document.createElement("section"));
        room.setAttribute("aria-labelledby", piece.id);
      }
      if (piece.matches(".rung")) {
        const last = room.lastElementChild;
        const hasRoom = last?.matches(".ladder") && last.children.length < A_LADDER;
        const ladder = hasRoom ? last : room.appendChild(emptyLadder.cloneNode(true));
        ladder.append(piece);
      } else {
        room.append(piece);
      }
      say(piece);
      count += 1;
    }
    for (; count > KEPT; count -= 1) forget();
    if (isFollowing) requestAnimationFrame(toEnd);
  }

  function forget() {
    let first = story.firstElementChild;
    while (first.matches("section, .ladder") && first.firstElementChild) first = first.firstElementChild;
    const parent = first.parentElement;
    first.remove();
    if (parent !== story && !parent.firstElementChild && parent !== room) parent.remove();
  }

  // What comes in sight is laid out then, and may be higher than it was thought to be: once more.
  function toEnd() {
    const scroll = () => { if (isFollowing) scrollTo(0, document.body.scrollHeight); };
    scroll();
    requestAnimationFrame(scroll);
  }

  function mark(piece) {
    here?.classList.remove("here");
    here?.removeAttribute("aria-current");
    here = piece;
    here?.classList.add("here");
    here?.setAttribute("aria-current", "true");
  }

  function follow() {
    here?.blur();
    mark(null);
    isFollowing = true;
    show();
    toEnd();
  }

  function hold() {
    isFollowing = false;
    show();
  }

  function goTo(piece, block) {
    hold();
    mark(piece);
    piece.tabIndex = -1;
    piece.focus({ preventScroll: true });
    piece.scrollIntoView({ block });
  }

  // The next piece of a kind in a direction, from where one is or, where one has only looked around, from the middle
  // of what is in sight. Beyond the last one is the end.
  function go(kind, step, block) {
    const pieces = [...story.querySelectorAll(kind)];
    const isSeen = (piece) => piece.getBoundingClientRect().bottom > innerHeight / 2;
    const relation = step > 0 ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
    const isNext = (piece) => here.compareDocumentPosition(piece) & relation;
    let found;
    if (isFollowing) found = step < 0 && pieces.at(-1);
    else if (!here?.isConnected) found = pieces.find(isSeen) ?? pieces.at(-1);
    else found = step > 0 ? pieces.find(isNext) : pieces.findLast(isNext);
    if (found) goTo(found, block);
    else if (step > 0) follow();
  }

  function pageDown() {
    if (isFollowing && isWaiting && token) fetch("next", { method: "POST", headers: { "X-Token": token } }).catch(() => {});
    else go(".act, h3", 1, "start");
  }

  function resize(by) {
    const size = Math.min(3, Math.max(0.5, Number(root.style.getPropertyValue("--size") || 1) * by));
    root.style.setProperty("--size", size.toFixed(3));
    if (isFollowing) toEnd();
    else here?.scrollIntoView({ block: "center" });
  }

  function shade() {
    const dark = document.getElementById("dark");
    dark.media = matchMedia(dark.media).matches ? "not all" : "screen";
  }

  const toggle = () => (isFollowing ? hold() : follow());
  const keys = {
    " ": toggle,
    ArrowUp: () => go(".rung", -1, "center"),
    ArrowDown: () => go(".rung", 1, "center"),
    ArrowLeft: () => go(".rung", -1, "center"),
    ArrowRight: () => go(".rung", 1, "center"),
    PageUp: () => go(".act, h3", -1, "start"),
    PageDown: pageDown,
    Home: () => { const first = story.querySelector(".rung, .act, h3"); if (first) goTo(first, "center"); scrollTo(0, 0); },
    End: follow,
    "+": () => resize(1.1),
    "=": () => resize(1.1),
    "-": () => resize(1 / 1.1),
    d: shade,
    D: shade,
  };
  addEventListener("keydown", (event) => {
    const isControl = event.target.matches?.("button, summary") && [" ", "Enter"].includes(event.key);
    const act = keys[event.key];
    if (!act || isControl || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  addEventListener("wheel", (event) => { if (event.deltaY < 0 && isFollowing) hold(); }, { passive: true });
  addEventListener("touchmove", () => { if (isFollowing) hold(); }, { passive: true });
  addEventListener("resize", toEnd);
  document.querySelector("details").addEventListener("toggle", (event) => { if (event.target.open) hold(); });
  document.getElementById("hold").addEventListener("click", toggle);
  document.getElementById("smaller").addEventListener("click", () => resize(1 / 1.1));
  document.getElementById("larger").addEventListener("click", () => resize(1.1));
  document.getElementById("shade").addEventListener("click", shade);

  // A browser connects again by itself, and says what it had; one that gives up is started again.
  let last = "";
  function connect() {
    const source = new EventSource(last ? `events?last=${last}` : "events");
    const on = (name, act) => source.addEventListener(name, act);
    on("open", () => { isConnected = true; show(); });
    on("error", () => {
      isConnected = false;
      show();
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    });
    on("message", (event) => { last = event.lastEventId; add(event.data); });
    on("wait", (event) => { isWaiting = event.data === "yes"; show(); });
    on("reload", () => location.reload());
    on("end", () => { source.close(); isOver = true; show(); });
  }
  connect();
  show();
}
