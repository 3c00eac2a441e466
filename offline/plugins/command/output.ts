import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Call } from "../rpc/plugin.ts";
import type { Props } from "../rpc/values.ts";
import type { Printed } from "./command.ts";

/** Collects what a command prints, and shows it line by line while it runs. */
export class Output {
  #stdout = "";
  #stderr = "";
  /** Both, in the order of arrival, for the error. */
  #all = "";
  #line = "";
  readonly #logging: string;
  readonly #call: Call;

  constructor(inputs: Props, call: Call) {
    this.#logging = (inputs.logging ?? "stdoutAndStderr") as string;
    this.#call = call;
  }

  collect(stdout: Readable, stderr: Readable): void {
    this.#read(stdout, ["stdout", "stdoutAndStderr"], (text) => (this.#stdout += text));
    this.#read(stderr, ["stderr", "stdoutAndStderr"], (text) => (this.#stderr += text));
  }

  #read(stream: Readable, shownFor: string[], add: (text: string) => void): void {
    const shown = shownFor.includes(this.#logging);
    // A character may be cut in two between chunks.
    const decoder = new StringDecoder("utf8");
    const take = (text: string) => {
      add(text);
      this.#all += text;
      if (shown) this.#show(text);
    };
    stream.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
    stream.on("end", () => take(decoder.end()));
  }

  #show(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#call.log("status", line.replace(/\r$/, ""));
  }

  /** The end of a last line without a line break. */
  async flush(): Promise<void> {
    if (this.#line) this.#call.log("status", this.#line);
    this.#line = "";
    // The engine closes the resource's line on the screen with the answer.
    await this.#call.logged();
  }

  printed(): Printed {
    return { stdout: this.#stdout.replace(/\n$/, ""), stderr: this.#stderr.replace(/\n$/, "") };
  }

  /** In the words of the official plugin. */
  failure(what: string, line: string): Error {
    return new Error(`${what}: running ${JSON.stringify(line)}:\n${this.#all}`);
  }
}
