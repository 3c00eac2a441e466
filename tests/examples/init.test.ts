import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { registerInit } from "../../components/cli/commands/init";
import { useImages } from "../support/images";
import { itInFull } from "../support/short";
import { fileBackend, useStack } from "../support/stack";
import { run } from "../unit/cli/cli";

const exec = promisify(execFile);

for (const language of ["typescript", "yaml"])
  describe(`bluegreen init --language ${language}`, function () {
    this.timeout(600_000);
    const images = useImages({ one: "ok" });
    const stack = useStack({});

    const test = language === "typescript" ? it : itInFull;
    test("the commands that it prints lead from an empty folder to a service that answers", async () => {
      for (const file of [
        "components",
        "node_modules",
        "index.ts",
        "package.json",
        "tsconfig.json",
        "Pulumi.yaml",
      ])
        rmSync(path.join(stack.folder, file), { recursive: true });
      rmSync(path.join(stack.folder, `Pulumi.${stack.name}.yaml`));
      rmSync(path.join(stack.folder, "state"), { recursive: true });
      mkdirSync(path.join(stack.folder, "state"));
      const env = {
        ...process.env,
        PULUMI_BACKEND_URL: fileBackend(path.join(stack.folder, "state")),
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_CONFIRMATIONS: "true",
        NODE_COMPILE_CACHE: path.join(stack.folder, "compile-cache"),
        npm_config_prefer_offline: "true",
      };

      const former = process.cwd();
      process.chdir(stack.folder);
      const flags = [
        "--name",
        stack.project,
        "--image",
        images.one,
        "--container-port",
        "3000",
        "--health-path",
        "/health",
      ];
      flags.push("--stack", stack.name, "--language", language);
      const { code, out, err } = await run(registerInit, "init", ...flags).finally(() =>
        process.chdir(former),
      );
      assert.equal(code, 0, err);
      // Only what this machine has others of: the ports, and the engine's address.
      const settings = language === "yaml" ? "Pulumi.yaml" : `Pulumi.${stack.name}.yaml`;
      const file = path.join(stack.folder, settings);
      const { DOCKER_HOST } = process.env;
      const host = `$1$2host:\n$1  address: ${DOCKER_HOST}\n$1$2proxy:`;
      const text = readFileSync(file, "utf8")
        .replace("port: 80\n", `port: ${stack.port}\n`)
        .replace("previewPort: 8081", `previewPort: ${stack.previewPort}`);
      writeFileSync(file, DOCKER_HOST ? text.replace(/^( +)(\S*)proxy:$/m, host) : text);

      // The backend that is set stands for being signed in.
      const commands = [...out.matchAll(/^ {2}((?:npm|pulumi) .*?)(?: +#.*)?$/gm)]
        .map(([, command]) => command)
        .filter((command) => command !== "pulumi login 'file://~?metadata=skip'");
      assert.deepEqual(
        commands.map((command) => command.split(" ").slice(0, 2).join(" ")),
        ["npm pack", "npm install", "pulumi stack", "pulumi up"],
      );
      for (const command of commands)
        await exec("sh", ["-c", command], { cwd: stack.folder, env }).catch(
          ({ stdout, stderr }: { stdout: string; stderr: string }) =>
            assert.fail(`${command}\n${stdout}\n${stderr}`),
        );
      assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green one" });
      const { url } = await stack.outputs();
      assert.equal(url, `http://localhost:${stack.port}`);
      await stack.expectNoChange();
    });
  });
