import { BlueGreenService, Ingress, readConfig } from "bluegreen";

// Holds the ports of the host.
const web = new Ingress("web", readConfig("web"));

// Each service has its own colors, its own gate and its own releases.
const shop = new BlueGreenService("shop", { ingress: web.name, ...readConfig("shop") });
const wiki = new BlueGreenService("wiki", { ingress: web.name, ...readConfig("wiki") });

export const urls = { shop: shop.url, wiki: wiki.url };
export const previewUrls = { shop: shop.previewUrl, wiki: wiki.previewUrl };
