// Source S4: what somebody typed on the server to switch is now `pulumi up`, there or anywhere.
import { BlueGreenService, readConfig } from "bluegreen";

const shop = new BlueGreenService("shop", readConfig());

export const url = shop.url;
export const previewUrl = shop.previewUrl;
