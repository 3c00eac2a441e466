// What the compiled files read beside themselves.
import { cpSync } from "node:fs";

cpSync("shell", "dist/shell", { recursive: true, filter: (file) => !file.endsWith(".ts") });
