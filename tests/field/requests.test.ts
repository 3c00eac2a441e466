import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import type { Color } from "../../components/settings";
import { type Service, type SwitchOptions, useService } from "../proxy/service";
import { until } from "../support/running";
import { ask, Raw, type Told, WEBSOCKET } from "./asks";
import { REQUEST_APP } from "./request-app";

const HOST = "shop.example.com";
const KB = 1024;

/** A live blue and an idle green of this app. */
function useApps(options: SwitchOptions, variables: { [name: string]: string } = {}): Service {
  const service = useService();
  before(async () => {
    for (const color of ["blue", "green"] as Color[]) await service.startApp(color, REQUEST_APP, variables);
    await service.switched("blue", options);
  });
  return service;
}

describe("what nginx does with a request", () => {
  const options: SwitchOptions = { health: { hostHeader: HOST }, proxy: { maxBodySize: "400m" } };
  const service = useApps(options, { HOST });
  const told = async (headers: { [name: string]: string }, path = "/") => {
    const { status, body } = await ask(service.port, path, { headers: { host: HOST, ...headers } });
    assert.equal(status, 200, body.slice(0, 300));
    return JSON.parse(body) as Told;
  };

  it("F1 an app that insists on its host gets its first release", async () => {
    // That it is there, `before` has shown.
    assert.equal((await ask(service.port, "/")).status, 400);
    assert.equal((await told({})).headers.host, HOST);
  });

  it("F8 an answer with up to 32 KB of cookies, a request with as many, and an address as long", async () => {
    for (const kb of [4, 20, 32]) {
      const { status, headers } = await ask(service.port, `/cookies?kb=${kb}`, { headers: { host: HOST } });
      assert.equal(status, 200, `${kb} KB of Set-Cookie`);
      assert.equal(headers["set-cookie"]?.length, kb / 4);
    }
    for (const kb of [10, 32]) {
      assert.equal((await told({ cookie: "c".repeat(kb * KB) })).headers.cookie.length, kb * KB);
      const long = `/?${"q".repeat(kb * KB)}`;
      assert.equal((await told({}, long)).url, long);
    }
    assert.equal(
      (await ask(service.port, "/", { headers: { host: HOST, cookie: "c".repeat(40 * KB) } })).status,
      400,
    );
  });

  it("F9 a header with an underscore is passed on, but none that passes for one of nginx's own", async () => {
    const { headers } = await told({
      api_key: "1",
      X_Real_IP: "6.6.6.6",
      "X_Forwarded-For": "6.6.6.6",
      "X-Forwarded_Proto": "gopher",
      x_forwarded_host: "evil.example",
    });
    assert.equal(headers.api_key, "1");
    const doubles = Object.keys(headers).filter(
      (name) => /x.(real|forwarded)/.test(name) && name.includes("_"),
    );
    assert.deepEqual(doubles, []);
    assert.equal(headers["x-forwarded-proto"], "http");
  });

  it("F10 HTTP/1.0 without a host gets the host that the gate names", async () => {
    const raw = await Raw.connect(service.port, "GET /ping HTTP/1.0\r\n\r\n");
    await until(
      () => "an answer",
      () => raw.ended,
    );
    assert.match(raw.received, /^HTTP\/1\.1 200 /);
    const { headers } = JSON.parse(raw.received.split("\r\n\r\n")[1]) as Told;
    assert.deepEqual([headers.host, headers["x-forwarded-host"]], [HOST, HOST]);
  });

  it("F13 of all that can be upgraded to, only WebSockets are", async () => {
    const offer = {
      upgrade: "h2c",
      connection: "Upgrade, HTTP2-Settings",
      "http2-settings": "AAMAAABkAAQAoAAA",
    };
    const { headers } = await told(offer);
    assert.equal(headers.upgrade, undefined);
    assert.equal(headers.connection, undefined);
    const raw = await Raw.connect(service.port, WEBSOCKET);
    await until(
      () => "an upgrade",
      () => raw.received.includes("\r\n\r\n"),
    );
    assert.match(raw.received, /^HTTP\/1\.1 101 /);
    raw.socket.write("hello");
    await until(
      () => "an echo",
      () => raw.received.endsWith("hello"),
    );
    raw.socket.destroy();
  });

  it("F12 what is streamed comes at once, though answers are buffered", async () => {
    const firstWord = async (query: string, headers = "") => {
      const started = performance.now();
      const raw = await Raw.connect(
        service.port,
        `GET /words?ms=1500&${query} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${headers}\r\n`,
      );
      await until(
        () => "a word",
        () => raw.received.includes("one "),
      );
      const ms = performance.now() - started;
      await until(
        () => "the end",
        () => raw.ended,
      );
      assert.match(raw.received, /two/);
      return ms;
    };
    assert.ok((await firstWord("type=text/event-stream")) < 1000, "events");
    assert.ok((await firstWord("")) < 1000, "chunks of any kind");
    assert.ok((await firstWord("length&accel")) < 1000, "what says that it is not to be buffered");
    assert.ok(
      (await firstWord("length", "Accept: text/event-stream\r\n")) < 1000,
      "what is asked for as events",
    );
    assert.ok((await firstWord("length")) > 1400, "else nothing is buffered");
  });

  it("F11 an upload is streamed when there is no buffering, and refused at once", async () => {
    const size = 8 * KB * KB;
    const head = (where: string) =>
      `POST ${where} HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${size}\r\n\r\n`;
    await service.switched("blue", { ...options, proxy: { ...options.proxy, buffering: false } });
    try {
      const upload = await Raw.connect(service.port, head("/upload"));
      upload.socket.write(Buffer.alloc(size / 2));
      await until(
        () => "half of it",
        async () =>
          (await ask(service.port, "/uploaded", { headers: { host: HOST } })).body === String(size / 2),
        10,
      );
      upload.socket.write(Buffer.alloc(size / 2));
      await until(
        () => "its end",
        () => upload.received.endsWith(`\r\n\r\n${size}`),
      );
      upload.socket.destroy();

      const refused = await Raw.connect(service.port, head("/refuse"));
      await until(
        () => "a refusal",
        () => /^HTTP\/1\.1 413 [^]*too large for this app/.test(refused.received),
        5,
      );
      refused.socket.destroy();
    } finally {
      await service.switched("blue", options);
    }
  });

  it("F11 a body of any kind gets through whole, streamed or not, as an event stream or not", async () => {
    const body = Buffer.alloc(3 * KB * KB, "body");
    for (const buffering of [true, false]) {
      await service.switched("blue", { ...options, proxy: { ...options.proxy, buffering } });
      for (const accept of ["*/*", "application/json, text/event-stream"])
        for (const framing of [{ "content-length": body.length }, { "transfer-encoding": "chunked" }]) {
          const headers = { host: HOST, accept, expect: "100-continue", ...framing };
          const got = await ask(service.port, "/upload", { method: "POST", headers, body });
          assert.deepEqual([got.status, got.body], [200, String(body.length)], JSON.stringify(headers));
        }
    }
    await service.switched("blue", options);
  });

  it("proxy.gzip compresses text for who takes it, and no stream", async () => {
    const encodingOf = async (what: string, encoding = "gzip, br") => {
      const headers = { host: HOST, "accept-encoding": encoding };
      const got = await ask(service.port, `/words?ms=0&${what}`, { headers });
      const text = Buffer.from(got.body, "latin1");
      const plain = got.headers["content-encoding"] === "gzip" ? gunzipSync(text) : text;
      assert.equal(plain.toString(), "one two", what);
      return got.headers["content-encoding"] ?? "none";
    };
    assert.equal(await encodingOf("type=application/json"), "none");
    await service.switched("blue", { ...options, proxy: { ...options.proxy, gzip: true } });
    try {
      for (const type of ["application/json", "text/html", "text/css", "text/javascript", "image/svg%2Bxml"])
        assert.equal(await encodingOf(`type=${type}`), "gzip", type);
      assert.equal(await encodingOf("type=application/json", "identity"), "none");
      assert.equal(await encodingOf("type=application/json&length"), "none", "7 bytes");
      for (const type of ["text/event-stream", "image/png"])
        assert.equal(await encodingOf(`type=${type}`), "none", type);
    } finally {
      await service.switched("blue", options);
    }
  });

  it("proxy.responseHeaders are in every answer, once, on both ports", async () => {
    const responseHeaders = {
      "Content-Security-Policy": "default-src 'self'; img-src *",
      "X-Powered-By": "none of your business; {x} #1",
    };
    await service.switched("blue", { ...options, proxy: { ...options.proxy, responseHeaders } });
    try {
      for (const [path, wanted] of Object.entries({ "/": 200, "/refuse": 413, "/words?ms=0": 200 }))
        for (const accept of ["*/*", "text/event-stream"])
          for (const port of [service.port, service.previewPort]) {
            const { status, headers } = await ask(port, path, { headers: { host: HOST, accept } });
            assert.equal(status, wanted, path);
            for (const [name, value] of Object.entries(responseHeaders))
              assert.equal(headers[name.toLowerCase()], value, `${name} of ${path}`);
          }
    } finally {
      await service.switched("blue", options);
    }
    assert.equal((await ask(service.port, "/", { headers: { host: HOST } })).headers["x-powered-by"], "app");
  });

  it("F32 a request that is never answered ends in a 504 that status and watch see; streams live on", async () => {
    const proxy = { ...options.proxy, readTimeoutSeconds: 2 };
    await service.switched("blue", { ...options, proxy });
    try {
      const socket = await Raw.connect(service.port, WEBSOCKET);
      const stream = ask(service.port, "/words?ms=4000", {
        headers: { host: HOST, accept: "text/event-stream" },
      });
      const started = performance.now();
      assert.equal((await ask(service.port, "/hang", { headers: { host: HOST } })).status, 504);
      assert.ok(performance.now() - started < 4000);
      await sleep(1500);
      assert.deepEqual([(await stream).status, (await stream).body], [200, "one two"]);
      socket.socket.write("still here");
      await until(
        () => "an echo",
        () => socket.received.endsWith("still here"),
        5,
      );
      socket.socket.destroy();
    } finally {
      await service.switched("blue", options);
    }
  });
});

describe("an app with two workers", () => {
  const service = useApps({}, { WORKERS: "2" });

  it("F12 answers a third client while two read 50 MB slowly", async () => {
    const readers = await Promise.all(
      [1, 2].map(() => Raw.connect(service.port, "GET /large?mb=50 HTTP/1.1\r\nHost: a\r\n\r\n")),
    );
    try {
      // They take what is in the sockets' buffers, and then nothing.
      for (const { socket } of readers) socket.once("data", () => socket.pause());
      await until(
        () => "both are under way",
        () => readers.every(({ received }) => received !== ""),
      );
      const started = performance.now();
      assert.equal((await ask(service.port, "/")).status, 200);
      assert.ok(performance.now() - started < 5000);
      for (const { socket } of readers) socket.resume();
      await until(
        () => "all of it",
        () => readers.every(({ received }) => received.length > 50 * KB * KB),
      );
    } finally {
      for (const { socket } of readers) socket.destroy();
    }
  });
});

describe("an app that closes idle connections after 2 s", () => {
  const service = useApps({}, { KEEP_ALIVE_MS: "2000" });

  it("F16 POSTs in the worst rhythm meet none that is being closed", async () => {
    const statuses: number[] = [];
    for (const pause of [2100, 2100, 950, 1000, 1050]) {
      const post = async () => {
        statuses.push((await ask(service.port, "/", { method: "POST", body: "x" })).status);
      };
      await Promise.all(Array.from({ length: 10 }, post));
      await sleep(pause);
    }
    assert.deepEqual(
      statuses,
      statuses.map(() => 200),
    );
  });
});

describe("an engine that gives containers 1,024 open files, as Docker does from 29 on", () => {
  const service = useService(undefined, "1024:16384");
  before(async () => {
    await service.startApp("blue", REQUEST_APP);
    await service.startApp("green", REQUEST_APP);
    await service.switched("blue");
  });

  it("F6 1,200 WebSockets are open, and a flip passes and cuts none", async () => {
    const sockets: Raw[] = [];
    try {
      for (let i = 0; i < 12; i++)
        sockets.push(
          ...(await Promise.all(Array.from({ length: 100 }, () => Raw.connect(service.port, WEBSOCKET)))),
        );
      const upgraded = () => sockets.filter(({ received }) => received.startsWith("HTTP/1.1 101 ")).length;
      await until(
        () => `1,200 upgrades, not ${upgraded()}`,
        () => upgraded() === 1200,
      );
      await service.switched("green");
      const { body } = await ask(service.port, "/");
      assert.equal((JSON.parse(body) as { name: string }).name, service.containers.green);
      for (const { socket } of sockets) socket.write("still here");
      const alive = () => sockets.filter(({ received }) => received.endsWith("still here")).length;
      await until(
        () => `1,200 echoes, not ${alive()}`,
        () => alive() === 1200,
      );
    } finally {
      for (const { socket } of sockets) socket.destroy();
    }
  });
});
