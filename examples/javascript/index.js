const { BlueGreenService, readConfig } = require("bluegreen");

// What a release changes is in the stack's file; what it never changes is here, in code that is reviewed.
const shop = new BlueGreenService("shop", {
  ...readConfig(),
  containerPort: 3000,
  env: { NODE_ENV: "production" },
  health: { path: "/health", passes: 3 },
  memoryMb: 256,
});

module.exports = { url: shop.url, previewUrl: shop.previewUrl };
