import { BlueGreenService, readConfig } from "./components/index";

const service = new BlueGreenService("service", readConfig());

export const url = service.url;
export const previewUrl = service.previewUrl;
export const activeColor = service.activeColor;
export const blueImage = service.blueImage;
export const greenImage = service.greenImage;
export const blueContainer = service.blueContainer;
export const greenContainer = service.greenContainer;
export const proxyContainer = service.proxyContainer;
export const redisHost = service.redisHost;
