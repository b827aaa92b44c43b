// The stream of messages: opened, read, and opened again.
//
// Rules:
// * A stream that says nothing for SILENCE, not even a comment, is dead, whatever the operating system thinks of it:
//   that is why it is read here and not by an EventSource, which does not show comments.
// * Between two tries there is a pause that grows, up to LONGEST.
// * A page in the background lets its stream go after HIDDEN: browsers open six connections to a server, however many
//   tabs want one. The snapshot that it gets when it is looked at again says all that it has missed.
// * Each message is handled once it is complete; what is left of a stream that broke is thrown away.

const SILENCE = 25_000;
const HIDDEN = 30_000;
const SHORTEST = 250;
const LONGEST = 4_000;

export class Stream {
  /** @param onMessage takes a name and its data. @param onState takes {connected, since, why}. */
  constructor(onMessage, onState) {
    this.onMessage = onMessage;
    this.onState = onState;
    this.path = null;
    this.current = null; // AbortController of the stream that is open, or on its way
    this.pause = SHORTEST;
    this.timers = {};
    document.addEventListener("visibilitychange", () => this.seen());
  }

  /** Read this path from now on, and no other. */
  open(path) {
    this.path = path;
    this.pause = SHORTEST;
    this.begin();
    if (document.hidden) this.seen(); // it was opened in the background, and nobody may ever look at it
  }

  retry() {
    this.pause = SHORTEST;
    this.begin();
  }

  seen() {
    clearTimeout(this.timers.hidden);
    if (document.hidden) this.timers.hidden = setTimeout(() => this.end(), HIDDEN);
    else if (!this.current && this.path !== null) this.retry();
  }

  end() {
    clearTimeout(this.timers.again);
    clearTimeout(this.timers.silence);
    this.current?.abort();
    this.current = null;
  }

  async begin() {
    this.end();
    const mine = (this.current = new AbortController());
    let why = "the server has closed the stream";
    try {
      const answer = await fetch(this.path, {
        signal: mine.signal,
        headers: { accept: "text/event-stream" },
        cache: "no-store",
      });
      if (answer.ok) await this.read(answer, mine);
      else why = (await answer.text()).trim() || `the server answers ${answer.status}`;
      if (answer.status === 404 || answer.status === 403) {
        why = "this address is not valid any more: btcctl was started anew. Open the address that it prints now";
      }
    } catch (error) {
      why = error instanceof SyntaxError ? "the server talks nonsense" : "the server cannot be reached";
    }
    if (this.current !== mine) return; // another one has begun meanwhile, or the page is hidden
    this.current = null;
    mine.abort();
    this.onState({ connected: false, why });
    this.timers.again = setTimeout(() => this.begin(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST);
  }

  async read(answer, mine) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      clearTimeout(this.timers.silence);
      this.timers.silence = setTimeout(() => mine.abort(), SILENCE);
      const { done, value } = await reader.read();
      if (done || this.current !== mine) return;
      this.pause = SHORTEST;
      const messages = (text + value).split("\n\n");
      text = messages.pop();
      for (const message of messages) this.take(message);
      this.onState({ connected: true });
    }
  }

  take(message) {
    let name = "message";
    let data = "";
    for (const line of message.split("\n")) {
      if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (data) this.onMessage(name, JSON.parse(data));
  }
}
