/** What of a container's options the tests that do without Pulumi make with the Docker client. */
export interface Options {
  image: string;
  entrypoints: string[];
  tmpfs?: { [path: string]: string };
  init?: boolean;
  stopSignal?: string;
  capabilities?: { adds: string[]; drops: string[] };
  securityOpts?: string[];
  memory?: number;
  memorySwap?: number;
  ulimits?: { name: string; soft: number; hard: number }[];
  healthcheck?: Healthcheck;
}

interface Healthcheck {
  tests: string[];
  interval: string;
  timeout: string;
  startPeriod: string;
  retries: number;
}

type Translations = { [K in keyof Required<Options>]: (value: NonNullable<Options[K]>) => string[] };

const translations: Translations = {
  // They come last, with what is theirs.
  image: () => [],
  entrypoints: ([program]) => ["--entrypoint", program],
  tmpfs: (folders) => Object.entries(folders).flatMap(([path, options]) => ["--tmpfs", `${path}:${options}`]),
  init: (init) => (init ? ["--init"] : []),
  stopSignal: (signal) => ["--stop-signal", signal],
  capabilities: ({ adds, drops }) => [
    ...adds.flatMap((name) => ["--cap-add", name]),
    ...drops.flatMap((name) => ["--cap-drop", name]),
  ],
  securityOpts: (options) => options.flatMap((option) => ["--security-opt", option]),
  memory: (mb) => ["--memory", `${mb}m`],
  memorySwap: (mb) => ["--memory-swap", mb > 0 ? `${mb}m` : String(mb)],
  ulimits: (limits) => limits.flatMap(({ name, soft, hard }) => ["--ulimit", `${name}=${soft}:${hard}`]),
  healthcheck: ({ tests: [kind, ...command], interval, timeout, startPeriod, retries }) => [
    ...["--health-cmd", kind === "CMD-SHELL" ? command[0] : command.map(quoted).join(" ")],
    ...["--health-interval", interval, "--health-timeout", timeout],
    ...["--health-start-period", startPeriod, "--health-retries", String(retries)],
  ],
};

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * Arguments of `docker create` for options as the component gives them to the Docker plugin. One that is not known here is an
 * error: what the tests run has to be what a stack runs.
 */
export function dockerFlags(options: Options): string[] {
  const flags = Object.entries(options).flatMap(([name, value]) => {
    const translate = translations[name as keyof Options] as ((value: unknown) => string[]) | undefined;
    if (translate === undefined) throw new Error(`tests/proxy/flags.ts doesn't know the option ${name}`);
    return value === undefined ? [] : translate(value);
  });
  return [...flags, options.image, ...options.entrypoints.slice(1)];
}
