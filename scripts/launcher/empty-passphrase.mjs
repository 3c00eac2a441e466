// Warns where the secrets of a stack are encrypted with an empty passphrase: whoever can read Pulumi.STACK.yaml can read them.
// The launcher runs it before `config set --secret` and `up`. It never keeps a command from being run.
import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const [root, demo, given, stack] = process.argv.slice(2);
const folder = projectFolder(path.resolve(given));
if (demo === "yes") {
  warn(
    "the demo stack `dev` has an empty passphrase: whoever can read Pulumi.dev.yaml can read this secret. Keep real secrets in a stack of your own.",
  );
} else {
  for (const file of settingsFiles()) {
    if (hasEmptyPassphrase(file))
      warn(
        `the passphrase of ${file} is empty: whoever can read that file, in git for example, can read the secrets in it. To choose another (docs/backends.md): npx pulumi stack change-secrets-provider passphrase --stack ${file.slice("Pulumi.".length, -".yaml".length)}`,
      );
  }
}

function warn(text) {
  console.error(`warning: ${text}`);
}

/** Where the CLI looks for the project: here or in a folder above. */
function projectFolder(start) {
  for (let at = start; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, "Pulumi.yaml"))) return at;
    if (at === path.dirname(at)) return start;
  }
}

/** That of the named stack; else all but the demo's, since which one is selected is only known to the CLI. */
function settingsFiles() {
  const name = stack && `Pulumi.${path.basename(stack)}.yaml`;
  return readdirSync(folder).filter((file) =>
    name
      ? file === name
      : /^Pulumi\..+\.yaml$/.test(file) && !(folder === root && file === "Pulumi.dev.yaml"),
  );
}

function hasEmptyPassphrase(file) {
  const text = readFileSync(path.join(folder, file), "utf8");
  const check = /^encryptionsalt: (v1:\S+)/m.exec(text)?.[1];
  return check !== undefined && opensWithNothing(check);
}

/** The answer takes half a second to find and never changes, so it is kept. */
function opensWithNothing(check) {
  const known = path.join(root, ".state/passphrases");
  const lines = existsSync(known) ? readFileSync(known, "utf8").split("\n") : [];
  if (lines.includes(`empty ${check}`)) return true;
  if (lines.includes(`chosen ${check}`)) return false;
  const empty = opens("", check);
  appendFileSync(known, `${empty ? "empty" : "chosen"} ${check}\n`);
  return empty;
}

/** Pulumi's own test of a passphrase: it opens a known text. `v1:SALT:v1:NONCE:TEXT`, all in base64. */
function opens(passphrase, check) {
  const [, salt, , nonce, sealed] = check.split(":").map((part) => Buffer.from(part, "base64"));
  const key = pbkdf2Sync(passphrase, salt, 1_000_000, 32, "sha256");
  const cipher = createDecipheriv("aes-256-gcm", key, nonce);
  cipher.setAuthTag(sealed.subarray(-16));
  try {
    return cipher.update(sealed.subarray(0, -16), undefined, "utf8") + cipher.final("utf8") === "pulumi";
  } catch {
    return false;
  }
}
