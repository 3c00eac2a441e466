#!/usr/bin/env node
// A file of its own, since npm wants a command to be there before the rest is compiled.
require("../dist/cli/main.js");
