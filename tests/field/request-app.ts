import { readFileSync } from "node:fs";
import path from "node:path";

/** The text of an app that tells what it is asked, for Service.startApp. */
export const REQUEST_APP = readFileSync(path.join(__dirname, "particular-app.js"), "utf8");
