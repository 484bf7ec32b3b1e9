// The page that follows a story. It adds the pieces that its server sends, in their order, and moves among them; what
// they say was escaped by the server, and the page's policy would run no script in them. With a token it is the
// presenter's: it goes on and answers; others vote.
"use strict";
{
  const A_LADDER = 100; // rungs; a browser lays out a ladder at a time
  const A_GLANCE = 1000; // ms; a press so soon after a question appears was meant for what was there before
  const KEPT = 10000; // pieces; a story that goes on all day must not fill a browser
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const story = find("story");
  const state = find("state");
  const footer = document.querySelector("footer");
  const emptyLadder = find("ladder").content.firstElementChild;
  const { token, run } = document.body.dataset;
  let room = story; // where pieces go: the last heading's section
  let here = null; // the piece that was gone to; none while following
  let isFollowing = true;
  let isConnected = true;
  let isOver = false;
  let count = 0;
  let now = { wait: "nothing", number: 0, choices: 0, right: 0, asked: 0, votes: [] };
  let question = null; // the one that is open
  let asked = 0; // when it appeared
  let isRefused = false; // the last vote was not counted
  // On the presenter's page, what is played next begins at the top of the screen, and nothing scrolls by itself then.
  let start = null; // the piece that it begins with
  let isDue = false; // it has to go to the top
  let isAtTop = false;

  const allVotes = () => now.votes.reduce((all, votes) => all + votes, 0);

  function show() {
    const how = isOver ? "over" : !isConnected ? "lost" : now.wait !== "nothing" ? now.wait : isFollowing ? "following" : "held";
    root.className = `${how}${isFollowing ? "" : " held"}${token ? " presents" : ""}`;
    const votes = how === "prediction" && allVotes() ? `: ${allVotes()}` : "";
    const words = [isRefused && state.dataset.refused, state.dataset[how] + votes, !isFollowing && how !== "held" && state.dataset.held];
    state.textContent = words.filter(Boolean).join("; ");
    const score = find("score"); // the presenter's
    if (score && now.asked) score.textContent = `${score.dataset.words} ${now.right}/${now.asked}`;
  }

  // A reader who listens is told acts, what failed and sums; the rest is there to be read.
  function say(piece) {
    if (piece.matches(".act, .question, .verdict, .check.failed, .sum")) find("said").textContent = piece.textContent;
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
      start ??= piece;
      say(piece);
      count += 1;
    }
    for (; count > KEPT; count -= 1) forget();
    if (isDue && start !== room.lastElementChild) begin(); // more than a heading, after which the run may wait
    else if (isFollowing && !isAtTop) requestAnimationFrame(toEnd);
  }

  function forget() {
    let first = story.firstElementChild;
    while (first.matches("section, .ladder") && first.firstElementChild) first = first.firstElementChild;
    const parent = first.parentElement;
    first.remove();
    if (parent !== story && !parent.firstElementChild && parent !== room) parent.remove();
  }

  // How many pixels of the story are below what is in sight.
  const below = () => story.getBoundingClientRect().bottom - (innerHeight - footer.offsetHeight);

  // What comes in sight is laid out then, and may be higher than it was thought to be: once more.
  function toEnd() {
    const scroll = () => { if (isFollowing && !isAtTop) scrollBy(0, token ? below() : root.scrollHeight); };
    scroll();
    requestAnimationFrame(scroll);
  }

  function begin() {
    isDue = !start;
    if (isDue || !isFollowing || !token) return;
    isAtTop = true;
    const piece = start;
    const scroll = () => piece.scrollIntoView({ block: "start" });
    scroll();
    requestAnimationFrame(scroll);
  }

  function mark(piece) {
    here?.removeAttribute("aria-current");
    here = piece;
    here?.setAttribute("aria-current", "true");
  }

  function follow() {
    here?.blur();
    mark(null);
    isFollowing = true;
    isAtTop = false;
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

  // Through what does not fit, and then on.
  function next() {
    if (!isFollowing) return go(".act, h3", 1, "start");
    if (!token) return toEnd();
    const hidden = below();
    if (hidden > 8) scrollBy(0, Math.min(hidden, 0.75 * innerHeight));
    else if (now.wait === "prediction" && performance.now() - asked < A_GLANCE) return;
    else if (now.wait !== "nothing") post("");
    else toEnd();
  }

  function post(answer) {
    const query = `next?wait=${now.number}${answer === "" ? "" : `&answer=${answer}`}`;
    fetch(query, { method: "POST", headers: { "X-Token": token } }).catch(() => {});
  }

  // A number that the browser keeps: it has one vote on each question.
  function voter() {
    const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    try {
      localStorage.voter ??= random();
      return localStorage.voter;
    } catch {
      return random(); // where nothing may be kept: until the page is left
    }
  }
  const me = voter();
  let sending = Promise.resolve(); // one vote after another: the last one counts

  function vote(choice, button) {
    const query = `vote?question=${now.number}&choice=${choice}`;
    const send = () => fetch(query, { method: "POST", headers: { "X-Voter": me }, signal: AbortSignal.timeout?.(10000) });
    sending = sending.then(send).then((answer) => answer.ok, () => false).then((isCounted) => {
      isRefused = !isCounted;
      show();
      if (isRefused) return;
      for (const other of button.closest(".question").querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
    });
  }
  const pick = (choice, button) => { if (token) post(choice); else vote(choice, button); };

  // Makes the choices of the question that is asked buttons.
  function open() {
    question = [...story.querySelectorAll(".question")].at(-1) ?? null;
    for (const [at, choice] of [...(question?.querySelectorAll("li") ?? [])].entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...choice.childNodes);
      button.addEventListener("click", () => pick(at + 1, button));
      choice.append(button);
    }
  }

  function close() {
    for (const part of question?.querySelectorAll("button") ?? []) part.disabled = true;
    question = null;
  }

  // How many have voted for what, on the presenter's page.
  function bars() {
    const all = allVotes();
    if (!token || !question || !all) return;
    for (const [at, line] of question.querySelectorAll("li").entries()) {
      const bar = document.createElement("span");
      bar.className = "share";
      bar.style.setProperty("--part", `${(100 * now.votes[at]) / all}%`);
      line.replaceChildren(line.firstElementChild, " ", bar, ` ${now.votes[at]}`);
    }
  }

  function change(news) {
    const isNew = news.number !== now.number || news.wait !== now.wait;
    const wasWaiting = now.wait !== "nothing";
    now = news;
    if (isNew) {
      close();
      if (wasWaiting) begin();
      if (now.wait !== "nothing") {
        const last = room.lastElementChild;
        start = last?.matches(".act") ? last : null;
        isDue = false;
      }
      if (now.wait === "prediction") {
        isRefused = false;
        asked = performance.now();
        open();
      }
      if (isFollowing && !isAtTop) toEnd();
    }
    bars();
    show();
  }

  function resize(by) {
    const size = Math.min(3, Math.max(0.5, Number(root.style.getPropertyValue("--size") || 1) * by));
    root.style.setProperty("--size", size.toFixed(3));
    if (isFollowing) toEnd();
    else here?.scrollIntoView({ block: "center" });
  }

  function shade() {
    const dark = find("dark");
    dark.media = matchMedia(dark.media).matches ? "not all" : "screen";
  }

  function digit(key) {
    if (token && now.wait === "prediction" && Number(key) >= 1 && Number(key) <= now.choices) post(key);
  }

  const toggle = () => (isFollowing ? hold() : follow());
  const back = () => go(".act, h3", -1, "start");
  const nothing = () => {};
  const keys = {
    " ": toggle,
    ArrowUp: () => go(".rung", -1, "center"),
    ArrowDown: () => go(".rung", 1, "center"),
    ArrowLeft: back,
    ArrowRight: next,
    Enter: next,
    PageUp: back,
    PageDown: next,
    Home: () => { const first = story.querySelector(".rung, .act, h3"); if (first) goTo(first, "center"); scrollTo(0, 0); },
    End: follow,
    "+": () => resize(1.1),
    "=": () => resize(1.1),
    "-": () => resize(1 / 1.1),
    d: shade,
    D: shade,
    // A clicker's other keys: a show that begins and ends, a black screen.
    ...(token ? { F5: nothing, Escape: nothing, ".": nothing, b: nothing, B: nothing } : {}),
  };
  addEventListener("keydown", (event) => {
    const isControl = event.target.matches?.("button, summary") && [" ", "Enter"].includes(event.key);
    const act = keys[event.key] ?? (/^[0-9]$/.test(event.key) ? () => digit(event.key) : null);
    if (!act || isControl || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (!event.repeat || act !== next) act(); // a key that is held down goes on once
  });
  addEventListener("wheel", (event) => { if (event.deltaY < 0 && isFollowing) hold(); }, { passive: true });
  addEventListener("touchmove", () => { if (isFollowing) hold(); }, { passive: true });
  addEventListener("resize", () => (isAtTop && isFollowing ? start?.scrollIntoView({ block: "start" }) : toEnd()));
  document.querySelector("details").addEventListener("toggle", (event) => { if (event.target.open) hold(); });
  find("next")?.addEventListener("click", (event) => { event.target.blur(); if (isFollowing) next(); else follow(); });
  const buttons = { hold: toggle, smaller: keys["-"], larger: keys["+"], shade };
  for (const [id, act] of Object.entries(buttons)) find(id).addEventListener("click", act);

  // After an end as after a break, it connects again: to what is missing of this run or, when the next command has come,
  // to the page of that one. A page that nobody sees takes no connection: browsers have six for all their pages here.
  let last = `${run}-0`;
  let source = null;
  let timer = 0;
  function connect() {
    clearTimeout(timer);
    source?.close();
    if (document.hidden) return;
    source = new EventSource(`events?last=${last}${token ? `&token=${token}` : ""}`);
    const again = () => { source.close(); timer = setTimeout(connect, 1000 + Math.random() * 500); show(); };
    const on = (name, act) => source.addEventListener(name, act);
    on("open", () => { isConnected = true; show(); });
    on("error", () => { isConnected = false; again(); });
    on("message", (event) => { last = event.lastEventId || last; add(event.data); });
    on("state", (event) => change(JSON.parse(event.data)));
    on("reload", () => location.reload());
    on("end", () => { isOver = true; change({ ...now, wait: "nothing" }); again(); });
  }
  document.addEventListener("visibilitychange", connect);
  history.scrollRestoration = "manual"; // a page that is loaded again follows
  connect();
  show();
}
