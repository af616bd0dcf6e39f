import { defineConfig } from "astro/config";

export default defineConfig({
  site: "https://integration-tests.webordinary.test",
  devToolbar: { enabled: false },
});
