// Runs Astro dev servers, one for each session, in one process: the first costs 200 MB, each further one 5.
// Orders come as JSON lines on standard input, whose end is this program's end; answers go to a descriptor of their
// own, because Astro and the site's code write to the standard output.
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, answers] = process.argv.slice(2);
const servers = new Map();

const manifest = JSON.parse(readFileSync(join(modules, "astro", "package.json"), "utf8"));
const { dev } = await import(pathToFileURL(join(modules, "astro", manifest.exports["."])));

function session(root, base) {
  let vite;
  return {
    root,
    plugin: {
      name: "webordinary:session",
      // Not in Astro's own settings: there it would be put before Astro's base, not in its place.
      config: () => ({ base }),
      // Nothing watches the files; `changed` tells of them. (A null in the settings would be merged away.)
      configResolved(config) {
        config.server.watch = null;
      },
      configureServer(server) {
        vite = server;
        // Astro takes its base off every address, and Vite would then miss its own, which is the same.
        return () => {
          const { stack } = server.middlewares;
          const at = stack.findIndex(({ handle }) => handle.name === "viteBaseMiddleware");
          if (at < 0) throw new Error("this Vite has no viteBaseMiddleware: pages below a base cannot be served");
          stack.splice(at, 1);
        };
      },
    },
    // What a file watcher would say, said when it is true, and waited for: the next request sees the change.
    async changed(events) {
      for (const [event, path] of events) {
        const file = join(root, path);
        const told = [...vite.watcher.listeners(event).map((listener) => listener(file))];
        told.push(...vite.watcher.listeners("all").map((listener) => listener(event, file)));
        await Promise.all(told);
      }
    },
  };
}

const orders = {
  async start({ session: name, root, base, hot }) {
    const own = session(root, base);
    const server = await dev({
      root,
      base,
      cacheDir: join(root, ".astro-cache"),
      logLevel: "warn",
      devToolbar: { enabled: false },
      server: { host: "127.0.0.1", port: 0, allowedHosts: true },
      vite: {
        cacheDir: join(root, ".vite-cache"),
        clearScreen: false,
        plugins: [own.plugin],
        server: { hmr: { path: hot }, fs: { allow: [root, modules] } },
      },
    });
    servers.set(name, { ...own, stop: () => server.stop() });
    return { port: server.address.port };
  },
  async changed({ session: name, events }) {
    await servers.get(name).changed(events);
    return {};
  },
  async stop({ session: name }) {
    const server = servers.get(name);
    servers.delete(name);
    await server?.stop();
    return {};
  },
};

function answer(value) {
  writeSync(Number(answers), `${JSON.stringify(value)}\n`);
}

process.on("unhandledRejection", (reason) => console.error(reason));
answer({ ready: manifest.version });
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, order, ...told } = JSON.parse(line);
    try {
      answer({ id, ...(await orders[order](told)) });
    } catch (error) {
      answer({ id, error: String(error?.message ?? error) });
    }
  })
  .on("close", () => process.exit(0));
