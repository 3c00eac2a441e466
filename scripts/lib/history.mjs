/** Whether a switch has left what it was to leave. */
export const hasPassed = ({ outcome }) => /^(done|interrupted: \w+ was live already)/.test(outcome);

/**
 * The journal, each entry with what only the ones before it tell: the image that its color had, if that was another, and whether
 * the site is the same as before. One that failed has left nothing.
 * @param {import("./report.js").Entry[]} journal
 * @returns {import("./report.js").Switch[]}
 */
export function inContext(journal) {
  const images = {};
  let config;
  return journal.map((entry) => {
    const color = colorOf(entry);
    const image = entry[color];
    const told = {
      ...(images[color] !== undefined && images[color] !== image && { was: images[color] }),
      ...(config !== undefined && entry.config === config && { again: true }),
    };
    if (hasPassed(entry)) {
      images[color] = image;
      config = entry.config;
    }
    return { ...entry, ...told };
  });
}

/** The color that a switch or an idle gate was about. */
const colorOf = ({ kind, to }) => (kind === "idle" ? { blue: "green", green: "blue" }[to] : to);

/** What a switch or an idle gate did, or tried to do. */
export function switchInWords(entry) {
  const { kind, from, to, was, again } = entry;
  const color = colorOf(entry);
  const image = was ? `${was} -> ${entry[color]}` : entry[color];
  switch (kind) {
    case "release":
      if (from === "") return `first release: ${color} ${image}`;
      return from === to
        ? `release: live ${color} ${image}`
        : `release and flip ${from} -> ${color}: ${image}`;
    case "flip":
      return `flip ${from} -> ${color}: ${image}`;
    case "idle":
      return was || !again
        ? `release: idle ${color} ${image}`
        : `idle ${color} ${image} gated again, as in a heal`;
    case "nginx":
      return `new nginx, ${color} ${image} stays live`;
    case "settings":
      return `${again ? "nothing new, as in a heal" : "other settings"}, ${color} ${image} stays live`;
    default:
      return from === to ? `${color} ${image} stays live` : `${from || "none"} -> ${color} ${image}`;
  }
}
