import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chownSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { TestCa, WEAK_KEY, type Certificate } from "../support/certificates";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { secureGet } from "../support/https";
import { until } from "../support/running";
import { losesNothingLightly, PLACE, SERVICE, type Service, useLiveService, useService } from "./service";

const run = promisify(execFile);
const NAMES = ["shop.test", "www.shop.test"];
const TLS = { names: NAMES, certificate: "given by the test", privateKey: "too" };

const ca = new TestCa();
after(() => ca.remove());

const asText = ({ certificate, privateKey }: Certificate) => ({
  CHAIN_TEXT: certificate,
  KEY_TEXT: privateKey,
});
const serialOf = ({ certificate }: Certificate) => new X509Certificate(certificate).serialNumber;
const ask = (service: Service, file = "/", name = NAMES[0]) =>
  secureGet(service.tlsPort, name, file, ca.certificate);
const servesWith = (service: Service, serial: string) =>
  until(
    () => `a certificate with the serial number ${serial}`,
    async () => (await ask(service)).serial === serial,
    20,
  );

async function delivered(service: Service, certificate: Certificate): Promise<void> {
  const { code, output } = await service.deliver(asText(certificate), NAMES);
  assert.equal(code, 0, output);
}

const losesNothing = (service: Service, change: () => Promise<void>) =>
  losesNothingLightly(
    { port: service.tlsPort, tls: { ca: ca.certificate, name: NAMES[0] }, kept: 8, fresh: 2 },
    change,
  );

describe("a service with TLS", () => {
  const service = useLiveService();
  const first = ca.issue(NAMES);

  it("is on plain HTTP as long as there is no certificate", async () => {
    await service.switched("blue", { tls: TLS });
    assert.equal(await service.live(), service.containers.blue);
    await assert.rejects(ask(service), /ECONNRESET|ECONNREFUSED|socket/);
  });

  it("has HTTPS for each of its names once a certificate is delivered, and the plain port redirects", async () => {
    await delivered(service, first);
    for (const name of NAMES) assert.equal((await ask(service, "/", name)).body, service.containers.blue);
    const { status, headers } = await get(`http://127.0.0.1:${service.port}/a?b=c%20d`);
    assert.equal(status, 308);
    assert.equal(headers.location, "https://127.0.0.1:8443/a?b=c%20d", "the ingress's port");
    assert.equal(await service.idle(), service.containers.green, "the preview stays plain");
  });

  it("does not show the certificate to a client that asks for another name", async () => {
    await assert.rejects(ask(service, "/", "else.test"), /ERR_TLS_CERT_ALTNAME_INVALID|altnames/);
  });

  it("speaks HTTP/2 and HTTP/1.1, TLS 1.2 and 1.3, and nothing older", async () => {
    const url = `https://${NAMES[0]}:${service.tlsPort}/headers`;
    const curl = async (...flags: string[]) => {
      const resolve = `${NAMES[0]}:${service.tlsPort}:127.0.0.1`;
      const { stdout } = await run("curl", [
        ...["-sS", "--insecure", "--resolve", resolve, "-w", "\n%{http_version}", ...flags, url],
      ]);
      const [body, version] = stdout.split("\n");
      return { headers: JSON.parse(body) as { [name: string]: string }, version };
    };
    const two = await curl("--http2", "--tlsv1.3");
    assert.equal(two.version, "2");
    assert.equal(two.headers.host, `${NAMES[0]}:${service.tlsPort}`);
    assert.equal(two.headers["x-forwarded-proto"], "https");
    assert.equal(two.headers["x-forwarded-host"], `${NAMES[0]}:${service.tlsPort}`);
    assert.equal((await curl("--http1.1", "--tls-max", "1.2")).version, "1.1");
    const old = ["--tls-max", "1.1", "--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0"];
    await assert.rejects(curl(...old), /protocol version/);
  });

  it("tells browsers to insist on HTTPS when it is told to, and only there", async () => {
    assert.equal((await ask(service)).headers["strict-transport-security"], undefined);
    await service.switched("blue", { tls: { ...TLS, port: 8443, hstsSeconds: 3600 } });
    assert.equal((await ask(service)).headers["strict-transport-security"], "max-age=3600");
    const { status, headers } = await get(`http://127.0.0.1:${service.port}/`);
    assert.equal(status, 308);
    assert.equal(headers.location, "https://127.0.0.1:8443/");
    assert.equal(headers["strict-transport-security"], undefined);
  });

  it("is gated and switched as ever", async () => {
    await losesNothing(service, async () => void (await service.switched("green", { tls: TLS })));
    assert.equal((await ask(service)).body, service.containers.green);
    const { blue } = service.containers;
    await service.app("blue", "sick");
    const { code, output } = await service.switch("blue", { tls: TLS, health: { gateTimeoutSeconds: 3 } });
    assert.equal(code, 1, output);
    assert.equal((await ask(service)).body, service.containers.green);
    service.containers.blue = blue;
  });

  it("takes a new certificate in with a reload: no request is lost, no container is another one", async () => {
    const second = ca.issue(NAMES);
    const master = await service.inProxy("cat", "/run/bluegreen/nginx.pid");
    await losesNothing(service, async () => {
      await delivered(service, second);
      assert.equal((await ask(service)).serial, serialOf(second));
    });
    assert.equal(await service.inProxy("cat", "/run/bluegreen/nginx.pid"), master);
  });

  it("a request that is under way over HTTP/2 while the certificate changes is answered", async () => {
    const slow = run("curl", [
      ...["-sS", "--insecure", "--http2", "-w", " %{http_version}"],
      `https://127.0.0.1:${service.tlsPort}/slow`,
    ]);
    await delivered(service, ca.issue(NAMES));
    assert.equal((await slow).stdout, `${service.containers.green} 2`);
  });

  const good = ca.issue(NAMES);
  const bad: { [what: string]: { of: Certificate; reason: RegExp } } = {
    "a key of another certificate": {
      of: { ...good, privateKey: first.privateKey },
      reason: /the private key belongs to another certificate/,
    },
    "an expired one": { of: ca.issue(NAMES, { days: -1 }), reason: /it has expired: .* GMT/ },
    "one for fewer names": { of: ca.issue([NAMES[0]]), reason: /it is not for www\.shop\.test/ },
    "what is no certificate": {
      of: { ...good, certificate: "-----BEGIN NONSENSE-----" },
      reason: /no certificate in PEM form/,
    },
    "what is no key": { of: { ...good, privateKey: good.certificate }, reason: /no private key in PEM form/ },
    "a key with a passphrase": {
      of: { ...good, privateKey: ca.encrypted(good.privateKey) },
      reason: /no private key in PEM form, or has a passphrase/,
    },
    "one that nginx finds too weak": {
      of: ca.issue(NAMES, { key: WEAK_KEY }),
      reason: /nginx does not load it: .*key too small/s,
    },
  };
  for (const [what, { of: certificate, reason }] of Object.entries(bad)) {
    it(`refuses ${what}, and serves on with the former one`, async () => {
      const { serial } = await ask(service);
      const { code, output } = await service.deliver(asText(certificate), NAMES);
      assert.equal(code, 1, output);
      assert.match(output, reason);
      assert.match(output, /No certificate was changed; what serves goes on serving/);
      assert.match(output, /What to do next/);
      const secret = certificate.privateKey.split("\n")[1];
      assert.ok(!output.includes(secret), "the key is in the output");
      assert.equal((await ask(service)).serial, serial);
    });
  }

  it("keeps the key from others, on the volume and in memory", async () => {
    const files = [`${PLACE}/tls/certificate.pem`, `/run/bluegreen/tls/${SERVICE}.pem`];
    assert.equal(await service.inProxy("stat", "-c", "%a %u", ...files), "600 0\n600 0");
    const left = await service.inProxy("sh", "-c", "cd /run/bluegreen; ls given.* candidate.* taken.* || :");
    assert.equal(left, "");
  });

  it("a new nginx takes over with TLS, and no request is lost", async () => {
    const old = service.proxy;
    await losesNothing(service, async () => {
      await service.newProxy();
      await service.switched("green", { tls: TLS });
      await docker("rm", "--force", old);
    });
  });

  it("the edge stands by with TLS, with the certificate of today", async () => {
    const today = ca.issue(NAMES);
    await delivered(service, today);
    await losesNothing(service, async () => {
      await docker("stop", service.proxy);
      assert.equal(await service.listens(service.edge), true);
      assert.equal((await ask(service)).serial, serialOf(today));
      await docker("start", service.proxy);
      await until(
        () => "the edge closes its ports",
        async () => !(await service.listens(service.edge)),
      );
    });
    assert.equal((await ask(service)).serial, serialOf(today));
  });

  it("after a restart an expired one is served: it is the best there is", async () => {
    const late = ca.issue(NAMES, { days: -1 });
    const file = `${PLACE}/tls/certificate.pem`;
    const text = late.certificate + late.privateKey;
    await service.inProxy("sh", "-c", `printf %s "$0" >${file}`, text);
    await docker("restart", service.proxy);
    await until(
      () => "the expired certificate",
      () =>
        ask(service).then(
          () => false,
          (error: NodeJS.ErrnoException) => error.code === "CERT_HAS_EXPIRED",
        ),
    );
  });
});

describe("a certificate from files of the host, as certbot keeps them", () => {
  const service = useService();
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-letsencrypt-"));
  service.certificateFolder = folder;
  after(() => rmSync(folder, { recursive: true }));
  const SOURCE = {
    CHAIN_FILE: "/bluegreen/certificates/live/shop/fullchain.pem",
    KEY_FILE: "/bluegreen/certificates/live/shop/privkey.pem",
  };

  /** The files of a renewal, and then the links, one after the other. */
  let renewals = 0;
  function renew({ certificate, privateKey }: Certificate): void {
    renewals++;
    const link = (name: string, text: string) => {
      const archived = path.join(folder, "archive/shop", `${name}${renewals}.pem`);
      writeFileSync(archived, text, { mode: 0o600 });
      // Of a user that is not nginx's: whoever renews it may be anyone on the host.
      if (process.getuid?.() === 0) chownSync(archived, 12345, 12345);
      const file = path.join(folder, "live/shop", `${name}.pem`);
      symlinkSync(`../../archive/shop/${name}${renewals}.pem`, `${file}.new`);
      renameSync(`${file}.new`, file);
    };
    link("fullchain", certificate);
    link("privkey", privateKey);
  }
  const logOf = async () => {
    const { stdout, stderr } = await run("docker", ["logs", service.proxy]);
    return stdout + stderr;
  };

  before(async () => {
    for (const name of ["archive", "live"]) mkdirSync(path.join(folder, name, "shop"), { recursive: true });
    await service.app("blue");
    await service.app("green");
  });

  it("files that are not there are refused, and so is a link that leads out of the folder", async () => {
    const missing = await service.deliver(SOURCE, NAMES);
    assert.equal(missing.code, 1, missing.output);
    assert.match(missing.output, /live\/shop\/fullchain\.pem can't be read/);
    symlinkSync("/etc/nowhere.pem", path.join(folder, "live/shop/fullchain.pem"));
    const outside = await service.deliver(SOURCE, NAMES);
    assert.match(outside.output, /it links to \/etc\/nowhere\.pem, which is not in the mounted folder/);
    rmSync(path.join(folder, "live/shop/fullchain.pem"));
  });

  it("are served", async () => {
    const certificate = ca.issue(NAMES);
    renew(certificate);
    const { code, output } = await service.deliver(SOURCE, NAMES);
    assert.equal(code, 0, output);
    await service.switched("blue", { tls: TLS });
    assert.equal((await ask(service)).serial, serialOf(certificate));
  });

  it("a renewed one is taken in by itself, and no request is lost", async () => {
    const renewed = ca.issue(NAMES);
    // Another service has its own: it is looked at in turn with this one.
    const other = { certificate: ca.issue(NAMES), place: "/bluegreen/state/services/other" };
    const files = ["certificate", "privateKey"] as const;
    for (const file of files)
      writeFileSync(path.join(folder, "live", `other-${file}.pem`), other.certificate[file]);
    const source = [
      ...files.map((file) => `/bluegreen/certificates/live/other-${file}.pem`),
      NAMES.join(" "),
    ];
    await service.inProxy(
      ...[
        "sh",
        "-c",
        `mkdir -p ${other.place} && printf '%s\\n' "$@" >${other.place}/tls-source`,
        "sh",
        ...source,
      ],
    );
    await losesNothing(service, async () => {
      await service.inProxy(
        "sh",
        "-c",
        `mkdir ${other.place}/tls && mv ${other.place}/tls-source ${other.place}/tls/source`,
      );
      renew(renewed);
      await servesWith(service, serialOf(renewed));
    });
    await until(
      () => "the other service's is taken in, too",
      async () =>
        (await service.inProxy("sh", "-c", `cat ${other.place}/tls/certificate.pem || :`)).includes(
          other.certificate.certificate.trim(),
        ),
    );
    await service.inProxy("rm", "-r", other.place);
    assert.doesNotMatch(await logOf(), /refused/);
  });

  it("a broken one is refused in the log, and the former one stays, also after a restart", async () => {
    const { serial } = await ask(service);
    renew(ca.issue(NAMES, { days: -1 }));
    const refusal = /the new certificate is refused, the former one stays: it has expired/;
    await until(
      () => "the refusal in the log",
      async () => refusal.test(await logOf()),
      20,
    );
    assert.equal((await ask(service)).serial, serial);
    await docker("restart", service.proxy);
    await servesWith(service, serial);
    await docker("restart", service.edge);
    await until(
      () => "the former certificate after a restart of the edge",
      () =>
        ask(service).then(
          (answer) => answer.serial === serial,
          () => false,
        ),
    );
  });

  it("and the next good one is taken in", async () => {
    const good = ca.issue(NAMES);
    renew(good);
    await servesWith(service, serialOf(good));
  });
});
