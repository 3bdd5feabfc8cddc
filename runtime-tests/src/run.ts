/**
 * `bun run test:runtimes`: the smoke path under Bun, Deno and Node, which must say the same.
 *
 * Exits 1 when a runtime fails or its answer differs from the first one's.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { installRuntimes } from "./Runtimes.ts"

const here = join(import.meta.dirname, "..")
/** For what hangs. */
const timeoutMs = 180_000

interface Runtime {
  readonly name: string
  readonly command: ReadonlyArray<string>
}

const runtimes = (): ReadonlyArray<Runtime> => {
  const { deno, node } = installRuntimes()
  return [
    { name: "bun", command: [process.execPath] },
    { name: "deno", command: [deno, "run", "--allow-all", "--no-lock", "--node-modules-dir=manual"] },
    { name: "node", command: [node, "--disable-warning=ExperimentalWarning"] }
  ]
}

/** The program's last line, or what went wrong. */
const runSmoke = ({ command }: Runtime): { readonly answer: string } | { readonly problem: string } => {
  const folder = mkdtempSync(join(tmpdir(), "frazil-smoke-"))
  const [program = "", ...options] = command
  const run = spawnSync(program, [...options, join(here, "src/smoke.ts"), folder], {
    encoding: "utf8",
    timeout: timeoutMs,
    // how this runtime starts another program of ours
    env: { ...process.env, SMOKE_COMMAND: JSON.stringify(command) }
  })
  rmSync(folder, { recursive: true, force: true })
  if (run.error !== undefined) return { problem: run.error.message }
  if (run.status !== 0) return { problem: `exit code ${run.status}\n${run.stdout}${run.stderr}` }
  return { answer: run.stdout.trimEnd().split("\n").at(-1) ?? "" }
}

let failed = 0
let first: string | undefined
for (const runtime of runtimes()) {
  const started = performance.now()
  const outcome = runSmoke(runtime)
  const version = spawnSync(runtime.command[0] ?? "", ["--version"], { encoding: "utf8" }).stdout.split("\n")[0]
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const problem =
    "problem" in outcome
      ? outcome.problem
      : first !== undefined && first !== outcome.answer
        ? `answers otherwise than the first runtime\n${first}\n${outcome.answer}`
        : undefined
  if ("answer" in outcome) first ??= outcome.answer
  if (problem !== undefined) failed++
  console.log(
    `${problem === undefined ? "ok  " : "FAIL"}  ${runtime.name.padEnd(5)} ${version}, ${seconds} s${problem === undefined ? "" : `: ${problem}`}`
  )
}
process.exitCode = failed === 0 ? 0 : 1
