import { BlueGreenService, readConfig } from "bluegreen";

const web = new BlueGreenService("web", readConfig());

export const url = web.url;
export const previewUrl = web.previewUrl;
