import https from "node:https";
import type { TLSSocket } from "node:tls";
import type { Answer } from "./http";

export interface SecureAnswer extends Answer {
  /** Of the certificate that was shown. */
  serial: string;
}

/** One request on a connection of its own to 127.0.0.1, for a name, whose certificate has to be from this CA. */
export function secureGet(port: number, name: string, path: string, ca: string): Promise<SecureAnswer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, ca, servername: name, agent: false, timeout: 10_000 };
    const request = https.get({ ...options, headers: { host: `${name}:${port}` } }, (response) => {
      const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber;
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, serial }),
      );
    });
    request.on("timeout", () => request.destroy(new Error(`no answer on port ${port} within 10 s`)));
    request.on("error", reject);
  });
}
