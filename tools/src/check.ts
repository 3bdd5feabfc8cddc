/**
 * `bun run check`: types, lint, format and tidy, each with its verdict on one line and its findings below.
 *
 * Runs from the repository's root. Exits 1 when a part fails. `--only types,lint,format,tidy` runs some of them.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { formatProblem } from "./tidy/Problem.ts"
import { tidy } from "./tidy/Tidy.ts"
import { loadWorkspace } from "./tidy/Workspace.ts"

interface Verdict {
  readonly failed: boolean
  readonly findings: string
}

const root = join(import.meta.dirname, "../..")

/** Runs a program of node_modules/.bin; its whole output is its findings. */
const program =
  (name: string, ...options: ReadonlyArray<string>) =>
  (): Promise<Verdict> =>
    new Promise((resolve) => {
      const child = spawn(join(root, "node_modules/.bin", name), options, {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"]
      })
      const chunks: Array<Buffer> = []
      child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
      child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk))
      child.on("error", (error) => resolve({ failed: true, findings: `${error.message}: run bun install` }))
      child.on("close", (code) =>
        resolve({ failed: code !== 0, findings: Buffer.concat(chunks).toString("utf8").trim() })
      )
    })

const parts: ReadonlyArray<readonly [name: string, run: () => Promise<Verdict>]> = [
  ["types", program("tsc", "--noEmit", "--pretty", "false")],
  ["lint", program("oxlint", "--type-aware", "--format", "unix")],
  ["format", program("oxfmt", "--check")],
  [
    "tidy",
    async () => {
      const problems = tidy(loadWorkspace(root))
      return { failed: problems.length > 0, findings: problems.map(formatProblem).join("\n") }
    }
  ]
]

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1]?.split(",") : undefined
const failed: Array<string> = []
for (const [name, run] of parts) {
  if (only !== undefined && !only.includes(name)) continue
  const started = performance.now()
  const verdict = await run()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${verdict.failed ? "FAIL" : "ok  "}  ${name.padEnd(7)} ${seconds.padStart(5)} s`)
  if (verdict.failed) {
    failed.push(name)
    console.log(verdict.findings.replace(/^/gm, "      "))
  }
}
console.log(failed.length === 0 ? "check passed" : `check failed: ${failed.join(", ")}`)
process.exitCode = failed.length === 0 ? 0 : 1
