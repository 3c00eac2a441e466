import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  // hosts/ is checked in a copy, with its own packages.
  { ignores: ["**/dist/", "**/node_modules/**", ".state/**", "coverage/**", "hosts/**"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { "@pulumi": pulumi },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    // What a mock is given is any resource's inputs: the tests say what they have to be.
    files: ["tests/unit/**/*.ts", "tests/mocked.ts", "tests/ec2Host.test.ts"],
    rules: Object.fromEntries(
      ["member-access", "call", "argument", "assignment"].map((rule) => [
        `@typescript-eslint/no-unsafe-${rule}`,
        "off",
      ]),
    ),
  },
  {
    files: ["**/*.mjs", "**/*.cjs", "**/*.js"],
    languageOptions: {
      globals: Object.fromEntries(
        [
          "process",
          "console",
          "setTimeout",
          "clearTimeout",
          "setInterval",
          "clearInterval",
          "Buffer",
          "fetch",
          "URL",
          "AbortSignal",
          "AbortController",
          "module",
          "require",
          "__dirname",
          "document",
          "EventSource",
          "setImmediate",
          // Of a page.
          "history",
          "Image",
          "VERSION",
        ].map((name) => [name, "readonly"]),
      ),
    },
  },
);
