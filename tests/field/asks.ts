import http from "node:http";
import https from "node:https";
import net from "node:net";

/** What a particular-app.js says of the request that it got. */
export interface Told {
  method: string;
  url: string;
  httpVersion: string;
  headers: { [name: string]: string };
}

export interface Got {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** One request on a connection of its own. */
export function ask(
  port: number,
  path: string,
  { body, ...options }: https.RequestOptions & { body?: string | Buffer } = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const module = options.ca === undefined ? http : https;
    const request = module.request(
      { host: "127.0.0.1", port, path, agent: false, timeout: 20_000, maxHeaderSize: 1e6, ...options },
      (response) => {
        let text = "";
        response.setEncoding("latin1");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer to ${path} within 20 s`)));
    request.on("error", reject);
    request.end(body);
  });
}

/** A connection on which bytes are sent as they are, and what comes back. */
export class Raw {
  received = "";
  ended = false;
  private constructor(readonly socket: net.Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (this.received += chunk));
    socket.on("end", () => (this.ended = true));
    socket.on("close", () => (this.ended = true));
    socket.on("error", () => (this.ended = true));
  }
  static connect(port: number, text = ""): Promise<Raw> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, "127.0.0.1", () => resolve(new Raw(socket)));
      socket.once("error", reject);
      socket.write(text);
    });
  }
}

export const WEBSOCKET =
  "GET /socket HTTP/1.1\r\nHost: shop.example.com\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
