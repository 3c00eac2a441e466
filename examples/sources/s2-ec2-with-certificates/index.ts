// Source S2: what GitHub Actions ran over SSH is now `pulumi up`, from the same workflow.
import { BlueGreenService, readConfig } from "bluegreen";

const shop = new BlueGreenService("shop", readConfig());

export const url = shop.url;
export const previewUrl = shop.previewUrl;
