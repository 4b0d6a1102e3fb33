// What every script asks, how it reports: one JSON document on standard output, an entry for each provider.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";

export const asked = JSON.parse(process.argv[2]);

// The version that was resolved, read from the installed package itself.
export async function version(name) {
  let folder = dirname(fileURLToPath(import.meta.resolve(name)));
  for (;;) {
    try {
      const found = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      if (found.name === name) return found.version;
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    if (folder === dirname(folder)) throw new Error(`no package.json of ${name}`);
    folder = dirname(folder);
  }
}

// The error that a call fails with, by the package's own name for it.
export async function failure(call, seen) {
  try {
    await call();
  } catch (error) {
    return { name: error.constructor.name, ...seen(error) };
  }
  return null;
}

export async function report(names, cases) {
  const versions = {};
  for (const name of names) versions[name] = await version(name);
  const providers = {};
  for (const [provider, model] of Object.entries(asked.models)) {
    const results = Object.entries(cases).map(async ([name, run]) => {
      try {
        return [name, await run(model, provider)];
      } catch (error) {
        return [name, { failed: String(error?.stack ?? error) }];
      }
    });
    providers[provider] = Object.fromEntries(await Promise.all(results));
  }
  process.stdout.write(JSON.stringify({ versions, providers }));
}

// Run one call after the other: the statuses of the errors that this provider's recordings know.
export async function errors(provider, call, seen) {
  const found = {};
  for (const status of [400, 401, 404, 429, asked.overloaded[provider]]) {
    found[status] = await failure(() => call(`Trigger error ${status}.`), seen);
  }
  return found;
}
