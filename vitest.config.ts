import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

// Bun runs Vitest only on threads, Deno only on forks; Node takes either.
const pool = typeof Deno === "undefined" ? "threads" : "forks"
declare const Deno: unknown

const project = (
  name: string,
  include: ReadonlyArray<string>,
  exclude: ReadonlyArray<string> = [],
  // a busy machine takes its time: what hangs is ended all the same
  timeoutMs = 120_000
) => ({
  test: {
    name,
    include: [...include],
    exclude: ["**/node_modules/**", ...exclude],
    pool: pool as "threads" | "forks",
    // no test leaves anything behind in a module; loading them anew for each file was half of the time
    isolate: false,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs
  }
})

const roots = "{packages,apps,tools}/*/test"

export default defineConfig({
  test: {
    // Vitest would leave one core idle: half of a small machine
    maxWorkers: availableParallelism(),
    projects: [
      project(
        "unit",
        [`${roots}/**/*.test.ts`, "{tools,bench}/test/**/*.test.ts"],
        ["**/*.integration.test.ts", "**/*.storm.test.ts", "**/*.{golden,sim,process}.test.ts"]
      ),
      project("golden", [`${roots}/**/*.{golden,sim,process}.test.ts`, "bench/test/**/*.process.test.ts"], [], 300_000),
      project(
        "integration",
        [`${roots}/**/*.integration.test.ts`, `${roots}/**/*.storm.test.ts`, "bench/test/**/*.integration.test.ts"],
        [],
        600_000
      )
    ]
  }
})
