import { BlueGreenService, readConfig } from "bluegreen";

const wiki = new BlueGreenService("wiki", readConfig());

export const url = wiki.url;
export const previewUrl = wiki.previewUrl;
