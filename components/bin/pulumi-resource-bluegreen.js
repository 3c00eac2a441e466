#!/usr/bin/env node
// This package as a Pulumi plugin, for YAML and other languages, where Pulumi finds it on PATH: npm puts it in node_modules/.bin.
// `pulumi package add` runs index.ts instead, which can't be run below node_modules.
const path = require("node:path");
const { componentProviderHost } = require("@pulumi/pulumi/provider/experimental");
const { BlueGreenService } = require("../dist");
const { name } = require("../package.json");

void componentProviderHost({ name, dirname: path.dirname(__dirname), components: [BlueGreenService] });
