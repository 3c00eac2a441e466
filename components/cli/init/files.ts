import { Document, stringify, visit } from "yaml";
import type { Answers } from "./answers";
import type { Language } from "./languages";

// The files of a new program.

/** What `docker ps` shows: two stacks on one host have to be told apart. */
export const AUTONAMING = { providers: { docker: { pattern: "${project}-${stack}-${name}-${hex(7)}" } } };

const DESCRIPTION = "Zero-downtime blue/green releases of a service";

/** Each file with its text. `archive`: the file that has the package bluegreen. */
export function filesFor(language: Language, answers: Answers, archive: string): Map<string, string> {
  const isYaml = language === "yaml";
  const files = new Map<string, string>();
  files.set("Pulumi.yaml", isYaml ? yamlProgram(answers) : stringify(project(answers, "nodejs"), YAML));
  files.set("package.json", packageFile(answers, archive));
  if (!isYaml) files.set(language === "typescript" ? "index.ts" : "index.js", program(language));
  files.set(`Pulumi.${answers.stack}.yaml`, isYaml ? flatStack(answers) : stack(answers));
  return files;
}

const YAML = { lineWidth: 0 };

const project = ({ name }: Answers, runtime: string) => ({
  name,
  runtime,
  description: DESCRIPTION,
  config: { "pulumi:autonaming": { value: AUTONAMING } },
});

const packageFile = ({ name }: Answers, archive: string): string =>
  `${JSON.stringify({ name: name.toLowerCase(), private: true, dependencies: { bluegreen: `file:${archive}` } }, null, 2)}\n`;

function program(language: "typescript" | "javascript"): string {
  const [load, outputs] =
    language === "typescript"
      ? ['import { BlueGreenService, readConfig } from "bluegreen";', "export const "]
      : ['const { BlueGreenService, readConfig } = require("bluegreen");', "exports."];
  const names = ["url", "previewUrl", "activeColor", "blueContainer", "greenContainer", "proxyContainer"];
  return `${load}

// The settings are in Pulumi.STACK.yaml, under the names of the component's arguments.
const service = new BlueGreenService("service", readConfig());

${names.map((name) => `${outputs}${name} = service.${name};`).join("\n")}
`;
}

const HEAD = " A release puts a new image on the idle color, and a flip makes that color live:";

/** With a comment at its head, and texts that a reader of YAML may take for something else in quotes. */
function withHead(content: object, comment: string): string {
  const document = new Document(content, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (key, scalar) => {
      if (key === "value" && typeof scalar.value === "string" && !/^[A-Za-z/][\w./:-]+$/.test(scalar.value))
        scalar.type = "QUOTE_DOUBLE";
    },
  });
  document.commentBefore = comment;
  return document.toString(YAML);
}

function stack({ name, image, containerPort, healthPath }: Answers): string {
  const settings = {
    activeColor: "blue",
    blue: { image },
    green: { image },
    containerPort,
    health: { path: healthPath },
    // Other published ports later are some seconds offline.
    proxy: { port: 80, previewPort: 8081 },
  };
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`${name}:${key}`, value]),
  );
  return withHead(
    { config },
    `${HEAD}
   pulumi config set --path green.image IMAGE && pulumi up
   pulumi config set activeColor green && pulumi up`,
  );
}

/** Each a plain value, which a program in YAML can name. */
function flatStack({ name, image }: Answers): string {
  const settings = { activeColor: "blue", blueImage: image, greenImage: image };
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`${name}:${key}`, value]),
  );
  return withHead(
    { config },
    `${HEAD}
   pulumi config set greenImage IMAGE && pulumi up
   pulumi config set activeColor green && pulumi up`,
  );
}

function yamlProgram(answers: Answers): string {
  const { containerPort, healthPath } = answers;
  const { config, ...rest } = project(answers, "yaml");
  const text = { type: "string" };
  return stringify(
    {
      ...rest,
      config: { ...config, activeColor: text, blueImage: text, greenImage: text },
      // The npm package is the plugin, too.
      packages: { bluegreen: "./node_modules/bluegreen" },
      resources: {
        service: {
          type: "bluegreen:index:BlueGreenService",
          properties: {
            activeColor: "${activeColor}",
            blue: { image: "${blueImage}" },
            green: { image: "${greenImage}" },
            containerPort,
            health: { path: healthPath },
            proxy: { port: 80, previewPort: 8081 },
          },
        },
      },
      outputs: { url: "${service.url}", previewUrl: "${service.previewUrl}" },
    },
    { ...YAML, aliasDuplicateObjects: false },
  );
}
