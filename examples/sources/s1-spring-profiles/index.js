// Source S1: deploy.sh and switch.sh are now `pulumi up`, on the server itself.
const { BlueGreenService, readConfig } = require("bluegreen");

const shop = new BlueGreenService("shop", readConfig());

module.exports = { url: shop.url, previewUrl: shop.previewUrl };
