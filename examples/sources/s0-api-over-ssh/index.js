// Source S0: all that the PowerShell script did is now `pulumi up`, from the same machine.
const { BlueGreenService, readConfig } = require("bluegreen");

const api = new BlueGreenService("api", readConfig());

module.exports = { url: api.url, previewUrl: api.previewUrl };
