// The page for people. New requests and the open event stream are shown apart: after a switch new requests go to the new
// color at once, while a stream stays where it is until its container is stopped.
const escape = (text) => String(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

export const page = ({ color, version, counter }) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(color)} ${escape(version)}</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center;
         font: 1.2rem/1.5 system-ui, sans-serif; color: white; background: #555; transition: background .5s; }
  body[data-color=blue] { background: #1d5fbf; }
  body[data-color=green] { background: #1c7a3e; }
  h1 { font-size: 5rem; line-height: 1; margin: 0; }
</style>
<body data-color="${escape(color)}">
<h1 id="color">${escape(color)}</h1>
<p>version <b id="version">${escape(version)}</b></p>
<p>visits: <b id="counter">${escape(counter ?? "no Redis")}</b></p>
<p id="stream">event stream: connecting</p>
<script>
  const show = (id, text) => { document.getElementById(id).textContent = text; };
  const events = new EventSource("/events");
  events.onerror = () => show("stream", "event stream: reconnecting");
  events.onmessage = ({ data }) => {
    const { color, version, counter } = JSON.parse(data);
    show("stream", "event stream held by " + color + " " + version);
    show("counter", counter ?? "no Redis");
  };
  setInterval(async () => {
    const answer = await fetch("/health").catch(() => null);
    const color = answer?.headers.get("x-color");
    if (!color) return;
    const version = answer.headers.get("x-version");
    document.body.dataset.color = color;
    document.title = color + " " + version;
    show("color", color);
    show("version", version);
  }, 2000);
</script>
`;
