import { BlueGreenService, readConfig } from "bluegreen";

const shop = new BlueGreenService("shop", readConfig());

export const url = shop.url;
export const previewUrl = shop.previewUrl;
