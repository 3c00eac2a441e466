// npm run settings: writes what README.md and Pulumi.yaml say of each setting, from components/settings/.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { documents } from "./lib/settings";

async function main(): Promise<void> {
  for (const [file, text] of Object.entries(await documents())) {
    const place = path.join(__dirname, "..", file);
    if (text === readFileSync(place, "utf8")) continue;
    writeFileSync(place, text);
    console.log(`written: ${file}`);
  }
}

void main();
