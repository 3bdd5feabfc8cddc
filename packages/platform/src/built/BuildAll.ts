/**
 * `bun run build`: builds every app and the workloads' programs, so that they start in half the time; `bun install` does it at
 * its end.
 *
 * They run without it as well, from their sources, and do so as soon as one of them has changed.
 */
import { globSync } from "node:fs"
import { join } from "node:path"
import { buildPrograms } from "./Build.ts"

const root = join(import.meta.dirname, "../../../..")
const programs = ["apps/*/src/main.ts", "apps/*/src/ThreadMain.ts", "bench/src/w[1-5].ts"].flatMap((pattern) =>
  globSync(join(root, pattern))
)
const built = await buildPrograms(programs)
process.stdout.write(`${built.length} of ${programs.length} programs were built anew\n`)
