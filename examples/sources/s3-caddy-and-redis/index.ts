// Source S3: deploy.sh is now `pulumi up`. Caddy and the Caddyfile stay what they are: a release does not touch them.
import { BlueGreenService, readConfig } from "bluegreen";
import path from "node:path";

const shop = new BlueGreenService("shop", {
  // `env_file: .env` of both compose files.
  envFile: path.join(__dirname, ".env"),
  ...readConfig(),
});

export const url = shop.url;
export const previewUrl = shop.previewUrl;
