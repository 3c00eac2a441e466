import { defineConfig } from "vite";

export default defineConfig({
  define: { VERSION: JSON.stringify(process.env.VERSION ?? "dev") },
  // Else a file this small would be a part of the page.
  build: { assetsInlineLimit: 0 },
});
